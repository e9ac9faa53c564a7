//! The command line, parsed by hand: one caller, five options, no dependency.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::error::Failure;

/// What the helper prints for `help`.
pub const USAGE: &str = "usage:
  strip --root DIR --report FILE [--keep PATH]... [--keep-capabilities]
      remove set-uid and set-gid bits and file capabilities from regular files
      below DIR; PATH is absolute within DIR and names one file to leave alone
  digest --file FILE --report FILE
      write the sha256 of a file, sha256:HEX and a newline
  version
  help";

/// What the helper was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Remove privileges from regular files.
    Strip(StripOptions),
    /// Write the digest of a file.
    Digest(DigestOptions),
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
}

/// The meaning of the options of `digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestOptions {
    /// The file to read.
    pub file: PathBuf,
    /// The file the digest is written to.
    pub report: PathBuf,
}

/// Parses the arguments after the program's name.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let mut args = args;
    let Some(name) = args.next() else {
        return Err(usage("no sub-command; one of: strip, digest, version, help"));
    };
    let command = match name.as_bytes() {
        b"strip" => return strip(args).map(Command::Strip),
        b"digest" => return digest(args).map(Command::Digest),
        b"version" | b"--version" => Command::Version,
        b"help" | b"--help" => Command::Help,
        other => {
            return Err(usage(&format!(
                "unknown sub-command {:?}; one of: strip, digest, version, help",
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
    Ok(StripOptions { root, report, keep, keep_capabilities })
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

fn once(
    slot: &mut Option<PathBuf>,
    option: &str,
    args: &mut impl Iterator<Item = OsString>,
) -> Result<(), Failure> {
    let path = PathBuf::from(value(option, args)?);
    if !path.is_absolute() {
        return Err(usage(&format!("{option} needs an absolute path")));
    }
    match slot.replace(path) {
        None => Ok(()),
        Some(_) => Err(usage(&format!("{option} was given twice"))),
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
        assert!(message("version now").contains("unexpected"));
    }
}
