//! How times, states and codes read, on pages and on a terminal alike.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::time::SystemTime;
use waybill_domain::cause;
use waybill_proto::wire::{State, system_report::Condition};

/// The word for a state. One that this version does not know is `unknown`.
pub const fn state(state: State) -> &'static str {
    match state {
        State::Unspecified => "unknown",
        State::Pending => "pending",
        State::Applying => "applying",
        State::Waiting => "waiting",
        State::Applied => "applied",
        State::Superseded => "superseded",
        State::Ignored => "ignored",
        State::Parked => "parked",
    }
}

/// The state that a word names.
pub fn state_named(word: &str) -> Option<State> {
    const ALL: [State; 7] = [
        State::Pending,
        State::Applying,
        State::Waiting,
        State::Applied,
        State::Superseded,
        State::Ignored,
        State::Parked,
    ];
    ALL.into_iter().find(|known| state(*known) == word)
}

/// The words for a system's condition.
pub const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Unspecified => "unknown",
        Condition::Serving => "serving",
        Condition::Unauthorized => "credentials refused",
        Condition::Unavailable => "not answering",
        Condition::Paused => "paused",
        Condition::Asking => "asks first",
    }
}

/// What a code means and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// One line for a heading.
    pub title: &'a str,
    /// What it means for the business.
    pub meaning: &'a str,
    /// What to do.
    pub action: &'a str,
}

/// Explains a code: ours from [`cause::CAUSES`], a vendor's by saying that it is the vendor's.
pub fn explain(code: &str) -> Explanation<'_> {
    match cause::of(code) {
        Some(cause) => Explanation { title: cause.title, meaning: cause.meaning, action: cause.action },
        None if code.is_empty() => Explanation {
            title: "No code was given",
            meaning: "The service said no more than the message.",
            action: "Look at the message and the steps; then `waybill parked retry` or `discard`.",
        },
        None => Explanation {
            title: code,
            meaning: "The system refuses the record with a code of its own.",
            action: "Look the code up with the vendor, mend the record, the system or the plan; \
                     then `waybill parked retry`.",
        },
    }
}

/// An instant from the wire; none if it is absent or outside the years −9999 to 9999.
pub fn instant<T>(time: Option<T>) -> Option<Timestamp>
where
    SystemTime: TryFrom<T>,
{
    Timestamp::try_from(SystemTime::try_from(time?).ok()?).ok()
}

/// A time as seen from now: `42 s ago`, `3 min ago`, `in 2 h`.
pub fn relative(time: Timestamp, now: Timestamp) -> String {
    let distance = now.duration_since(time);
    if distance.as_secs() == 0 {
        return "now".to_owned();
    }
    let length = length(distance.abs());
    if distance.is_negative() { format!("in {length}") } else { format!("{length} ago") }
}

fn length(distance: SignedDuration) -> String {
    match distance.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..86_400 => match (seconds / 3_600, seconds % 3_600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A time on the wall: `2026-11-21 14:03:05 +01:00`.
pub fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// `1 record`, `2 records`, `2 deliveries`.
pub fn count(number: i64, one: &str) -> String {
    match one.strip_suffix('y') {
        _ if number == 1 => format!("1 {one}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp, tz::TimeZone};
    use waybill_proto::{convert::to_timestamp, wire::State};

    fn ago(seconds: i64) -> String {
        let now = Timestamp::UNIX_EPOCH;
        super::relative(now - SignedDuration::from_secs(seconds), now)
    }

    #[test]
    fn times_read_as_people_say_them() {
        let read = [0, 42, 185, 7_200, 7_260, 200_000, -90].map(ago);
        assert_eq!(read, ["now", "42 s ago", "3 min ago", "2 h ago", "2 h 1 min ago", "2 d ago", "in 1 min"]);
    }

    #[test]
    fn local_times_say_which_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(super::local(Timestamp::UNIX_EPOCH, &zone), "1970-01-01 01:00:00 +01:00");
    }

    #[test]
    fn times_come_from_the_wire_unchanged() {
        let time: Timestamp = "2026-11-21T14:03:05.25Z".parse().unwrap();
        assert_eq!(super::instant(Some(to_timestamp(time))), Some(time));
        assert_eq!(super::instant(Some(to_timestamp(time)).filter(|_| false)), None);
    }

    #[test]
    fn numbers_take_their_plural() {
        assert_eq!([super::count(1, "delivery"), super::count(0, "delivery")], ["1 delivery", "0 deliveries"]);
        assert_eq!(super::count(2, "record"), "2 records");
    }

    #[test]
    fn each_word_names_its_state() {
        assert_eq!(super::state_named("parked"), Some(State::Parked));
        assert_eq!(super::state_named("unknown"), None);
    }

    #[test]
    fn a_vendors_code_is_not_passed_off_as_ours() {
        assert_eq!(super::explain("unknown_item").title, "The system does not know an item");
        assert_eq!(super::explain("E4711").title, "E4711");
    }
}
