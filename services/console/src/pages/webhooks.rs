//! Webhooks that no record came of.

use axum::{Extension, extract::State, response::Html};
use maud::{Markup, html};
use waybill_proto::wire::inbox_list_response::Webhook;

use super::{
    App,
    layout::{Frame, Here},
    overview::missing,
    parts,
};
use crate::{services::Unanswered, sessions::Session, words};

/// Webhooks shown of each sort.
const SHOWN: i32 = 100;

pub(super) async fn list(State(console): App, Extension(session): Extension<Session>) -> Html<String> {
    let (unreadable, unknown) =
        tokio::join!(console.services.webhooks("unreadable", SHOWN), console.services.webhooks("unknown", SHOWN));
    let why = words::explain("unreadable_webhook");
    let frame = Frame::of(&console, &session, "Webhooks", Here::Webhooks)
        .refreshing("/webhooks")
        .without(unreadable.as_ref().err().cloned());
    frame.page(html! {
        h1 { "Webhooks without a record" }
        section {
            h2 { "Unreadable" }
            (parts::explanation(why.meaning, "The record comes with its next change or the next reconciliation."))
            (table(&frame, &unreadable))
        }
        section {
            h2 { "Unknown" }
            p.faint { "Topics that Waybill does not use. They are kept and counted; nothing needs to be done." }
            (table(&frame, &unknown))
        }
    })
}

fn table(frame: &Frame, webhooks: &Result<Vec<Webhook>, Unanswered>) -> Markup {
    html! {
        @match webhooks {
            Err(unanswered) => (missing(unanswered)),
            Ok(webhooks) if webhooks.is_empty() => p.faint { "None." },
            Ok(webhooks) => {
                div.scroll { table {
                    thead { tr {
                        th { "Received" } th { "Store" } th { "Topic" } th.number { "Bytes" } th { "Webhook id" }
                        th { "Message" }
                    } }
                    tbody { @for webhook in webhooks {
                        tr {
                            td { (frame.time(words::instant(webhook.received_at))) }
                            td { (webhook.store) }
                            td { (webhook.topic) }
                            td.number { (webhook.body_bytes) }
                            td.id { (webhook.webhook_id) }
                            td.text { (webhook.message) }
                        }
                    } }
                } }
                @if webhooks.len() >= SHOWN as usize { p.faint { "The newest " (SHOWN) "." } }
            },
        }
    }
}
