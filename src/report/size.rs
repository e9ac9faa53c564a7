//! Sizes and digests as people read them.

/// A byte count in decimal megabytes: `0 MB`, `<0.1 MB`, `0.4 MB`, `214 MB`; in
/// gigabytes from 10 GB on.
pub fn megabytes(bytes: u64) -> String {
    const TENTH: u64 = 100_000;
    // Rounded in whole numbers, so that a limit is never crossed by a float.
    let tenths = bytes / TENTH + u64::from(bytes % TENTH >= TENTH / 2);
    match tenths {
        0 if bytes == 0 => "0 MB".to_owned(),
        0 => "<0.1 MB".to_owned(),
        1..100 => format!("{}.{} MB", tenths / 10, tenths % 10),
        100..100_000 => format!("{} MB", (tenths + 5) / 10),
        _ => format!("{}.{} GB", tenths / 10_000, tenths % 10_000 / 1000),
    }
}

/// A digest shortened for eyes, `sha256:3f0c9a…`; anything else stays as it is.
pub fn short_digest(digest: &str) -> String {
    const SHOWN: usize = 6;
    match digest.split_once(':') {
        Some((algorithm, hex))
            if hex.len() > SHOWN && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            let start = hex.get(..SHOWN).unwrap_or(hex);
            format!("{algorithm}:{start}…")
        }
        _ => digest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_at_the_edges() {
        for (bytes, text) in [
            (0, "0 MB"),
            (1, "<0.1 MB"),
            (50_000, "0.1 MB"),
            (400_000, "0.4 MB"),
            (9_949_999, "9.9 MB"),
            (9_950_000, "10 MB"),
            (214_000_000, "214 MB"),
            (9_999_900_000, "10000 MB"),
            (10_000_000_000, "10.0 GB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(megabytes(bytes), text);
        }
    }

    #[test]
    fn only_digests_are_shortened() {
        assert_eq!(short_digest("sha256:3f0c9ad1e2"), "sha256:3f0c9a…");
        for text in ["sha256:3f", "app:latest-of-all", "", ":", "sha256:éééééé"] {
            assert_eq!(short_digest(text), text);
        }
    }
}
