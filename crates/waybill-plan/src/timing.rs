//! When a change is written. Pure.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _, Zoned, civil::Time, tz::TimeZone};

/// When a change is written, counted from the first change that the system does not have yet, so that constant edits
/// cannot starve it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Timing {
    /// At once.
    #[default]
    AtOnce,
    /// At the next full multiple of so long a time, counted from midnight UTC.
    Every(Duration),
    /// At this time of day.
    At(Time, TimeZone),
    /// After so long a time, so that quick edits settle.
    Hold(Duration),
}

impl Timing {
    /// When a change of this moment is due. A time of day that a clock change skips is due when the clock has passed
    /// it; one that it repeats is due the first time.
    pub fn due(&self, changed_at: Timestamp) -> Timestamp {
        match self {
            Self::AtOnce => changed_at,
            Self::Hold(time) => changed_at.checked_add(*time).unwrap_or(Timestamp::MAX),
            Self::Every(time) => {
                let step = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).max(1);
                let next = (changed_at.as_second().div_euclid(step) + 1).saturating_mul(step);
                Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
            }
            Self::At(time, zone) => {
                let changed = changed_at.to_zoned(zone.clone());
                next_at(&changed, *time).map_or(Timestamp::MAX, |due| due.timestamp())
            }
        }
    }
}

/// The first instant after this one at which the clock shows the time.
fn next_at(after: &Zoned, time: Time) -> Option<Zoned> {
    let mut day = after.date();
    for _ in 0..3 {
        let due = day.to_datetime(time).to_zoned(after.time_zone().clone()).ok()?;
        if due > *after {
            return Some(due);
        }
        day = day.checked_add(1.day()).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{Timestamp, civil::time, tz::TimeZone};

    use super::Timing;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn nightly() -> Timing {
        Timing::At(time(2, 0, 0, 0), TimeZone::get("Europe/Vienna").unwrap())
    }

    #[test]
    fn nightly_is_the_next_two_o_clock_of_the_zone() {
        assert_eq!(nightly().due(at("2026-11-21T10:00:00Z")), at("2026-11-22T01:00:00Z"));
        assert_eq!(nightly().due(at("2026-11-22T01:00:00Z")), at("2026-11-23T01:00:00Z"), "two o'clock itself is past");
        assert_eq!(nightly().due(at("2026-07-01T00:00:01Z")), at("2026-07-02T00:00:00Z"), "in summer an hour earlier");
    }

    #[test]
    fn a_time_that_the_clock_skips_is_due_after_the_change_and_a_repeated_one_once() {
        // In 2027 the clocks of Vienna go from 02:00 to 03:00 on 28 March, and from 03:00 to 02:00 on 31 October.
        assert_eq!(nightly().due(at("2027-03-27T12:00:00Z")), at("2027-03-28T01:00:00Z"));
        assert_eq!(nightly().due(at("2027-10-30T12:00:00Z")), at("2027-10-31T00:00:00Z"));
        assert_eq!(nightly().due(at("2027-10-31T00:30:00Z")), at("2027-11-01T01:00:00Z"));
    }

    #[test]
    fn intervals_and_holds_count_from_the_first_change() {
        let quarter = Timing::Every(Duration::from_secs(900));
        assert_eq!(quarter.due(at("2026-11-21T10:01:00Z")), at("2026-11-21T10:15:00Z"));
        assert_eq!(quarter.due(at("2026-11-21T10:15:00Z")), at("2026-11-21T10:30:00Z"));
        let hold = Timing::Hold(Duration::from_secs(600));
        assert_eq!(hold.due(at("2026-11-21T10:01:00Z")), at("2026-11-21T10:11:00Z"));
        assert_eq!(Timing::AtOnce.due(at("2026-11-21T10:01:00Z")), at("2026-11-21T10:01:00Z"));
    }
}
