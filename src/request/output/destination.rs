//! Looks at every destination before anything starts.

use std::path::{Component, Path, PathBuf};

use super::{Dest, LocalMode, Output};
use crate::error::Error;

/// Refuses what could not be written at the end.
pub(super) fn check(outputs: &[Output], stdout_is_terminal: bool) -> Result<(), Error> {
    for output in outputs {
        let kind = output.kind();
        match output {
            Output::Local { dest, .. } => directory(dest)?,
            Output::Tar { dest, .. } | Output::Oci { dest, .. } => {
                one(dest, kind, stdout_is_terminal)?
            }
            Output::Docker { dest: Some(dest), .. } => one(dest, kind, stdout_is_terminal)?,
            Output::Docker { dest: None, .. } | Output::Image { .. } | Output::CacheOnly => {}
        }
    }
    if outputs.iter().filter(|output| output.is_stdout()).count() > 1 {
        return Err(Error::usage("multiple outputs configured to write to stdout"));
    }
    Ok(())
}

fn one(dest: &Dest, kind: &str, stdout_is_terminal: bool) -> Result<(), Error> {
    match dest {
        Dest::Stdout if stdout_is_terminal => Err(Error::usage_hint(
            format!("dest file is required for {kind} exporter. refusing to write to console"),
            format!("write --output type={kind},dest=FILE, or send stdout to a file"),
        )),
        Dest::Stdout => Ok(()),
        Dest::Dir(path) => directory(path),
        Dest::File(path) => file(path),
    }
}

fn directory(path: &Path) -> Result<(), Error> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => {
            Err(Error::usage(format!("destination directory {} is a file", path.display())))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::usage(format!("invalid destination directory {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn file(path: &Path) -> Result<(), Error> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Error::usage(format!("destination file {} is a directory", path.display())))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::usage(format!("invalid destination file {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// `mode=delete` empties a directory: without `--allow=buildx.local.delete`, only one below here.
pub(super) fn check_deletes(outputs: &[Output], here: &Path, allowed: bool) -> Result<(), Error> {
    for output in outputs {
        let Output::Local { dest, mode: LocalMode::Delete, .. } = output else { continue };
        if allowed || is_below(dest, here) {
            continue;
        }
        return Err(Error::usage_hint(
            format!(
                "local output mode=delete for destination {dest:?} requires --allow=buildx.local.delete"
            ),
            "everything in that directory would be deleted",
        ));
    }
    Ok(())
}

fn is_below(dest: &Path, here: &Path) -> bool {
    let here = resolve(here);
    let dest = resolve(&here.join(dest));
    dest != here && dest.starts_with(&here)
}

/// The path without links, as far as it exists.
fn resolve(path: &Path) -> PathBuf {
    let mut rest: Vec<Component<'_>> = path.components().collect();
    let mut missing = Vec::new();
    while !rest.is_empty() {
        let existing: PathBuf = rest.iter().collect();
        if let Ok(real) = existing.canonicalize() {
            let mut real = real;
            for part in missing.iter().rev() {
                match part {
                    Component::ParentDir => drop(real.pop()),
                    Component::Normal(name) => real.push(name),
                    _ => {}
                }
            }
            return real;
        }
        missing.extend(rest.pop());
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::super::{Attrs, Outputs};
    use super::*;

    fn read(text: &str, terminal: bool) -> Result<Outputs, Error> {
        Outputs::read(&[text.to_string()], (false, false), false, terminal)
    }

    #[test]
    fn what_could_not_be_written_is_refused_before_anything_starts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (dir, file) = (dir.path().display(), file.display());
        for bad in [
            format!("type=tar,dest={dir}"),
            format!("type=oci,dest={dir}"),
            format!("type=docker,dest={dir}"),
            format!("type=local,dest={file}"),
            format!("{file}"),
            format!("type=oci,tar=false,dest={file}"),
        ] {
            assert!(read(&bad, false).is_err(), "{bad}");
        }
        for console in ["-", "type=tar", "type=oci", "type=docker,dest=-"] {
            let error = read(console, true).unwrap_err();
            assert!(error.to_string().contains("refusing to write to console"), "{console}");
            assert!(read(console, false).is_ok(), "{console}");
        }
        let twice = Outputs::read(&["-".into(), "type=oci".into()], (false, false), false, false);
        assert!(twice.unwrap_err().to_string().contains("multiple outputs"));
        assert!(read(&format!("{dir}/new/deep"), false).is_ok());
    }

    #[test]
    fn emptying_a_directory_needs_leave_unless_it_is_below_here() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        std::os::unix::fs::symlink("/", here.join("link")).unwrap();
        let check = |dest: &str, allowed| {
            let output = Output::Local {
                dest: dest.into(),
                platform_split: None,
                mode: LocalMode::Delete,
                attrs: Attrs::new(),
            };
            check_deletes(&[output], &here, allowed)
        };
        for fine in ["out", "./out/deep", "new/../other"] {
            assert!(check(fine, false).is_ok(), "{fine}");
        }
        for outside in [".", "..", "/", "../here2", "out/../..", "link", "link/x"] {
            assert!(check(outside, false).is_err(), "{outside}");
            assert!(check(outside, true).is_ok(), "{outside}");
        }
    }
}
