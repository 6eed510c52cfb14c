//! The cost limit: a leaky bucket that restores so many points a second.
//!
//! Source: shopify.dev, "GraphQL Admin API rate limits": a query needs its requested cost to be available, and is
//! charged its actual one.

use serde_json::{Value, json};

/// What one app may spend in one store.
#[derive(Debug)]
pub(crate) struct Bucket {
    maximum: f64,
    restore_rate: f64,
    available: f64,
    at_ms: i64,
}

impl Bucket {
    /// A full bucket of so many points that restores so many a second.
    pub(crate) fn new(maximum: u32, restore_rate: u32) -> Self {
        let maximum = f64::from(maximum);
        Self { maximum, restore_rate: f64::from(restore_rate), available: maximum, at_ms: 0 }
    }

    fn restore(&mut self, now_ms: i64) {
        let seconds = (now_ms - self.at_ms).max(0) as f64 / 1000.0;
        self.available = (self.available + seconds * self.restore_rate).min(self.maximum);
        self.at_ms = now_ms;
    }

    /// Whether a query of this cost may run now.
    pub(crate) fn allows(&mut self, requested: u64, now_ms: i64) -> bool {
        self.restore(now_ms);
        self.available >= requested as f64
    }

    /// Charges what a query cost.
    pub(crate) fn charge(&mut self, actual: u64) {
        self.available = (self.available - actual as f64).max(0.0);
    }

    /// `extensions.cost`, as answers carry it. A throttled query has no actual cost.
    pub(crate) fn cost(&self, requested: u64, actual: Option<u64>) -> Value {
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.maximum as u64,
                "currentlyAvailable": self.available as u64,
                "restoreRate": self.restore_rate as u64,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;

    #[test]
    fn points_come_back_with_time_and_no_more_than_fit() {
        let mut bucket = Bucket::new(1000, 100);
        assert!(bucket.allows(1000, 0));
        bucket.charge(1000);
        assert!(!bucket.allows(50, 400));
        assert!(bucket.allows(50, 500));
        assert!(bucket.allows(1000, 60_000));
        assert!(!bucket.allows(1001, 120_000));
    }
}
