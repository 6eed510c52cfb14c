//! Which plan each running replica obeys, and what it says.

use axum::{Extension, extract::State, response::Html};
use maud::{Markup, html};

use super::{
    App,
    layout::{Frame, Here},
    overview::missing,
    plan_shown,
};
use crate::{
    services::{Plans, Replica, Verdict},
    sessions::Session,
};

pub(super) async fn show(State(console): App, Extension(session): Extension<Session>) -> Html<String> {
    let plans = console.services.plans().await;
    let frame =
        Frame::of(&console, &session, "Plan", Here::Plan).refreshing("/plan").without(plans.as_ref().err().cloned());
    frame.page(html! {
        h1 { "Plan" }
        @match &plans {
            Err(unanswered) => (missing(unanswered)),
            Ok(plans) => {
                (verdict(plans))
                @if !plans.replicas.is_empty() { (table(&frame, &plans.replicas)) }
                p.faint {
                    "Each replica says every few seconds which plan it obeys; one that has been silent for a minute is not "
                    "shown."
                }
            },
        }
        (plan_shown::section(&console.plan, plans.as_ref().ok()).await)
    })
}

fn verdict(plans: &Plans) -> Markup {
    let (tone, title, why) = match Verdict::of(plans.wrong(), plans.untold()) {
        Verdict::Well => ("good", "All replicas obey the same plan.", Vec::new()),
        Verdict::NotWell(why) => ("bad", "Not well", why),
        Verdict::CannotTell(why) => ("warn", "Cannot be told", why),
    };
    html! {
        div class={ "banner " (tone) } {
            strong { (title) }
            @if !why.is_empty() { ul { @for reason in &why { li { (reason) } } } }
        }
    }
}

fn table(frame: &Frame, replicas: &[Replica]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "Service" } th { "Replica" } th { "Plan" } th { "Since" } th { "Heard of" } th { "Problem" }
            } }
            tbody { @for replica in replicas {
                tr.wrong[!replica.problem.is_empty()] {
                    td { (replica.service) }
                    td.id { (replica.name) }
                    td { code { (replica.hash) } }
                    td { (frame.time(replica.since)) }
                    td { (frame.time(replica.heard_at)) }
                    td.text {
                        @if !replica.problem.is_empty() {
                            "refused " (frame.time(replica.refused_since)) ":"
                            @for line in replica.problem.lines() { br; (line) }
                        }
                    }
                }
            } }
        } }
    }
}
