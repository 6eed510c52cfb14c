//! Waybills by state, kind, system or name.

use std::collections::BTreeSet;

use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use serde::Deserialize;
use waybill_domain::Kind;
use waybill_proto::wire::{Line, ListWaybillsRequest, ListWaybillsResponse, Waybill};

use super::{
    App,
    layout::{Frame, Here},
    overview::missing,
    parts,
};
use crate::{sessions::Session, words};

/// Waybills on a page.
const PAGE: i32 = 50;
const STATES: [&str; 7] = ["parked", "waiting", "pending", "applying", "applied", "ignored", "superseded"];

/// The choice, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    kind: String,
    system: String,
    search: String,
    from: String,
}

impl Asked {
    /// An address that is not ours to understand is read as the first page.
    fn offset(&self) -> i32 {
        self.from.parse::<i32>().unwrap_or(0).max(0)
    }

    fn at(&self, offset: i32) -> String {
        let from = if offset == 0 { String::new() } else { offset.to_string() };
        let parts = [
            ("state", self.state.as_str()),
            ("kind", &self.kind),
            ("system", &self.system),
            ("search", &self.search),
            ("from", &from),
        ];
        parts::with_query("/waybills", &parts)
    }
}

pub(super) async fn list(
    State(console): App,
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
) -> Html<String> {
    let request = ListWaybillsRequest {
        state: words::state_named(&asked.state).unwrap_or_default().into(),
        kind: asked.kind.clone(),
        system: asked.system.clone(),
        search: asked.search.trim().to_owned(),
        limit: PAGE,
        offset: asked.offset(),
    };
    let (answer, accounting) = tokio::join!(console.services.waybills(request), console.services.accounting());
    let lines = accounting.map(|answer| answer.lines).unwrap_or_default();
    let mut systems: BTreeSet<&str> = lines.iter().map(|line| line.system.as_str()).collect();
    systems.insert(&asked.system);
    let frame = Frame::of(&console, &session, "Waybills", Here::Waybills).without(answer.as_ref().err().cloned());
    frame.page(html! {
        h1 { "Waybills" }
        (choice(&asked, &systems))
        @match &answer {
            Err(unanswered) => (missing(unanswered)),
            Ok(answer) => (table(&frame, &asked, answer)),
        }
    })
}

fn choice(asked: &Asked, systems: &BTreeSet<&str>) -> Markup {
    let options = |words: &[&str], chosen: &str| {
        html! {
            option value="" { "any" }
            @for word in words.iter().filter(|word| !word.is_empty()) {
                option value=(word) selected[*word == chosen] { (word) }
            }
        }
    };
    let systems: Vec<&str> = systems.iter().copied().collect();
    html! {
        form.choice method="get" action="/waybills" {
            label { "Name or id " input type="search" name="search" value=(asked.search) placeholder="#1001"; }
            label { "State " select name="state" { (options(&STATES, &asked.state)) } }
            label { "Kind " select name="kind" { (options(&Kind::ALL.map(Kind::as_str), &asked.kind)) } }
            label { "System " select name="system" { (options(&systems, &asked.system)) } }
            button { "Show" }
        }
    }
}

fn table(frame: &Frame, asked: &Asked, answer: &ListWaybillsResponse) -> Markup {
    let from = asked.offset();
    let to = from.saturating_add(i32::try_from(answer.waybills.len()).unwrap_or(i32::MAX));
    html! {
        @if answer.waybills.is_empty() {
            p.faint { "No waybill matches." }
        } @else {
            div.scroll { table {
                thead { tr { th { "Record" } th { "Changed" } th { "Systems" } } }
                tbody { @for waybill in &answer.waybills { (row(frame, waybill)) } }
            } }
        }
        p.pager {
            @if from > 0 { a href=(asked.at((from - PAGE).max(0))) { "← newer" } }
            @if !answer.waybills.is_empty() { span { (from + 1) "–" (to) " of " (answer.total) } }
            @if i64::from(to) < answer.total { a href=(asked.at(to)) { "older →" } }
        }
    }
}

fn row(frame: &Frame, waybill: &Waybill) -> Markup {
    html! {
        tr {
            td { @if let Some(key) = &waybill.key { (parts::record(key, &waybill.name)) } @else { (waybill.name) } }
            td { (frame.time(words::instant(waybill.changed_at))) }
            td.lines { @for line in &waybill.lines { (brief(line)) } }
        }
    }
}

/// A line in few words.
pub(super) fn brief(line: &Line) -> Markup {
    let why = words::explain(&line.code);
    let title = (!line.code.is_empty()).then_some(why.title);
    html! {
        span.line title=[title] {
            (line.system) " " (parts::state(line.state()))
            @if !line.code.is_empty() { " " code { (line.code) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn paging_keeps_the_choice() {
        let asked = Asked { state: "parked".into(), search: "#10".into(), ..Asked::default() };
        assert_eq!(asked.at(50), "/waybills?state=parked&search=%2310&from=50");
        assert_eq!(asked.at(0), "/waybills?state=parked&search=%2310");
    }

    #[test]
    fn an_address_that_makes_no_sense_is_the_first_page() {
        for from in ["-5", "x", "99999999999"] {
            assert_eq!(Asked { from: from.into(), ..Asked::default() }.offset(), 0, "{from}");
        }
    }
}
