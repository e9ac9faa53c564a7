//! How often updates reach the screen.

use std::time::Duration;

/// Lets one event pass per interval; the next after a pause passes at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limiter {
    interval: Duration,
    passed: Option<Duration>,
}

impl Limiter {
    /// A limiter that passes its first event.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, passed: None }
    }

    /// Whether the event at `now` may pass; time that goes back passes nothing.
    pub(crate) fn allow(&mut self, now: Duration) -> bool {
        let due = self.passed.is_none_or(|passed| now >= passed.saturating_add(self.interval));
        if due {
            self.passed = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_one_event_per_interval() {
        let mut limiter = Limiter::new(Duration::from_millis(100));
        let passed: Vec<u64> = (0..30)
            .map(|step| step * 10)
            .filter(|&at| limiter.allow(Duration::from_millis(at)))
            .collect();
        assert_eq!(passed, [0, 100, 200]);
    }
}
