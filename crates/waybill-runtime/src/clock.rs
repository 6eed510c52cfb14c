//! The real clock.

use jiff::Timestamp;
use waybill_domain::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the real time enters")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
