//! Writing the report: outside the image, whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::report::{StripReport, encode_path};

/// Refuses a root that is the whole machine and a report that would land in the image.
pub(super) fn check(root: &Path, report: &Path) -> Result<(), Failure> {
    let real_root = fs::canonicalize(root)
        .map_err(|cause| Failure::Usage(format!("--root {}: {cause}", shown(root))))?;
    if real_root == Path::new("/") {
        // The helper's own directory is `/`; the image never is.
        return Err(Failure::Usage("--root / is not an image".to_owned()));
    }
    let parent = report.parent().unwrap_or(report);
    let real_parent = fs::canonicalize(parent)
        .map_err(|cause| Failure::Usage(format!("--report {}: {cause}", shown(report))))?;
    if real_parent.starts_with(&real_root) {
        return Err(Failure::Usage(format!("--report {} lies within the root", shown(report))));
    }
    if report.file_name().is_none() {
        return Err(Failure::Usage(format!("--report {} names no file", shown(report))));
    }
    Ok(())
}

/// Writes the report under a temporary name beside it and renames it into place.
pub(super) fn write(path: &Path, report: &StripReport) -> Result<(), Failure> {
    let temporary = beside(path);
    write_whole(&temporary, report).and_then(|()| fs::rename(&temporary, path)).map_err(|cause| {
        // Best effort: the failure below is the one to report.
        let _ = fs::remove_file(&temporary);
        Failure::Report { path: shown(path), cause }
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

fn write_whole(path: &Path, report: &StripReport) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    encode_path(path.as_os_str().as_bytes())
}
