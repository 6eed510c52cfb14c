//! What needs a person, by system and cause.

use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use serde::Deserialize;
use waybill_proto::wire::Delivery;

use super::{
    App,
    forms::Done,
    layout::{Frame, Here},
    parts,
};
use crate::{
    services::{Group, PARKED_LIMIT},
    sessions::Session,
    words,
};

/// Records shown of a group; the group's number counts all.
const SHOWN: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    system: String,
    code: String,
}

pub(super) async fn list(
    State(console): App,
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Html<String> {
    let chosen = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let parked = console.services.parked(chosen(&asked.system), chosen(&asked.code)).await;
    let frame = Frame::of(&console, &session, "Parked", Here::Parked).without(parked.unanswered.iter().cloned());
    let narrowed = !asked.system.is_empty() || !asked.code.is_empty();
    frame.page(html! {
        (done.note())
        h1 { "Parked" }
        @if narrowed {
            p {
                "Only " (asked.system) @if !asked.code.is_empty() { " " code { (asked.code) } }
                ". " a href="/parked" { "Show all" }
            }
        }
        @for service in &parked.cut {
            p.banner.warn { (service) " lists " (PARKED_LIMIT) " at most; there may be more." }
        }
        @if parked.groups.is_empty() {
            p.faint { @if parked.unanswered.is_empty() { "Nothing is parked." } @else { "Nothing that could be asked." } }
        }
        @for group in &parked.groups { (card(&frame, group)) }
    })
}

fn card(frame: &Frame, group: &Group) -> Markup {
    let why = words::explain(&group.code);
    html! {
        article.card.bad {
            h2 { (group.system) ": " (why.title) }
            p.facts {
                span { strong { (group.deliveries.len()) } " parked" }
                @if !group.code.is_empty() { span { "code " code { (group.code) } } }
            }
            (parts::explanation(why.meaning, why.action))
            // Without a code the form would select the whole system.
            @if !group.code.is_empty() {
                form.actions method="post" action="/parked/retry" {
                    (parts::selection(frame, &group.system, &group.code, None))
                    button { @if group.deliveries.len() == 1 { "Retry it" } @else { "Retry all " (group.deliveries.len()) } }
                }
            }
            div.scroll { table {
                thead { tr {
                    th { "Record" } th { "Field" } th { "Message" } th.number { "Attempts" } th { "Parked" }
                } }
                tbody { @for delivery in group.deliveries.iter().take(SHOWN) { (row(frame, delivery)) } }
            } }
            @if group.deliveries.len() > SHOWN {
                p.faint { "and " (group.deliveries.len() - SHOWN) " more, parked earlier" }
            }
        }
    }
}

fn row(frame: &Frame, delivery: &Delivery) -> Markup {
    html! {
        tr {
            td { @if let Some(key) = &delivery.key { (parts::record(key, &delivery.name)) } }
            td { @if !delivery.field.is_empty() { code { (delivery.field) } } }
            td.text { (delivery.message) }
            td.number { (delivery.attempts) }
            td { (frame.time(words::instant(delivery.changed_at))) }
        }
    }
}
