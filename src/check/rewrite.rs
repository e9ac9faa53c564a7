//! A file's new bytes in its place, whole or not at all.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Gid, Uid};

/// Puts `bytes` where `path` leads; mode and owner stay, and so do the links on the way.
pub(super) fn rewrite(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let target = path.canonicalize()?;
    let about = std::fs::metadata(&target)?;
    let directory = target.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".cofferdam-").tempfile_in(directory)?;
    file.write_all(bytes)?;
    let new = file.as_file();
    if (new.metadata()?.uid(), new.metadata()?.gid()) != (about.uid(), about.gid()) {
        let (owner, group) = (Uid::from_raw(about.uid()), Gid::from_raw(about.gid()));
        // Who may not give files away keeps this one.
        let _ = rustix::fs::fchown(new, Some(owner), Some(group));
    }
    new.set_permissions(about.permissions())?;
    new.sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}
