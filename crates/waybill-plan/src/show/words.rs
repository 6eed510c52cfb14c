//! Words that several tables share.

use std::time::Duration;

use jiff::civil::Time;

use crate::{plan::OnConflict, timing::Timing};

const DAY: u64 = 86_400;

/// `a, b and c`.
pub(super) fn list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `1 store`, `2 stores`.
pub(super) fn count(number: u32, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `10 min`, `1 h 30 min`; days from two on.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, rest) = if seconds >= 2 * DAY { (seconds / DAY, seconds % DAY) } else { (0, seconds) };
    let parts = [(days, "d"), (rest / 3600, "h"), (rest % 3600 / 60, "min"), (rest % 60, "s")];
    let said: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

/// `02:00`.
pub(super) fn time_of_day(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

/// When a change is written, for a system.
pub(super) fn timing(timing: &Timing, to: &str) -> String {
    match timing {
        Timing::AtOnce => "at once".to_owned(),
        Timing::Every(time) => {
            let from =
                if DAY.is_multiple_of(time.as_secs().max(1)) { "midnight UTC" } else { "1970-01-01, midnight UTC" };
            format!("every {}, counted from {from}", duration(*time))
        }
        Timing::At(time, zone) => {
            format!("at {} {}", time_of_day(*time), zone.iana_name().unwrap_or("in a zone without a name"))
        }
        Timing::Hold(time) => format!(
            "{} after the first change that {to} does not have yet; further changes go with it and do not put it off",
            duration(*time)
        ),
    }
}

/// The same, short enough for an arrow; nothing for what is written at once.
pub(super) fn timing_in_short(timing: &Timing) -> Option<String> {
    match timing {
        Timing::AtOnce => None,
        Timing::Every(time) => Some(format!("every {}", duration(*time))),
        Timing::At(time, zone) => Some(format!("at {} {}", time_of_day(*time), zone.iana_name().unwrap_or("?"))),
        Timing::Hold(time) => Some(format!("held {}", duration(*time))),
    }
}

/// What a kind's `on_conflict` asks for, whatever the system.
pub(super) const fn on_conflict(choice: OnConflict) -> &'static str {
    match choice {
        OnConflict::Owner => "the owner's value stands",
        OnConflict::Park => "a person chooses",
        OnConflict::Theirs => "the system's value stays",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{civil::time, tz::TimeZone};

    use super::{Timing, duration, list, timing};

    #[test]
    fn lengths_of_time_read_as_people_say_them() {
        let read = [0, 5, 90, 600, 5400, 86_400, 90_000, 172_800, 180_000].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(read, ["0 s", "5 s", "1 min 30 s", "10 min", "1 h 30 min", "24 h", "25 h", "2 d", "2 d 2 h"]);
    }

    #[test]
    fn lists_end_with_and() {
        assert_eq!(
            [list::<&str>(&[]), list(&["a"]), list(&["a", "b"]), list(&["a", "b", "c"])],
            ["", "a", "a and b", "a, b and c"]
        );
    }

    #[test]
    fn timings_say_from_where_they_count() {
        let minutes = |number: u64| Duration::from_secs(number * 60);
        assert_eq!(timing(&Timing::Every(minutes(15)), "erp"), "every 15 min, counted from midnight UTC");
        // Seven hours do not divide a day: midnight is not always one of the instants.
        assert_eq!(timing(&Timing::Every(minutes(420)), "erp"), "every 7 h, counted from 1970-01-01, midnight UTC");
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        assert_eq!(timing(&Timing::At(time(2, 0, 0, 0), vienna), "erp"), "at 02:00 Europe/Vienna");
        assert_eq!(
            timing(&Timing::Hold(minutes(10)), "erp"),
            "10 min after the first change that erp does not have yet; further changes go with it and do not put it off"
        );
    }
}
