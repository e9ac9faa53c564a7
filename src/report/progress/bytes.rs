//! Byte counts in progress lines: `64B`, `10.55MB`.

/// Decimal units, up to the largest an `i64` reaches.
const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// A byte count as buildx prints it: whole bytes below 1000, else two decimals
/// of the largest decimal unit that fits.
pub(crate) fn bytes(count: i64) -> String {
    let magnitude = count.unsigned_abs();
    let mut scale: u64 = 1;
    let mut unit = "B";
    for next in UNITS {
        match scale.checked_mul(1000) {
            Some(larger) if magnitude >= larger => (scale, unit) = (larger, next),
            _ => break,
        }
    }
    if scale == 1 {
        return format!("{count}B");
    }
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let value = count as f64 / scale as f64;
    format!("{value:.2}{unit}")
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn units_change_at_powers_of_a_thousand() {
        for (count, text) in [
            (0, "0B"),
            (64, "64B"),
            (999, "999B"),
            (1000, "1.00kB"),
            (1234, "1.23kB"),
            (10_551_300, "10.55MB"),
            (20_000_000, "20.00MB"),
            (999_999, "1000.00kB"),
            (3_500_000_000, "3.50GB"),
            (i64::MAX, "9.22EB"),
            (-5, "-5B"),
            (-1500, "-1.50kB"),
            (i64::MIN, "-9.22EB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn ties_round_to_even_as_in_buildx() {
        assert_eq!(bytes(1125), "1.12kB");
        assert_eq!(bytes(1375), "1.38kB");
    }
}
