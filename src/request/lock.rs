//! Where the lock file stands.

use std::path::{Path, PathBuf};

/// Name of the lock file.
pub const LOCK_FILE: &str = "cofferdam.lock";

/// The directory of a file, `.` when there is no file.
pub(super) fn directory_of(file: Option<&Path>) -> &Path {
    match file.and_then(Path::parent) {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The lock stands next to `cofferdam.toml`, else next to the Dockerfile; a build without a
/// Dockerfile of this machine has its lock where it is started.
pub(super) fn path(dockerfile: Option<&Path>, config_file: Option<&Path>) -> PathBuf {
    directory_of(config_file.or(dockerfile)).join(LOCK_FILE)
}
