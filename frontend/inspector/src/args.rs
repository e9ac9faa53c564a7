//! The command line, parsed by hand: one caller, five options, no dependency.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::error::Failure;
use crate::report::plain::Plain;

/// What the helper prints for `help`.
pub const USAGE: &str = "usage:
  strip --root DIR --report FILE [--keep PATH]... [--keep-capabilities]
      remove set-uid and set-gid bits and file capabilities from regular files
      below DIR; PATH is absolute within DIR and names one file to leave alone;
      directories of an overlay that COFFERDAM_PLAIN tells are not entered
  digest --file FILE --report FILE
      write the sha256 of a file, sha256:HEX and a newline
  inspect [--layer DIR [--over DIR] [--base]]... [--needle FILE]... [--before]
          [--plain]
      search the values in the FILEs in what each layer holds, or, with --over,
      in what it has added to that DIR; the answer goes to standard output;
      with --before standard input says what is known of the layers below; with
      --plain, for one layer, also directories that hold nothing to strip
  version
  help";

/// What the helper was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Remove privileges from regular files.
    Strip(StripOptions),
    /// Write the digest of a file.
    Digest(DigestOptions),
    /// Look through the layers of an image.
    Inspect(InspectOptions),
    /// Print the version.
    Version,
    /// Print the usage.
    Help,
}

/// The meaning of the options of `strip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripOptions {
    /// The directory the image is mounted on.
    pub root: PathBuf,
    /// The file the report is written to, outside the root.
    pub report: PathBuf,
    /// Paths within the image, absolute and normalised, whose files are left alone.
    pub keep: Vec<Vec<u8>>,
    /// Whether `security.capability` attributes are left alone everywhere.
    pub keep_capabilities: bool,
    /// Directories that were found to hold nothing to strip.
    pub plain: Vec<Plain>,
}

/// The meaning of the options of `digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestOptions {
    /// The file to read.
    pub file: PathBuf,
    /// The file the digest is written to.
    pub report: PathBuf,
}

/// The meaning of the options of `inspect`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InspectOptions {
    /// The layers; the answer counts them from zero.
    pub layers: Vec<LayerMount>,
    /// Files that hold the values to search for; the answer counts them from zero.
    pub needles: Vec<PathBuf>,
    /// Whether layers below were inspected before; standard input holds what is known of them.
    pub before: bool,
    /// Whether to tell the directories that hold nothing to strip; there is one layer then.
    pub plain: bool,
}

/// Where a layer is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerMount {
    /// The directory that holds it, alone or with all that is below it.
    pub root: PathBuf,
    /// The directory that holds what is below it; `None` when it is alone.
    pub over: Option<PathBuf>,
    /// Whether it is a base, which nobody here has made.
    pub base: bool,
}

/// Parses the arguments after the program's name.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let mut args = args;
    let Some(name) = args.next() else {
        return Err(usage("no sub-command; one of: strip, digest, inspect, version, help"));
    };
    let command = match name.as_bytes() {
        b"strip" => return strip(args).map(Command::Strip),
        b"digest" => return digest(args).map(Command::Digest),
        b"inspect" => return inspect(args).map(Command::Inspect),
        b"version" | b"--version" => Command::Version,
        b"help" | b"--help" => Command::Help,
        other => {
            return Err(usage(&format!(
                "unknown sub-command {:?}; one of: strip, digest, inspect, version, help",
                String::from_utf8_lossy(other)
            )));
        }
    };
    match args.next() {
        None => Ok(command),
        Some(extra) => Err(unexpected(&extra)),
    }
}

fn strip(mut args: impl Iterator<Item = OsString>) -> Result<StripOptions, Failure> {
    let (mut root, mut report) = (None, None);
    let (mut keep, mut keep_capabilities) = (Vec::new(), false);
    while let Some(arg) = args.next() {
        match arg.as_bytes() {
            b"--root" => once(&mut root, "--root", &mut args)?,
            b"--report" => once(&mut report, "--report", &mut args)?,
            b"--keep" => {
                let path = value("--keep", &mut args)?;
                keep.push(normalise_keep(path.as_bytes())?);
            }
            b"--keep-capabilities" => keep_capabilities = true,
            _ => return Err(unexpected(&arg)),
        }
    }
    keep.sort();
    keep.dedup();
    let root = root.ok_or_else(|| usage("strip needs --root DIR"))?;
    let report = report.ok_or_else(|| usage("strip needs --report FILE"))?;
    Ok(StripOptions { root, report, keep, keep_capabilities, plain: Vec::new() })
}

fn digest(mut args: impl Iterator<Item = OsString>) -> Result<DigestOptions, Failure> {
    let (mut file, mut report) = (None, None);
    while let Some(arg) = args.next() {
        match arg.as_bytes() {
            b"--file" => once(&mut file, "--file", &mut args)?,
            b"--report" => once(&mut report, "--report", &mut args)?,
            _ => return Err(unexpected(&arg)),
        }
    }
    let file = file.ok_or_else(|| usage("digest needs --file FILE"))?;
    let report = report.ok_or_else(|| usage("digest needs --report FILE"))?;
    Ok(DigestOptions { file, report })
}

