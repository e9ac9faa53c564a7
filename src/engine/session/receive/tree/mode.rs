//! Go's `fs.FileMode`, as the protocol has it.

use rustix::fs::FileType;

const DIR: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const DEVICE: u32 = 1 << 26;
const NAMED_PIPE: u32 = 1 << 25;
const SETUID: u32 = 1 << 23;
const SETGID: u32 = 1 << 22;
const CHAR_DEVICE: u32 = 1 << 21;
const STICKY: u32 = 1 << 20;

/// The type of an entry; what is none of them is a regular file, as a socket is.
pub(super) fn kind(mode: u32) -> FileType {
    match mode {
        _ if mode & DIR != 0 => FileType::Directory,
        _ if mode & SYMLINK != 0 => FileType::Symlink,
        _ if mode & DEVICE != 0 && mode & CHAR_DEVICE != 0 => FileType::CharacterDevice,
        _ if mode & DEVICE != 0 => FileType::BlockDevice,
        _ if mode & NAMED_PIPE != 0 => FileType::Fifo,
        _ => FileType::RegularFile,
    }
}

/// Permissions and special bits, as `chmod` has them.
pub(super) fn permissions(mode: u32) -> u32 {
    [(SETUID, 0o4000), (SETGID, 0o2000), (STICKY, 0o1000)]
        .into_iter()
        .filter(|(go, _)| mode & go != 0)
        .fold(mode & 0o777, |bits, (_, unix)| bits | unix)
}

/// Permissions of a pipe or a device: a device node that others may use is a way into this machine,
/// so only its owner may.
pub(super) fn of_special(permissions: u32, pipe: bool) -> u32 {
    if pipe { permissions & 0o777 } else { permissions & 0o700 }
}

/// A device number; none for numbers that there are not.
pub(super) fn device(major: i64, minor: i64) -> Option<u64> {
    Some(rustix::fs::makedev(u32::try_from(major).ok()?, u32::try_from(minor).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_go_writes_them() {
        assert_eq!(kind(DIR | 0o755), FileType::Directory);
        assert_eq!(kind(DEVICE | CHAR_DEVICE), FileType::CharacterDevice);
        assert_eq!(kind(DEVICE), FileType::BlockDevice);
        assert_eq!(kind(0o644), FileType::RegularFile);
        assert_eq!(permissions(SETUID | STICKY | DIR | 0o755), 0o5755);
        assert_eq!(of_special(0o666, false), 0o600);
        assert_eq!(device(-1, 0), None);
    }
}
