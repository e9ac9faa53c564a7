//! Containers, known by their first bytes.

use serde::{Deserialize, Serialize};

use super::tar;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 4096;

/// Formats that are unpacked, or known not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; git's loose objects are of it.
    Zlib,
    /// PKWARE's; jars and wheels are of it.
    Zip,
    /// POSIX, GNU and what came before.
    Tar,
    /// Of `ar`; Debian's packages and static libraries are of it.
    Ar,
    /// XZ Utils'.
    Xz,
    /// RFC 8878.
    Zstd,
    /// Julian Seward's.
    Bzip2,
    /// Packs of git; differences to other objects are searched as differences.
    GitPack,
    /// One that is not unpacked: 7z, RAR, LZ4, lzip, RPM, cabinet, squashfs.
    Other,
}

impl Container {
    /// Those that are unpacked.
    pub const READ: [Self; 9] = [
        Self::Gzip,
        Self::Zlib,
        Self::Zip,
        Self::Tar,
        Self::Ar,
        Self::Xz,
        Self::Zstd,
        Self::Bzip2,
        Self::GitPack,
    ];

    /// The name in records and in trails.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Ar => "ar",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::GitPack => "git-pack",
            Self::Other => "other",
        }
    }

    /// What a file that begins so is; `None` for no container.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        const MAGICS: [(&[u8], Container); 17] = [
            (b"\x1f\x8b\x08", Container::Gzip),
            (b"PK\x03\x04", Container::Zip),
            (b"!<arch>\n", Container::Ar),
            (b"\xfd7zXZ\0", Container::Xz),
            (b"\x28\xb5\x2f\xfd", Container::Zstd),
            (b"PACK\0\0\0\x02", Container::GitPack),
            (b"PACK\0\0\0\x03", Container::GitPack),
            (b"7z\xbc\xaf\x27\x1c", Container::Other),
            (b"Rar!\x1a\x07", Container::Other),
            (b"\x04\x22\x4d\x18", Container::Other),
            (b"LZIP\x01", Container::Other),
            (b"\xed\xab\xee\xdb", Container::Other),
            (b"MSCF\0\0\0\0", Container::Other),
            (b"hsqs", Container::Other),
            (b"070701", Container::Other),
            (b"070702", Container::Other),
            (b"\x89LZO\0\r\n", Container::Other),
        ];
        let known = MAGICS.iter().find(|(magic, _)| head.starts_with(magic));
        if let Some((_, container)) = known {
            return Some(*container);
        }
        if is_bzip2(head) {
            return Some(Self::Bzip2);
        }
        if skippable(head) {
            return Some(Self::Zstd);
        }
        if tar::is_header(head.get(..tar::BLOCK).unwrap_or_default()) {
            return Some(Self::Tar);
        }
        if script_before_zip(head).is_some() {
            return Some(Self::Zip);
        }
        is_zlib(head).then_some(Self::Zlib)
    }
}

/// A level, and the first block's mark: the digits of pi.
fn is_bzip2(head: &[u8]) -> bool {
    head.starts_with(b"BZh")
        && head.get(3).is_some_and(u8::is_ascii_digit)
        && head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59")
}

/// A frame that decoders skip, in front of others.
fn skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Deflate with a window, whose two bytes are a multiple of 31; weak, so that what cannot be
/// unpacked counts as no container.
fn is_zlib(head: &[u8]) -> bool {
    match head {
        [method, flags, _, ..] => {
            method & 15 == 8
                && method >> 4 <= 7
                && flags & 0x20 == 0
                && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

/// Where a zip begins behind the line of a script that runs it.
pub(super) fn script_before_zip(head: &[u8]) -> Option<usize> {
    let script = head.starts_with(b"#!").then_some(head)?;
    script.windows(4).position(|four| four == b"PK\x03\x04")
}
