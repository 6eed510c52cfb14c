//! The store's clock. Shopify keeps whole seconds.

use jiff::{Timestamp, tz::Offset};

/// An instant, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "the simulated store is an outside party with a clock of its own")]
    pub(crate) fn now() -> Self {
        Self::at(Timestamp::now())
    }

    /// An instant without its fraction of a second.
    pub(crate) fn at(instant: Timestamp) -> Self {
        Self(Timestamp::from_second(instant.as_second()).unwrap_or(instant))
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn second(self) -> i64 {
        self.0.as_second()
    }

    /// `2026-06-22T21:37:28Z`, as GraphQL writes it.
    pub(crate) fn utc(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `2026-06-22T22:37:28+01:00`, as webhook bodies write it: in the shop's time zone, here one hour ahead of UTC.
    pub(crate) fn local(self) -> String {
        self.0.to_zoned(Offset::constant(1).to_time_zone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// The current time with its fraction, as `X-Shopify-Triggered-At` carries it.
#[expect(clippy::disallowed_methods, reason = "the simulated store is an outside party with a clock of its own")]
pub(crate) fn precise_now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn the_same_second_is_written_in_both_ways() {
        let moment = Moment::at("2026-06-22T21:37:28.987Z".parse().unwrap());
        assert_eq!(moment.utc(), "2026-06-22T21:37:28Z");
        assert_eq!(moment.local(), "2026-06-22T22:37:28+01:00");
        assert_eq!(moment.second(), 1_782_164_248);
    }
}
