//! How long to wait before the next try: data, and a pure function.

use std::time::Duration;

/// A retry schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The ceiling after the first failure; it doubles with each.
    pub(crate) base: Duration,
    /// The highest ceiling.
    pub(crate) most: Duration,
    /// After so many tries a delivery is parked.
    pub(crate) tries: i32,
}

/// Full jitter from 1 s to 1 h, 20 tries.
pub(crate) const DEFAULT: Backoff =
    Backoff { base: Duration::from_secs(1), most: Duration::from_secs(3600), tries: 20 };

impl Backoff {
    /// The wait after `failures` failures (1 or more); `random` is uniform in 0..1. Never under a tenth of the ceiling,
    /// so that a lucky draw does not hammer a failing vendor.
    pub(crate) fn delay(&self, failures: i32, random: f64) -> Duration {
        let doublings = u32::try_from(failures.max(1) - 1).unwrap_or(0).min(20);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.most);
        ceiling.mul_f64(random.clamp(0.1, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::DEFAULT;

    #[test]
    fn the_ceiling_doubles_up_to_an_hour() {
        assert_eq!(DEFAULT.delay(1, 1.0), Duration::from_secs(1));
        assert_eq!(DEFAULT.delay(5, 1.0), Duration::from_secs(16));
        assert_eq!(DEFAULT.delay(40, 1.0), Duration::from_secs(3600));
        assert_eq!(DEFAULT.delay(5, 0.0), Duration::from_millis(1600));
    }
}
