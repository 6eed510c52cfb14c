//! What is wrong, by cause.

use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use serde::Deserialize;
use waybill_proto::wire::Incident;

use super::{
    App,
    layout::{Frame, Here},
    overview::missing,
    parts,
};
use crate::{services, sessions::Session, words};

/// So many records are linked; the rest is on the page of parked ones.
const LINKED: usize = 12;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    resolved: String,
}

pub(super) async fn list(
    State(console): App,
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
) -> Html<String> {
    let with_resolved = asked.resolved == "1";
    let answer = console.services.incidents(with_resolved).await;
    let here = if with_resolved { "/incidents?resolved=1" } else { "/incidents" };
    let frame = Frame::of(&console, &session, "Incidents", Here::Incidents)
        .refreshing(here)
        .without(answer.as_ref().err().cloned());
    frame.page(html! {
        h1 { "Incidents" }
        p.tabs {
            a href="/incidents" aria-current=[(!with_resolved).then_some("true")] { "Open" }
            a href="/incidents?resolved=1" aria-current=[with_resolved.then_some("true")] { "With resolved" }
        }
        @match &answer {
            Err(unanswered) => (missing(unanswered)),
            Ok(answer) if answer.incidents.is_empty() => p.faint { "None." },
            Ok(answer) => @for incident in &answer.incidents { (card(&frame, incident)) },
        }
    })
}

/// One incident with what it means and what to do.
pub(super) fn card(frame: &Frame, incident: &Incident) -> Markup {
    let open = services::is_open(incident);
    let parked = parts::with_query("/parked", &[("system", &incident.system), ("code", &incident.code)]);
    html! {
        article.card.bad[open] {
            h3 {
                @if open { span.chip.bad { "open" } } @else { span.chip.calm { "resolved" } }
                " " (incident.title)
            }
            p.facts {
                @if !incident.system.is_empty() { span { "system " strong { (incident.system) } } }
                @if !incident.code.is_empty() { span { "code " code { (incident.code) } } }
                @if !incident.severity.is_empty() { span { (incident.severity) } }
                @if incident.count > 0 { span { (words::count(incident.count, "record")) } }
                span { "opened " (frame.time(words::instant(incident.opened_at))) }
                @match incident.paged_at {
                    Some(paged) => span { "paged " (frame.time(words::instant(Some(paged)))) },
                    None => span { "not paged" },
                }
                @if !open { span { "resolved " (frame.time(words::instant(incident.resolved_at))) } }
            }
            (parts::explanation(&incident.meaning, &incident.action))
            @if !incident.detail.is_empty() { p.message { (incident.detail) } }
            @if !incident.records.is_empty() {
                p.records {
                    @for key in incident.records.iter().take(LINKED) {
                        a.id href=(parts::record_path(key)) { (services::written(key)) } " "
                    }
                    a href=(parked) { "all that are parked" }
                }
            }
        }
    }
}
