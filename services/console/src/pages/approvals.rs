//! What waits for a person before it is written for the first time.

use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use waybill_proto::wire::{Delivery, RecordKey};

use super::{
    App,
    forms::Done,
    layout::{Frame, Here},
    parts,
};
use crate::{services::Approval, sessions::Session, words};

/// Records shown; the heading's number counts all.
const SHOWN: usize = 100;

pub(super) async fn list(
    State(console): App,
    Extension(session): Extension<Session>,
    Query(done): Query<Done>,
) -> Html<String> {
    let found = console.services.approvals(None, None).await;
    let frame = Frame::of(&console, &session, "Approvals", Here::Approvals).without(found.unanswered.iter().cloned());
    let all = found.waiting.len() as i64 + found.more;
    frame.page(html! {
        (done.note())
        h1 { "Approvals" }
        @if all == 0 {
            p.faint {
                @if found.unanswered.is_empty() { "Nothing waits for an approval." }
                @else { "Nothing that could be asked." }
            }
        } @else {
            p { strong { (all) } " waiting for a person's word, the longest wait first." }
            p.faint {
                "A refused record is kept away until it changes, which asks again. Systems that come after this one go on "
                "without it."
            }
        }
        @for approval in found.waiting.iter().take(SHOWN) { (card(&frame, approval)) }
        @if all > SHOWN as i64 {
            p.faint { "and " (all - SHOWN as i64) " more" }
        }
    })
}

fn card(frame: &Frame, approval: &Approval) -> Markup {
    let Some((delivery, key)) = approval.delivery.as_ref().and_then(|one| Some((one, one.key.as_ref()?))) else {
        return html! {};
    };
    html! {
        article.card {
            h2 {
                (parts::record(key, &delivery.name)) " for " (delivery.system)
                @if !approval.total.is_empty() { ": " (approval.total) }
            }
            p.facts {
                span { "waits since " (frame.moment(words::instant(approval.since))) }
                span { "flow " code { (approval.flow) } }
                span { "because " code { (approval.condition) } }
            }
            (actions(frame, delivery, key))
        }
    }
}

fn actions(frame: &Frame, delivery: &Delivery, key: &RecordKey) -> Markup {
    html! {
        div.actions {
            form method="post" action="/approvals/give" {
                (parts::selection(frame, &delivery.system, "", Some(key)))
                (seen(delivery))
                label { "Reason " input name="reason" maxlength="500"; }
                button { "Approve" }
            }
            form method="post" action="/approvals/refuse" {
                (parts::selection(frame, &delivery.system, "", Some(key)))
                (seen(delivery))
                label { "Reason " input name="reason" required maxlength="500"; }
                button.danger { "Refuse" }
            }
        }
    }
}

/// The revision that the page shows: a word on it is none on what came after.
fn seen(delivery: &Delivery) -> Markup {
    html! {
        @if let Some(revision) = delivery.desired {
            input type="hidden" name="epoch" value=(revision.epoch);
            input type="hidden" name="number" value=(revision.number);
        }
    }
}
