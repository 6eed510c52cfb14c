//! What people do to deliveries and systems.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use tonic::Code;
use waybill_proto::wire::{EditRequest, RecordKey, Revision, edit_request};

use super::{
    App,
    layout::{Frame, Here},
    parts,
};
use crate::{
    gate::Fields,
    services::{Asking, Changed, Choice, Unanswered, Who},
    sessions::Session,
    words,
};

/// Said in the audit where a person gave no reason of their own.
const RETRIED: &str = "retried in the console";
const APPROVED: &str = "approved in the console";
const RELEASED: &str = "released in the console";
/// So many parked deliveries are tried again a second in each service.
const RETRIES_A_SECOND: f64 = 20.0;

/// What was just done, as it stands in the address after a form. Numbers only: a link cannot put words on a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    retried: String,
    discarded: String,
    edited: String,
    approved: String,
    refused: String,
    released: String,
}

impl Done {
    pub(super) fn note(&self) -> Markup {
        let done = |number: &str| number.parse::<u32>().ok().map(i64::from);
        html! {
            @if let Some(number) = done(&self.retried) {
                p.banner.good role="status" { (words::count(number, "delivery")) " tried again." }
            }
            @if let Some(number) = done(&self.discarded) {
                p.banner.good role="status" { (words::count(number, "delivery")) " discarded." }
            }
            @if let Some(number) = done(&self.edited) {
                p.banner.good role="status" { (words::count(number, "delivery")) " edited and tried again." }
            }
            @for (number, what) in [(done(&self.approved), "approved"), (done(&self.refused), "refused")] {
                @match number {
                    None => {},
                    Some(0) => p.banner.warn role="status" { "It did not wait any more. Nothing was changed." },
                    Some(number) => p.banner.good role="status" { (words::count(number, "delivery")) " " (what) "." },
                }
            }
            @match done(&self.released) {
                None => {},
                Some(0) => p.banner.warn role="status" { "No service serves it. Nothing was changed." },
                Some(_) => p.banner.good role="status" { "Its first run goes on." },
            }
        }
    }
}

pub(super) async fn retry(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let choice = choice(&fields);
    if choice.record.is_none() && (choice.system.is_none() || choice.code.is_none()) {
        return wrong(&console, &session, "A retry needs a record, or a system and a code.");
    }
    let back = back(&choice);
    let reason = fields.some("reason").unwrap_or_else(|| RETRIED.to_owned());
    let who = Who { actor: actor(&session), reason };
    let changed = console.services.retry(choice, who, false).await;
    finish(&console, &session, &back, "retried", changed)
}

pub(super) async fn discard(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let choice = choice(&fields);
    if choice.record.is_none() || choice.system.is_none() {
        return wrong(&console, &session, "A discard needs a record and a system.");
    }
    let Some(reason) = fields.some("reason") else {
        return wrong(&console, &session, "A discard needs a reason: it is kept with who and when.");
    };
    let back = back(&choice);
    let changed = console.services.discard(choice, Who { actor: actor(&session), reason }, false).await;
    finish(&console, &session, &back, "discarded", changed)
}

pub(super) async fn edit(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let choice = choice(&fields);
    let (Some(system), Some(_), Some(path)) = (&choice.system, &choice.record, fields.some("path")) else {
        return wrong(&console, &session, "An edit needs a record, a system and the value's place.");
    };
    let Some(reason) = fields.some("reason") else {
        return wrong(&console, &session, "An edit needs a reason: it is kept with who and when.");
    };
    let value = fields.some("value").unwrap_or_default();
    if value.is_empty() != (fields.text("clear") == "yes") {
        return wrong(&console, &session, "Give a value, or say that there is to be nothing: one of both.");
    }
    let values = vec![edit_request::Value { path, value }];
    // What is there by now may be another value than the person saw.
    let Some(seen) = seen(&fields) else {
        return wrong(&console, &session, "An edit needs the revision that you looked at: open the record again.");
    };
    let (system, key, seen) = (system.clone(), choice.record.clone(), Some(seen));
    let request = EditRequest { system, key, values, seen, ..EditRequest::default() };
    let edited = console.services.edit(request, Who { actor: actor(&session), reason }).await;
    let refused = |one: &&Unanswered| one.says(Code::FailedPrecondition) || one.says(Code::InvalidArgument);
    if let Some(refused) = edited.unanswered.iter().find(refused) {
        return wrong(&console, &session, &refused.to_string());
    }
    let unanswered = edited.unanswered.into_iter().filter(|one| !one.says(Code::NotFound)).collect();
    let changed = Changed { deliveries: edited.found.len() as i64, unanswered };
    finish(&console, &session, &back(&choice), "edited", changed)
}

