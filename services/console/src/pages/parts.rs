//! Pieces that several pages show.

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use url::form_urlencoded;
use waybill_proto::wire::{RecordKey, State, system_report::Condition};

use super::layout::Frame;
use crate::{services::written, words};

/// A time from now, with the time on the wall behind it.
pub(super) fn time(time: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> Markup {
    html! {
        @match time {
            Some(time) => time datetime=(time) title=(words::local(time, zone)) { (words::relative(time, now)) },
            None => span.faint { "–" },
        }
    }
}

/// A state's chip: its word, and a colour that only repeats it.
pub(super) fn state(state: State) -> Markup {
    let tone = match state {
        State::Applied => "good",
        State::Parked => "bad",
        State::Waiting => "warn",
        State::Pending | State::Applying => "busy",
        State::Superseded | State::Ignored | State::Unspecified => "calm",
    };
    html! { span class={ "chip " (tone) } { (words::state(state)) } }
}

/// A condition's chip.
pub(super) fn condition(condition: Condition) -> Markup {
    let tone = match condition {
        Condition::Serving => "good",
        Condition::Unauthorized | Condition::Unavailable => "bad",
        Condition::Paused | Condition::Asking => "warn",
        Condition::Unspecified => "calm",
    };
    html! { span class={ "chip " (tone) } { (words::condition(condition)) } }
}

/// A text in which `` `commands` `` stand between backticks.
pub(super) fn spoken(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// What a code means and what to do.
pub(super) fn explanation(meaning: &str, action: &str) -> Markup {
    html! {
        dl.explanation {
            dt { "Meaning" } dd { (spoken(meaning)) }
            dt { "Do" } dd { (spoken(action)) }
        }
    }
}

/// A record's page.
pub(super) fn record_path(key: &RecordKey) -> String {
    let mut url = url::Url::parse("http://console").expect("a valid URL");
    url.path_segments_mut().expect("an http URL has segments").extend(["waybills", &key.store, &key.kind, &key.id]);
    url.path().to_owned()
}

/// A link to a record by what people call it, with its key beside it; by its key where it has no name.
pub(super) fn record(key: &RecordKey, name: &str) -> Markup {
    let written = written(key);
    html! {
        @if name.is_empty() || name == key.id {
            a.id href=(record_path(key)) { (written) }
        } @else {
            a href=(record_path(key)) { (name) } " " span.id { (written) }
        }
    }
}

/// A number; nothing is shown in a low voice, so that something stands out.
pub(super) fn number(number: i64) -> Markup {
    html! { @if number == 0 { span.faint { "0" } } @else { (number) } }
}

/// A path with a query of the parts that are not empty.
pub(super) fn with_query(path: &str, parts: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parts.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// What a form that acts on parked deliveries carries.
pub(super) fn selection(frame: &Frame, system: &str, code: &str, record: Option<&RecordKey>) -> Markup {
    html! {
        input type="hidden" name="form" value=(frame.form);
        input type="hidden" name="system" value=(system);
        input type="hidden" name="code" value=(code);
        @if let Some(key) = record {
            input type="hidden" name="store" value=(key.store);
            input type="hidden" name="kind" value=(key.kind);
            input type="hidden" name="id" value=(key.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_proto::wire::RecordKey;

    #[test]
    fn a_hostile_id_stays_one_segment_of_the_path() {
        let key = RecordKey { store: "main".into(), kind: "order".into(), id: "../../sign-out?x".into() };
        assert_eq!(super::record_path(&key), "/waybills/main/order/..%2F..%2Fsign-out%3Fx");
    }

    #[test]
    fn commands_stand_out_and_the_rest_is_escaped() {
        let markup = super::spoken("Run `waybill status` <now>").into_string();
        assert_eq!(markup, "Run <code>waybill status</code> &lt;now&gt;");
    }

    #[test]
    fn a_query_keeps_signs_that_mean_something_in_a_url() {
        assert_eq!(super::with_query("/waybills", &[("search", "#10&1"), ("kind", "")]), "/waybills?search=%2310%261");
    }
}