fn inspect(mut args: impl Iterator<Item = OsString>) -> Result<InspectOptions, Failure> {
    let mut options = InspectOptions::default();
    while let Some(arg) = args.next() {
        match arg.as_bytes() {
            b"--layer" => {
                let root = path("--layer", &mut args)?;
                options.layers.push(LayerMount { root, over: None, base: false });
            }
            b"--over" => {
                let Some(layer) = options.layers.last_mut() else {
                    return Err(usage("--over stands before any --layer"));
                };
                once(&mut layer.over, "--over", &mut args)?;
            }
            b"--base" => match options.layers.last_mut() {
                Some(layer) => layer.base = true,
                None => return Err(usage("--base stands before any --layer")),
            },
            b"--plain" => options.plain = true,
            b"--before" => options.before = true,
            b"--needle" => options.needles.push(path("--needle", &mut args)?),
            _ => return Err(unexpected(&arg)),
        }
    }
    if options.plain && options.layers.len() != 1 {
        return Err(usage("--plain is for one layer"));
    }
    Ok(options)
}

fn once(
    slot: &mut Option<PathBuf>,
    option: &str,
    args: &mut impl Iterator<Item = OsString>,
) -> Result<(), Failure> {
    match slot.replace(path(option, args)?) {
        None => Ok(()),
        Some(_) => Err(usage(&format!("{option} was given twice"))),
    }
}

fn path(option: &str, args: &mut impl Iterator<Item = OsString>) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(value(option, args)?);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(usage(&format!("{option} needs an absolute path")))
    }
}

fn value(option: &str, args: &mut impl Iterator<Item = OsString>) -> Result<OsString, Failure> {
    args.next().ok_or_else(|| usage(&format!("{option} needs a value")))
}

/// Brings a path to the form the walk builds: one slash between names, none at the end.
///
/// `..` is refused, because what it means depends on symbolic links of the image.
fn normalise_keep(path: &[u8]) -> Result<Vec<u8>, Failure> {
    let shown = || crate::report::encode_path(path);
    if path.first() != Some(&b'/') {
        return Err(usage(&format!("--keep {} is not an absolute path", shown())));
    }
    let mut normal = Vec::with_capacity(path.len());
    for name in path.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => return Err(usage(&format!("--keep {} contains ..", shown()))),
            name => {
                normal.push(b'/');
                normal.extend_from_slice(name);
            }
        }
    }
    if normal.is_empty() {
        return Err(usage(&format!("--keep {} names no file", shown())));
    }
    Ok(normal)
}

fn unexpected(arg: &OsString) -> Failure {
    usage(&format!("unexpected argument {:?}", String::from_utf8_lossy(&arg.clone().into_vec())))
}

fn usage(message: &str) -> Failure {
    Failure::Usage(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn message(line: &str) -> String {
        let failure = parsed(line).unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{line}");
        failure.to_string()
    }

    #[test]
    fn strip_takes_its_options_in_any_order() {
        let Ok(Command::Strip(options)) = parsed(
            "strip --keep /b --keep-capabilities --report /out/r --keep //a/./c/ --keep /b --root /rootfs",
        ) else {
            panic!("not parsed");
        };
        assert_eq!(options.root, PathBuf::from("/rootfs"));
        assert_eq!(options.report, PathBuf::from("/out/r"));
        assert_eq!(options.keep, vec![b"/a/c".to_vec(), b"/b".to_vec()]);
        assert!(options.keep_capabilities);
    }

    #[test]
    fn a_layer_has_what_is_below_it() {
        let line = "inspect --layer /l/0 --layer /l/1 --over /l/0 --needle /s/0 --needle /s/1";
        let Ok(Command::Inspect(options)) = parsed(line) else { panic!("not parsed") };
        assert!(!options.before);
        let below: Vec<Option<&str>> =
            options.layers.iter().map(|l| l.over.as_ref()?.to_str()).collect();
        assert_eq!(below, [None, Some("/l/0")]);
        assert_eq!(options.needles.len(), 2);
    }

    #[test]
    fn every_mistake_has_a_line_of_its_own() {
        assert!(message("").contains("no sub-command"));
        assert!(message("inspekt").contains("unknown sub-command \"inspekt\""));
        assert!(message("strip --report /r").contains("--root"));
        assert!(message("strip --root /r").contains("--report"));
        assert!(message("strip --root").contains("needs a value"));
        assert!(message("strip --root rel --report /r").contains("absolute"));
        assert!(message("strip --root /a --root /b --report /r").contains("twice"));
        assert!(message("strip --root /a --report /r --keep bin/su").contains("not an absolute"));
        assert!(message("strip --root /a --report /r --keep /x/../su").contains(".."));
        assert!(message("strip --root /a --report /r --keep /").contains("names no file"));
        assert!(message("strip --root /a --report /r --force").contains("--force"));
        assert!(message("digest --file /f").contains("--report"));
        assert!(message("digest --report /r").contains("--file"));
        assert!(message("digest --file f --report /r").contains("absolute"));
        assert!(message("inspect --over /a").contains("before any --layer"));
        assert!(message("inspect --layer /a --over /b --over /c").contains("twice"));
        assert!(message("inspect --layer a").contains("absolute"));
        assert!(message("inspect --plain --layer /a --layer /b").contains("one layer"));
        assert!(message("inspect --needle").contains("needs a value"));
        assert!(message("version now").contains("unexpected"));
    }
}
