//! Days of the calendar: when exceptions and ignores end, and versions of bases.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day, UTC; later days are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    /// From 1.
    month: u8,
    /// From 1.
    day: u8,
}

impl Day {
    /// A day that the caller knows to exist.
    pub const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }

    /// The day of a date that exists; `None` for 30 February.
    pub fn exact(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Self { year, month, day })
    }

    /// Reads `2027-02-01`; `None` for anything else and for days that do not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let form = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        if text.len() != 10 || !text.bytes().enumerate().all(form) {
            return None;
        }
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next()?.parse().ok()?;
        Self::exact(year, month, parts.next()?.parse().ok()?)
    }

    /// The day on which a moment lies.
    pub fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self::numbered(i64::try_from(seconds / (24 * 60 * 60)).unwrap_or(i64::MAX))
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self::numbered(self.number() + i64::from(days))
    }

    /// How many days lie between this and a later one; negative for an earlier one.
    pub fn days_until(self, later: Self) -> i64 {
        later.number() - self.number()
    }

    /// The day so many days after 1970-01-01; the last of all for what lies beyond it.
    ///
    /// Source of the method: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// `civil_from_days`.
    fn numbered(days: i64) -> Self {
        let shifted = days.saturating_add(719_468);
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = u16::try_from(year + era * 400 + i64::from(month <= 2));
        let small = |number: i64| u8::try_from(number).unwrap_or(1);
        year.map_or(Self::new(u16::MAX, 12, 31), |year| Self::new(year, small(month), small(day)))
    }

    /// Days since 1970-01-01, `days_from_civil` of the same source.
    fn number(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_days_that_exist() {
        for good in ["2027-02-01", "2024-02-29", "2000-02-29", "0001-12-31", "9999-12-31"] {
            assert_eq!(Day::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "2027-02-29",
            "1900-02-29",
            "2026-04-31",
            "2027-2-1",
            "2027-13-01",
            "2027-00-10",
            "2027-01-00",
            "20270201",
            "é027-02-1",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
        assert!(Day::parse("2026-12-31") < Day::parse("2027-01-01"));
    }

    #[test]
    fn days_are_counted_over_the_ends_of_months_and_years() {
        let day = Day::new;
        assert_eq!(day(2026, 12, 25).days_until(day(2027, 1, 8)), 14);
        assert_eq!(day(2027, 1, 8).days_until(day(2026, 12, 25)), -14);
        assert_eq!(day(2024, 2, 28).days_until(day(2024, 3, 1)), 2);
        assert_eq!(day(2024, 2, 28).plus_days(2), day(2024, 3, 1));
        assert_eq!(day(u16::MAX, 12, 31).plus_days(1), day(u16::MAX, 12, 31));
        assert_eq!(Day::of(UNIX_EPOCH), day(1970, 1, 1));
        let moment = UNIX_EPOCH + Duration::from_secs(1_795_316_138);
        assert_eq!(Day::of(moment), day(2026, 11, 22));
        // Every day of four centuries comes once.
        let mut before = Day::of(UNIX_EPOCH);
        for number in 1..146_097 {
            let next = Day::of(UNIX_EPOCH + Duration::from_secs(number * 86_400));
            assert_eq!((before.days_until(next), next.number()), (1, number.cast_signed()));
            assert_eq!(Day::parse(&next.to_string()), Some(next));
            before = next;
        }
    }
}
