//! What a stream is by its first bytes: an archive, or something else.
//!
//! Source: docker/buildx, build/utils.go; moby/moby, pkg/archive.

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// Not at all.
    Tar,
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// RFC 8878; engines do not know it as a context, so it is unpacked here.
    Zstd,
}

/// Bytes that are needed to tell.
pub(super) const ENOUGH: usize = 512;

const MAGIC: [(&[u8], Archive); 4] = [
    (&[0x1f, 0x8b, 0x08], Archive::Gzip),
    (b"BZh", Archive::Bzip2),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Archive::Xz),
    (&[0x28, 0xb5, 0x2f, 0xfd], Archive::Zstd),
];

/// What begins like this; `None` for what is no archive.
pub(super) fn archive(start: &[u8]) -> Option<Archive> {
    let packed = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
    packed.map(|(_, kind)| *kind).or_else(|| tar(start).then_some(Archive::Tar))
}

/// Whether this is a tar header: its checksum is right.
fn tar(start: &[u8]) -> bool {
    let Some(header) = start.get(..512) else { return false };
    let Some(stored) = header.get(148..156).and_then(octal) else { return false };
    let plain = |at: usize, byte: u8| if (148..156).contains(&at) { b' ' } else { byte };
    let bytes = || header.iter().enumerate().map(|(at, byte)| plain(at, *byte));
    let unsigned: i64 = bytes().map(i64::from).sum();
    // Some old writers added signed characters.
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    stored == unsigned || stored == signed
}

fn octal(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches(|c: char| c == ' ' || c == '\0');
    i64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tar header for an empty file.
    pub(in super::super) fn header() -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..4].copy_from_slice(b"name");
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(b"00000000000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    #[test]
    fn archives_are_known_by_their_first_bytes() {
        for (start, kind) in [
            (&[0x1f, 0x8b, 8, 0, 0][..], Some(Archive::Gzip)),
            (b"BZh91AY", Some(Archive::Bzip2)),
            (b"\xfd7zXZ\0\0", Some(Archive::Xz)),
            (b"\x28\xb5\x2f\xfd\x24", Some(Archive::Zstd)),
            (b"FROM scratch\n", None),
            (b"", None),
            (&[0; 512], None),
        ] {
            assert_eq!(archive(start), kind, "{start:?}");
        }
        let mut tar = header();
        assert_eq!(archive(&tar), Some(Archive::Tar));
        assert_eq!(archive(&tar[..511]), None);
        tar[0] ^= 1;
        assert_eq!(archive(&tar), None, "a wrong checksum");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_fall_over(start: Vec<u8>) {
            let _ = archive(&start);
        }
    }
}
