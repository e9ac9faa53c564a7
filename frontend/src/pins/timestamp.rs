//! When a pin was resolved.

use std::fmt;

use crate::day::Day;

/// A moment in UTC to the second, as RFC 3339 writes it: `2026-11-21T23:00:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// Reads `YYYY-MM-DDThh:mm:ssZ`; `None` for anything else, other offsets included.
    pub fn parse(text: &str) -> Option<Self> {
        let shape = "0000-00-00T00:00:00Z";
        let fits = text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, like)| {
                if like == b'0' { byte.is_ascii_digit() } else { byte == like }
            });
        if !fits {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
        let day = Day::parse(text.get(..10)?);
        let clock = number(11, 13)? < 24 && number(14, 16)? < 60 && number(17, 19)? < 60;
        (clock && day.is_some()).then(|| Self(text.to_owned()))
    }

    /// 1970, for a clock that tells no date the format can hold.
    pub fn epoch() -> Self {
        Self("1970-01-01T00:00:00Z".to_owned())
    }

    /// The text, `2026-11-21T23:00:00Z`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_moments() {
        for good in ["2026-11-21T23:00:00Z", "2024-02-29T00:00:59Z"] {
            assert_eq!(Timestamp::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2026-11-21T23:00:00",
            "2026-11-21 23:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01T00:00:00.5Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
