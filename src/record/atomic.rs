//! Files that appear whole or not at all.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Mode of what users and other tools read, before the umask of nobody: as docker writes them.
const MODE: u32 = 0o644;

/// Writes a file beside `path` and renames it there.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = std::fs::Permissions::from_mode(MODE);
    let mut file = tempfile::Builder::new()
        .prefix(".cofferdam-")
        .permissions(permissions)
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
