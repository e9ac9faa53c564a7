//! Days of the calendar, for the ends of exceptions.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// A day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

impl Date {
    /// The day of a date that exists; `None` for 30 February.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { days: days(i64::from(year), i64::from(month), i64::from(day)) };
        (date.parts() == (i64::from(year), i64::from(month), i64::from(day))).then_some(date)
    }

    /// The day on which a moment lies.
    pub fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { days: i64::try_from(seconds / DAY).unwrap_or(i64::MAX / 2) }
    }

    /// How many days lie between this and a later one; negative for an earlier one.
    pub fn days_until(self, later: Self) -> i64 {
        later.days.saturating_sub(self.days)
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self { days: self.days.saturating_add(days) }
    }

    /// Year, month and day. Source of the method: Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", `civil_from_days`.
    fn parts(self) -> (i64, i64, i64) {
        let shifted = self.days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (year + era * 400 + i64::from(month <= 2), month, day)
    }
}

/// Days since 1970-01-01, `days_from_civil` of the same source.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_days_that_exist() {
        for (year, month, day) in [(1970, 1, 1), (2024, 2, 29), (2000, 2, 29), (9999, 12, 31)] {
            let date = Date::new(year, month, day).unwrap();
            assert_eq!(date.to_string(), format!("{year:04}-{month:02}-{day:02}"));
        }
        for (year, month, day) in [(2026, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 13, 1)] {
            assert_eq!(Date::new(year, month, day), None);
        }
        assert_eq!(Date::new(2026, 0, 1), None);
        assert_eq!(Date::new(2026, 1, 0), None);
    }

    #[test]
    fn days_are_counted_over_the_ends_of_months_and_years() {
        let date = |y, m, d| Date::new(y, m, d).unwrap();
        assert_eq!(date(2026, 12, 25).days_until(date(2027, 1, 8)), 14);
        assert_eq!(date(2027, 1, 8).days_until(date(2026, 12, 25)), -14);
        assert_eq!(date(2024, 2, 28).plus_days(2), date(2024, 3, 1));
        let moment = UNIX_EPOCH + Duration::from_secs(1_795_316_138);
        assert_eq!(Date::of(moment), date(2026, 11, 22));
    }
}
