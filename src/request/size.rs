//! Sizes as docker reads them: `64m`, `2 GiB`, `1.5g`, in powers of 1024.

/// Reads a size, in bytes.
pub(super) fn bytes(text: &str) -> Result<i64, String> {
    let invalid = || format!("invalid size: {text:?}");
    let end =
        text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(invalid)?;
    let (number, suffix) = text.split_at(end + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let number: f64 = number.parse().map_err(|_| invalid())?;
    if !number.is_finite() || number.is_sign_negative() {
        return Err(invalid());
    }
    let factor = match suffix.to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return Err(format!("invalid suffix: {suffix:?}")),
    };
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as Go does")]
    Ok((number * factor as f64) as i64)
}

/// Reads a size of which `-1` means without limit.
pub(super) fn bytes_or_unlimited(text: &str) -> Result<i64, String> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, expected) in [
            ("0", 0),
            ("64m", 64 << 20),
            ("64M", 64 << 20),
            ("2gb", 2 << 30),
            ("2 GiB", 2 << 30),
            ("1.5k", 1536),
            ("10b", 10),
            ("1t", 1 << 40),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for bad in ["", "m", "-1", "1x", "1kbb", "1bb", "1 2", "1.2.3", "m1m", "-5k"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(bytes_or_unlimited("-1"), Ok(-1));
    }

    proptest! {
        #[test]
        fn any_text_is_a_size_or_none(text in "\\PC*") {
            if let Ok(size) = bytes(&text) {
                prop_assert!(size >= 0);
            }
        }
    }
}
