//! One record: its line per system, with the calls made and what a person may do.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use waybill_proto::wire::{RecordKey, State as Word, Waybill};

use super::{
    App,
    forms::Done,
    layout::{Frame, Here},
    parts, waybills,
};
use crate::{
    services::{LineView, RecordView, Step},
    sessions::Session,
    words,
};

pub(super) async fn show(
    State(console): App,
    Extension(session): Extension<Session>,
    Path((store, kind, id)): Path<(String, String, String)>,
    Query(done): Query<Done>,
) -> Response {
    let key = RecordKey { store, kind, id };
    let Some(record) = console.services.record(&key).await else {
        let frame = Frame::of(&console, &session, "Not found", Here::Waybills);
        let page = frame.page(html! {
            h1 { "Not found" }
            p { "No service knows " span.id { (key.store) "/" (key.kind) "/" (key.id) } "." }
        });
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let mut frame =
        Frame::of(&console, &session, &record.name, Here::Waybills).without(record.unanswered.iter().cloned());
    // Where a person may be typing a reason, the page stays as it is.
    if !record.lines.iter().any(|line| line.state == Word::Parked) {
        frame = frame.refreshing(parts::record_path(&key));
    }
    frame
        .page(html! {
            (done.note())
            h1 { (record.name) }
            p { span.id { (key.store) "/" (key.kind) "/" (key.id) } }
            (summary(&frame, &record))
            @for line in &record.lines { (line_card(&frame, &key, line)) }
            (related(&frame, &record.related))
        })
        .into_response()
}

fn summary(frame: &Frame, record: &RecordView) -> Markup {
    html! {
        @if record.lines.is_empty() {
            p.faint { "No system has a line for this record, as far as could be asked." }
        } @else {
            div.scroll { table {
                thead { tr {
                    th { "System" } th { "State" } th { "Revision" } th { "External id" } th.number { "Attempts" }
                    th { "Changed" } th { "Service" }
                } }
                tbody { @for line in &record.lines {
                    tr {
                        td { a href={ "#" (line.system) } { (line.system) } }
                        td { (parts::state(line.state)) }
                        td { (revision(line)) }
                        td.id { (line.external_id) }
                        td.number { (line.attempts) }
                        td { (frame.time(line.changed_at)) }
                        td { (line.service) }
                    }
                } }
            } }
        }
    }
}

fn revision(line: &LineView) -> Markup {
    html! {
        @if line.settled >= line.wanted {
            "r" (line.settled)
        } @else {
            "r" (line.settled) span.faint { " settled, " } "r" (line.wanted) span.faint { " wanted" }
        }
    }
}

fn line_card(frame: &Frame, key: &RecordKey, line: &LineView) -> Markup {
    let parked = line.state == Word::Parked;
    html! {
        article.card.bad[parked] id=(line.system) {
            h2 { (line.system) " " (parts::state(line.state)) }
            p.facts {
                span { "revision " (revision(line)) }
                @if !line.external_id.is_empty() { span { "external id " span.id { (line.external_id) } } }
                span { (words::count(line.attempts, "attempt")) }
                span { "changed " (frame.moment(line.changed_at)) }
                @if line.open_since.is_some() { span { "open since " (frame.moment(line.open_since)) } }
                @if line.body_removed_at.is_some() { span { "body removed " (frame.moment(line.body_removed_at)) } }
                @if line.due_at.is_some() { span { "due " (frame.moment(line.due_at)) } }
            }
            @if let Some(heard) = line.heard.filter(|heard| *heard != line.state) {
                p.faint { "The watch has heard " (parts::state(heard)) " so far." }
            }
            (problem(line))
            @if parked { (actions(frame, key, line)) }
            @if line.state == Word::Waiting && line.code == "approval" {
                p { a href="/approvals" { "Approve or refuse it" } }
            }
            (known(line))
            (edits(frame, line))
            (steps(frame, line))
        }
    }
}

fn problem(line: &LineView) -> Markup {
    let parked = line.state == Word::Parked;
    let why = words::explain(&line.code);
    html! {
        @if parked || !line.code.is_empty() || !line.message.is_empty() {
            @if parked { h3 { (why.title) } }
            p.message {
                @if !line.code.is_empty() { code { (line.code) } " " }
                @if !line.field.is_empty() { "field " code { (line.field) } " " }
                (line.message)
            }
            @if parked { (parts::explanation(why.meaning, why.action)) }
        }
    }
}

fn actions(frame: &Frame, key: &RecordKey, line: &LineView) -> Markup {
    html! {
        div.actions {
            form method="post" action="/parked/retry" {
                (parts::selection(frame, &line.system, "", Some(key)))
                button { "Retry now" }
            }
            form method="post" action="/parked/discard" {
                (parts::selection(frame, &line.system, "", Some(key)))
                label { "Reason " input name="reason" required maxlength="500"; }
                button.danger { "Discard" }
            }
            form method="post" action="/parked/edit" {
                (parts::selection(frame, &line.system, "", Some(key)))
                @if let Some(seen) = line.revision {
                    input type="hidden" name="epoch" value=(seen.epoch);
                    input type="hidden" name="number" value=(seen.number);
                }
                label { "Write in " input name="path" required maxlength="200" value=(line.field) placeholder="customer.email"; }
                label { " this " input name="value" maxlength="1000"; }
                label { input type="checkbox" name="clear" value="yes"; " nothing" }
                label { "Reason " input name="reason" required maxlength="500"; }
                button { "Edit and retry" }
            }
        }
    }
}

fn edits(frame: &Frame, line: &LineView) -> Markup {
    html! {
        @for edit in &line.edits {
            p.facts {
                code { (edit.path) } " was given by " (edit.actor) " " (frame.moment(words::instant(edit.edited_at))) ": "
                (edit.reason) @if edit.lapsed { " (lapsed: the plan has come to another value since)" }
            }
        }
    }
}

fn known(line: &LineView) -> Markup {
    html! {
        @if !line.known.is_empty() {
            p.facts {
                "holds"
                @for (role, id) in &line.known { span { (role) " " span.id { (id) } } }
            }
        }
    }
}

fn steps(frame: &Frame, line: &LineView) -> Markup {
    let open = matches!(line.state, Word::Parked | Word::Waiting | Word::Applying);
    html! {
        @match &line.steps {
            None => p.faint { "Its steps are not known: " (line.service) " could not be asked." },
            Some(steps) if steps.is_empty() => p.faint { "No call was made." },
            Some(steps) => details open[open] {
                summary { (words::count(steps.len() as i64, "step")) ", newest first" }
                div.scroll { table {
                    thead { tr {
                        th { "Step" } th { "Role" } th { "State" } th { "Started" } th.number { "Took" }
                        th { "Call key" } th { "Message" }
                    } }
                    tbody { @for one in steps { (step(frame, one)) } }
                } }
            },
        }
    }
}

fn step(frame: &Frame, step: &Step) -> Markup {
    let tone = match step.state.as_str() {
        "done" => "good",
        "failed" => "bad",
        "ambiguous" => "warn",
        _ => "busy",
    };
    let (started, finished) = (words::instant(step.started_at), words::instant(step.finished_at));
    let took = started.zip(finished).map(|(started, finished)| finished.duration_since(started).as_millis());
    html! {
        tr {
            td { (step.name) }
            td { (step.role) }
            td { span class={ "chip " (tone) } { (step.state) } }
            td { (frame.moment(started)) }
            td.number { @if let Some(took) = took { (took) " ms" } @else { "–" } }
            td.id { (step.call_key) }
            td.text { (step.message) }
        }
    }
}

fn related(frame: &Frame, related: &[Waybill]) -> Markup {
    html! {
        @if !related.is_empty() {
            section {
                h2 { "Belongs to it" }
                div.scroll { table {
                    thead { tr { th { "Record" } th { "Changed" } th { "Systems" } } }
                    tbody { @for waybill in related { @if let Some(key) = &waybill.key {
                        tr {
                            td { (parts::record(key, &format!("{} {}", key.kind, waybill.name))) }
                            td { (frame.time(words::instant(waybill.changed_at))) }
                            td.lines { @for line in &waybill.lines { (waybills::brief(line)) } }
                        }
                    } } }
                } }
            }
        }
    }
}
