//! Metadata of one entry, in the engine's terms.

/// Type bits of Go's `fs.FileMode`.
pub(super) mod mode {
    /// Directory.
    pub(crate) const DIR: u32 = 1 << 31;
    /// Symbolic link.
    pub(crate) const SYMLINK: u32 = 1 << 27;
    /// Block device, or character device together with [`CHAR_DEVICE`].
    pub(crate) const DEVICE: u32 = 1 << 26;
    /// Named pipe.
    pub(crate) const NAMED_PIPE: u32 = 1 << 25;
    /// Socket.
    pub(crate) const SOCKET: u32 = 1 << 24;
    /// Set-uid bit.
    pub(crate) const SETUID: u32 = 1 << 23;
    /// Set-gid bit.
    pub(crate) const SETGID: u32 = 1 << 22;
    /// Character device.
    pub(crate) const CHAR_DEVICE: u32 = 1 << 21;
    /// Sticky bit.
    pub(crate) const STICKY: u32 = 1 << 20;
    /// Something else.
    pub(crate) const IRREGULAR: u32 = 1 << 19;
    /// Everything that is not a regular file has one of these bits.
    pub(crate) const TYPE: u32 =
        DIR | SYMLINK | DEVICE | NAMED_PIPE | SOCKET | CHAR_DEVICE | IRREGULAR;
}

/// Translates `st_mode` into the bits of Go's `fs.FileMode`.
pub(super) fn go_mode(st_mode: u32) -> u32 {
    let kind = match st_mode & 0o170_000 {
        0o100_000 => 0,
        0o040_000 => mode::DIR,
        0o120_000 => mode::SYMLINK,
        0o060_000 => mode::DEVICE,
        0o020_000 => mode::DEVICE | mode::CHAR_DEVICE,
        0o010_000 => mode::NAMED_PIPE,
        0o140_000 => mode::SOCKET,
        _ => mode::IRREGULAR,
    };
    let special = [(0o4000, mode::SETUID), (0o2000, mode::SETGID), (0o1000, mode::STICKY)]
        .into_iter()
        .filter(|(unix, _)| st_mode & unix != 0)
        .fold(0, |bits, (_, go)| bits | go);
    (st_mode & 0o777) | special | kind
}

/// Extended attributes: name and value, sorted by name.
pub(super) type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// What is announced about one entry; paths and names are bytes, as on disk.
///
/// Owners are absent: like every BuildKit client, this one announces uid and gid 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// Slash-separated path relative to the root.
    pub path: Vec<u8>,
    /// Go's `fs.FileMode`.
    pub mode: u32,
    /// Bytes; 0 for directories, the length of the target for symbolic links.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime: i64,
    /// Target of a symbolic link, or the first path sent of a hard-linked file.
    pub linkname: Vec<u8>,
    /// Device major number.
    pub devmajor: i64,
    /// Device minor number.
    pub devminor: i64,
    /// Extended attributes sorted by name.
    pub xattrs: Xattrs,
}

impl Stat {
    /// Whether this is a directory.
    pub(super) fn is_dir(&self) -> bool {
        self.mode & mode::DIR != 0
    }
}

/// Orders paths as they are sent: depth first, `/` below every other byte.
pub(super) fn compare_paths(left: &[u8], right: &[u8]) -> std::cmp::Ordering {
    let key = |&byte: &u8| if byte == b'/' { 0 } else { u16::from(byte) + 1 };
    left.iter().map(key).cmp(right.iter().map(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_carry_types_and_special_bits() {
        assert_eq!(go_mode(0o100_644), 0o644);
        assert_eq!(go_mode(0o104_755), 0o755 | 1 << 23);
        assert_eq!(go_mode(0o102_755), 0o755 | 1 << 22);
        assert_eq!(go_mode(0o041_777), 0o777 | 1 << 31 | 1 << 20);
        assert_eq!(go_mode(0o120_777), 0o777 | 1 << 27);
        assert_eq!(go_mode(0o020_666), 0o666 | 1 << 26 | 1 << 21);
        assert_eq!(go_mode(0o060_660), 0o660 | 1 << 26);
        assert_eq!(go_mode(0o010_644), 0o644 | 1 << 25);
    }

    #[test]
    fn slash_sorts_first() {
        let mut paths = ["foo-bar", "foo/z", "foo", "foo.d", "foo/a/b", "foo/a"].map(str::as_bytes);
        paths.sort_by(|a, b| compare_paths(a, b));
        assert_eq!(
            paths,
            ["foo", "foo/a", "foo/a/b", "foo/z", "foo-bar", "foo.d"].map(str::as_bytes)
        );
    }
}
