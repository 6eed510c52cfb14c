//! Time is passed in.

use jiff::Timestamp;

/// Where the current time comes from. The real one lives in `waybill-runtime`.
pub trait Clock: Send + Sync {
    /// The current instant, UTC.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still; for tests and simulations.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