pub(super) async fn approve(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(asking) = asking(&fields) else {
        return wrong(&console, &session, "An approval needs a record and a system.");
    };
    let reason = fields.some("reason").unwrap_or_else(|| APPROVED.to_owned());
    let changed = console.services.approve(asking, Who { actor: actor(&session), reason }).await;
    settled(&console, &session, "approved", changed)
}

pub(super) async fn refuse(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(asking) = asking(&fields) else {
        return wrong(&console, &session, "A refusal needs a record and a system.");
    };
    let Some(reason) = fields.some("reason") else {
        return wrong(&console, &session, "A refusal needs a reason: it is kept with who and when.");
    };
    let changed = console.services.refuse(asking, Who { actor: actor(&session), reason }).await;
    settled(&console, &session, "refused", changed)
}

fn settled(console: &crate::app::Console, session: &Session, what: &str, changed: Changed) -> Response {
    if changed.unanswered.iter().any(|one| one.says(Code::FailedPrecondition)) {
        return wrong(console, session, "The record has changed since you looked at it: look at it again.");
    }
    finish(console, session, "/approvals", what, changed)
}

pub(super) async fn release(
    State(console): App,
    Extension(session): Extension<Session>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(system) = fields.some("system") else {
        return wrong(&console, &session, "A release needs a system.");
    };
    let reason = fields.some("reason").unwrap_or_else(|| RELEASED.to_owned());
    let released = console.services.release(&system, Who { actor: actor(&session), reason }).await;
    let changed = Changed { deliveries: released.found.len() as i64, unanswered: released.unanswered };
    finish(&console, &session, "/", "released", changed)
}

fn asking(fields: &Fields) -> Option<Asking> {
    let Choice { system, record, .. } = choice(fields);
    Some(Asking { system: system?, record: record?, seen: seen(fields) })
}

/// The revision that the person looked at.
fn seen(fields: &Fields) -> Option<Revision> {
    let number = |name| fields.text(name).parse::<i64>().ok();
    number("epoch").zip(number("number")).map(|(epoch, number)| Revision { epoch, number })
}

fn actor(session: &Session) -> String {
    format!("console:{}", session.who())
}

fn choice(fields: &Fields) -> Choice {
    let key = || Some(RecordKey { store: fields.some("store")?, kind: fields.some("kind")?, id: fields.some("id")? });
    Choice {
        system: fields.some("system"),
        code: fields.some("code"),
        record: key(),
        rate: RETRIES_A_SECOND,
        limit: None,
    }
}

/// The page that shows what the form was about.
fn back(choice: &Choice) -> String {
    choice.record.as_ref().map_or_else(|| "/parked".to_owned(), parts::record_path)
}

fn finish(console: &crate::app::Console, session: &Session, back: &str, what: &str, changed: Changed) -> Response {
    if changed.unanswered.is_empty() {
        let done = parts::with_query(back, &[(what, &changed.deliveries.to_string())]);
        return Redirect::to(&done).into_response();
    }
    let frame = Frame::of(console, session, "Not everywhere", Here::Parked).without(changed.unanswered);
    let page = frame.page(html! {
        h1 { "Not everywhere" }
        p { (changed.deliveries) " " (what) ". The services named above were not reached: theirs are as they were." }
        p { a href=(back) { "Back" } }
    });
    (StatusCode::BAD_GATEWAY, page).into_response()
}

fn wrong(console: &crate::app::Console, session: &Session, why: &str) -> Response {
    let frame = Frame::of(console, session, "Refused", Here::Parked);
    let page = frame.page(html! {
        h1 { "Refused" }
        p { (why) " Nothing was changed." }
        p { a href="/parked" { "To the parked ones" } }
    });
    (StatusCode::BAD_REQUEST, page).into_response()
}
