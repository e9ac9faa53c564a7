//! Durations as people say them.

use std::time::Duration;

/// `0.4s`, `58.1s`, `1m12s`, `1h2m`: tenths below a minute, seconds below an hour.
pub fn human(duration: Duration) -> String {
    let tenths = rounded(duration, 100);
    if tenths == 0 && !duration.is_zero() {
        return "<0.1s".to_owned();
    }
    if tenths < 600 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = rounded(duration, 1000);
    if seconds < 3600 {
        return pair(seconds / 60, 'm', seconds % 60, 's');
    }
    let minutes = rounded(duration, 60_000);
    pair(minutes / 60, 'h', minutes % 60, 'm')
}

fn rounded(duration: Duration, unit_millis: u128) -> u128 {
    (duration.as_millis() + unit_millis / 2) / unit_millis
}

fn pair(large: u128, large_unit: char, small: u128, small_unit: char) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_people_say() {
        for (millis, text) in [
            (0, "0.0s"),
            (30, "<0.1s"),
            (400, "0.4s"),
            (58_149, "58.1s"),
            (59_949, "59.9s"),
            (59_950, "1m"),
            (72_000, "1m12s"),
            (61_499, "1m1s"),
            (3_599_500, "1h"),
            (3_720_000, "1h2m"),
            (90_000_000, "25h"),
        ] {
            assert_eq!(human(Duration::from_millis(millis)), text);
        }
        assert!(human(Duration::MAX).contains('h'));
    }
}
