//! Whether a download is an archive, decided as BuildKit's frontends do.

/// How many bytes the decision needs.
pub(super) const HEADER: usize = 1024;
/// A tar header's length, in bytes.
const BLOCK: usize = 512;
/// Where its checksum stands.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// bzip2, gzip and xz by their first bytes, tar by its checksum.
///
/// Source: moby/buildkit, frontend/dockerui/context.go, `isArchive`.
pub(super) fn is_archive(header: &[u8]) -> bool {
    let magics: [&[u8]; 3] = [b"BZh", &[0x1f, 0x8b, 0x08], &[0xfd, b'7', b'z', b'X', b'Z', 0x00]];
    magics.iter().any(|magic| header.starts_with(magic)) || is_tar(header)
}

/// Source: POSIX.1-1988, ustar: the sum of all bytes with the checksum read as spaces.
fn is_tar(header: &[u8]) -> bool {
    let Some(block) = header.get(..BLOCK) else { return false };
    let Some(field) = block.get(CHECKSUM) else { return false };
    let digits: Vec<u8> = field.iter().copied().filter(|byte| !matches!(byte, b' ' | 0)).collect();
    let written = std::str::from_utf8(&digits).ok().and_then(|d| i64::from_str_radix(d, 8).ok());
    let sum = |value: fn(u8) -> i64| -> i64 {
        let bytes = block.iter().enumerate();
        bytes.map(|(n, byte)| value(if CHECKSUM.contains(&n) { b' ' } else { *byte })).sum()
    };
    // Old tars summed signed bytes.
    let signed = |byte: u8| i64::from(byte.cast_signed());
    written.is_some_and(|written| written == sum(i64::from) || written == sum(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as tar writes it.
    pub(super) fn tar_header() -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..10].copy_from_slice(b"Dockerfile");
        block[100..107].copy_from_slice(b"0000644");
        block[CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    #[test]
    fn archives_are_told_from_texts() {
        assert!(is_archive(b"BZh91AY"));
        assert!(is_archive(&[0x1f, 0x8b, 0x08, 0x00]));
        assert!(is_archive(&tar_header()));
        for text in [&b"FROM scratch\n"[..], b"", b"\x1f\x8b", &[0; 1024], &[b'x'; 600]] {
            assert!(!is_archive(text));
        }
        let mut damaged = tar_header();
        damaged[0] = b'd';
        assert!(!is_archive(&damaged));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = is_archive(&bytes);
        }
    }
}
