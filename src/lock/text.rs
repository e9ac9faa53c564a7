//! Pins in the Dockerfile itself, for those who want no lock.

use std::io::Write as _;

use cofferdam_frontend::pins::{InPlace, Lock, pin_adds, pin_in_place};

use super::wanted::scopes;
use crate::error::Error;
use crate::inputs::{explain, fixes};
use crate::request::{DockerfileText, LockRequest};

/// What the file is to be.
pub(super) struct Pinned {
    pub(super) bytes: Vec<u8>,
    /// Names that got a digest, and those that could not.
    pub(super) images: InPlace,
    /// Lines of ADD that got a checksum or a commit.
    pub(super) adds: Vec<usize>,
}

/// Writes everything that the lock knows into the text.
pub(super) fn pin(
    request: &LockRequest,
    written: &DockerfileText,
    lock: &Lock,
) -> Result<Pinned, Error> {
    let scope = scopes(request).into_iter().next().unwrap_or_default();
    let images = pin_in_place(&written.bytes, &scope, &lock.digests());
    let images = images.map_err(|error| explain(error, written))?;
    let adds = pin_adds(&images.bytes, &scope, &fixes(lock), false);
    let (bytes, adds) = adds.map_err(|error| explain(error, written))?;
    Ok(Pinned { bytes, images, adds })
}

/// Replaces the file as a whole; its mode and owner stay, and so does a link to it.
pub(super) fn write(request: &LockRequest, before: &[u8], after: &[u8]) -> Result<(), Error> {
    let Some(path) = request.dockerfile.as_ref().filter(|_| before != after) else {
        return Ok(());
    };
    let shown = path.display();
    let failed = |error| Error::io(format!("write {shown}"))(error);
    let real = path.canonicalize().map_err(failed)?;
    if std::fs::read(&real).map_err(failed)? != before {
        return Err(Error::usage_hint(
            format!("{shown} was changed while its inputs were looked up"),
            "run the command again",
        ));
    }
    let told = std::fs::metadata(&real).map_err(failed)?;
    let directory = real.parent().unwrap_or(&real);
    let replace = || {
        let mut file = tempfile::Builder::new()
            .prefix(".cofferdam-")
            .permissions(told.permissions())
            .tempfile_in(directory)?;
        file.write_all(after)?;
        keep_owner(file.as_file(), &told);
        // The umask had its say when it was made.
        file.as_file().set_permissions(told.permissions())?;
        file.as_file().sync_all()?;
        file.persist(&real).map_err(|error| error.error)?;
        Ok(())
    };
    replace().map_err(failed)
}

/// Gives the new file to the owner of the old one, as far as that is allowed.
fn keep_owner(file: &std::fs::File, told: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt as _;
    if let Err(error) = std::os::unix::fs::fchown(file, Some(told.uid()), Some(told.gid())) {
        tracing::debug!(%error, "the file gets another owner");
    }
}
