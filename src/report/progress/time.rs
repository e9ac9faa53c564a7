//! Points in time as the engine sends them.

use std::time::Duration;

use bollard_buildkit_proto::google::protobuf::Timestamp;

/// A point in time in nanoseconds since the Unix epoch.
///
/// Wide enough that no timestamp an engine could send overflows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i128);

impl Moment {
    /// The moment of a timestamp; a missing one is the epoch, as protobuf has it.
    pub(crate) fn or_epoch(timestamp: Option<&Timestamp>) -> Self {
        timestamp.map_or(Self(0), Self::from)
    }

    /// This much later.
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)))
    }

    /// This much earlier.
    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)))
    }

    /// The time from `earlier` to `self`, nothing when the clock went back.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Seconds from `earlier` to `self`, negative when the clock went back,
    /// clamped to the ±292 years a Go duration holds.
    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        let nanos = (self.0 - earlier.0).clamp(i64::MIN.into(), i64::MAX.into());
        // Whole seconds and the rest apart, so that rounding to one digit
        // agrees with buildx for every input.
        #[expect(clippy::cast_precision_loss, reason = "as Go's Duration.Seconds")]
        let (whole, rest) = ((nanos / NANOS) as f64, (nanos % NANOS) as f64);
        whole + rest / 1e9
    }
}

const NANOS: i128 = 1_000_000_000;

impl From<&Timestamp> for Moment {
    fn from(timestamp: &Timestamp) -> Self {
        Self(i128::from(timestamp.seconds) * NANOS + i128::from(timestamp.nanos))
    }
}

/// Where "now" comes from: a monotonic clock with any origin.
///
/// Only the pace of the output depends on it; every time that is printed comes
/// from the engine.
pub trait Clock {
    /// The time since the origin of this clock.
    fn now(&self) -> Duration;
}

/// The clock of the machine, starting at its creation.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(std::time::Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for std::rc::Rc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> Moment {
        Moment::from(&Timestamp { seconds, nanos })
    }

    #[test]
    fn differences_are_signed_seconds() {
        assert_eq!(at(10, 500_000_000).seconds_since(at(10, 0)), 0.5);
        assert_eq!(at(10, 0).seconds_since(at(10, 250_000_000)), -0.25);
        assert_eq!(at(5, 0).seconds_since(Moment::or_epoch(None)), 5.0);
    }

    #[test]
    fn absurd_timestamps_are_clamped() {
        let far = at(i64::MAX, i32::MAX).seconds_since(at(i64::MIN, i32::MIN));
        assert!(far > 9.2e9 && far < 9.3e9);
    }
}
