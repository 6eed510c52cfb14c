//! Whether the watch hears the services: what it does not hear of is told by their silence, unless it is itself deaf.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Services report every few seconds; a watch that did not look or hear for so long has stood still, or was deaf.
const BREAK: SignedDuration = SignedDuration::from_secs(15);
/// Whoever is not heard for so long is not there.
pub(crate) const SILENT: SignedDuration = SignedDuration::from_secs(45);

/// What can be made of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    /// It has heard for long enough: who is silent is not there.
    Well,
    /// It began to hear a moment ago, or has heard nobody since then: who is there may not have been heard.
    Lately,
    /// It hears nobody, not even itself, since then.
    Nobody(Timestamp),
}

/// What this process has heard.
#[derive(Debug)]
pub(crate) struct Hearing(Mutex<Times>);

#[derive(Debug, Clone, Copy)]
struct Times {
    /// Since when it hears without a break.
    since: Timestamp,
    heard: Timestamp,
    looked: Timestamp,
}

impl Hearing {
    /// From now on.
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Times { since: now, heard: now, looked: now }))
    }

    /// A report came.
    pub(crate) fn heard(&self, now: Timestamp) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(times.heard) > BREAK {
            times.since = now;
        }
        times.heard = now;
    }

    /// Asked again and again.
    pub(crate) fn look(&self, now: Timestamp) -> Hears {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(times.looked) > BREAK || now < times.looked {
            // This process stood still, or its clock was set. What was said meanwhile is lost or on its way.
            (times.since, times.heard) = (now, now);
        }
        times.looked = now;
        if now.duration_since(times.heard) > SILENT {
            Hears::Nobody(times.heard)
        } else if now.duration_since(times.since) < SILENT || now.duration_since(times.heard) > BREAK {
            Hears::Lately
        } else {
            Hears::Well
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// Hears and looks every five seconds.
    fn usual(hearing: &Hearing, seconds: std::ops::Range<i64>) -> Hears {
        let mut hears = Hears::Lately;
        for second in seconds.step_by(5) {
            hearing.heard(at(second));
            hears = hearing.look(at(second));
        }
        hears
    }

    #[test]
    fn silences_count_once_it_has_heard_for_long_enough() {
        let hearing = Hearing::new(at(0));
        assert_eq!(usual(&hearing, 0..45), Hears::Lately);
        assert_eq!(usual(&hearing, 45..60), Hears::Well);
    }

    #[test]
    fn a_watch_that_stood_still_blames_nobody() {
        let hearing = Hearing::new(at(0));
        assert_eq!(usual(&hearing, 0..60), Hears::Well);
        assert_eq!(hearing.look(at(140)), Hears::Lately, "nothing was heard because it did not run");
        assert_eq!(usual(&hearing, 140..180), Hears::Lately);
        assert_eq!(usual(&hearing, 180..200), Hears::Well);
    }

    #[test]
    fn a_road_that_is_down_is_told_as_that_and_is_no_systems_fault_afterwards() {
        let hearing = Hearing::new(at(0));
        assert_eq!(usual(&hearing, 0..60), Hears::Well);
        let deaf: Vec<Hears> = (60..110).step_by(5).map(|second| hearing.look(at(second))).collect();
        assert_eq!((deaf[0], deaf[3], deaf[9]), (Hears::Well, Hears::Lately, Hears::Nobody(at(55))));
        assert_eq!(usual(&hearing, 110..150), Hears::Lately);
        assert_eq!(usual(&hearing, 150..170), Hears::Well);
    }
}
