//! Whether all is well.

use axum::{
    Extension,
    extract::{Query, State},
    response::Html,
};
use maud::{Markup, html};
use waybill_proto::wire::{AccountingLine, inbox_count_response::Count, system_report::Condition};

use super::{
    App,
    forms::Done,
    incidents,
    layout::{Frame, Here},
    parts,
};
use crate::{
    services::{Overview, ServiceHealth, SystemHealth, Unanswered, Verdict},
    sessions::Session,
};

pub(super) async fn show(
    State(console): App,
    Extension(session): Extension<Session>,
    Query(done): Query<Done>,
) -> Html<String> {
    let overview = console.services.overview().await;
    let frame =
        Frame::of(&console, &session, "Overview", Here::Overview).refreshing("/").without(overview.unanswered());
    frame.page(html! {
        (done.note())
        (verdict(&overview.verdict()))
        @if let Ok(open) = &overview.incidents {
            @if !open.is_empty() {
                section {
                    h2 { "Open incidents" }
                    @for incident in open { (incidents::card(&frame, incident)) }
                }
            }
        }
        section {
            h2 { "Accounting" }
            (accounting(&overview))
            @if let Some(slowest) = overview.slowest_page_ms {
                p.faint { "Slowest page to on-call so far: " (seconds(slowest)) " s after the parking." }
            }
        }
        section {
            h2 { "Systems" }
            (systems(&frame, &overview.systems))
        }
        div.columns {
            section {
                h2 { "Webhooks" }
                (webhooks(&overview.webhooks))
            }
            section {
                h2 { "Services" }
                (services(&overview.services, &overview.unheard))
            }
        }
    })
}

fn verdict(verdict: &Verdict) -> Markup {
    let (tone, title, why): (_, _, &[String]) = match verdict {
        Verdict::Well => ("good", "All is well", &[]),
        Verdict::NotWell(why) => ("bad", "Not well", why),
        Verdict::CannotTell(why) => ("warn", "Cannot be told", why),
    };
    html! {
        div class={ "verdict " (tone) } {
            h1 { (title) }
            @match why {
                [] => p { "Every line closes, nothing is parked, every system serves." },
                why => ul { @for reason in why { li { (parts::spoken(reason)) } } },
            }
        }
    }
}

fn accounting(overview: &Overview) -> Markup {
    let lines = match &overview.accounting {
        Ok(lines) => lines,
        Err(unanswered) => return missing(unanswered),
    };
    html! {
        @if !overview.unheard.is_empty() {
            p.banner.warn role="alert" {
                "These lines cannot close: the watch cannot reach " (overview.unheard.join(", ")) "."
            }
        }
        @if lines.is_empty() {
            p.faint { "Nothing has been accepted yet." }
        } @else {
            div.scroll { table.numbers {
                thead { tr {
                    th { "Store" } th { "Kind" } th { "System" }
                    @for column in ["Accepted", "Applied", "Superseded", "Ignored", "Parked", "In flight", "Gap"] {
                        th.number { (column) }
                    }
                } }
                tbody { @for line in lines { (accounting_line(line)) } }
            } }
            p.faint { "Accepted = applied + superseded + ignored + parked + in flight + gap, in revisions." }
        }
    }
}

fn accounting_line(line: &AccountingLine) -> Markup {
    let of =
        |state| parts::with_query("/waybills", &[("state", state), ("kind", &line.kind), ("system", &line.system)]);
    html! {
        tr.wrong[line.gap != 0] {
            td { (line.store) } td { (line.kind) } td { (line.system) }
            td.number { (parts::number(line.accepted)) }
            td.number { (parts::number(line.applied)) }
            td.number { (parts::number(line.superseded)) }
            td.number { @if line.ignored == 0 { (parts::number(0)) } @else { a href=(of("ignored")) { (line.ignored) } } }
            td.number.alarm[line.parked != 0] {
                @if line.parked == 0 { (parts::number(0)) } @else { a href=(of("parked")) { (line.parked) } }
            }
            td.number { (parts::number(line.in_flight)) }
            td.number.alarm[line.gap != 0] {
                @if line.gap == 0 { (parts::number(0)) } @else { (format!("{:+}", line.gap)) }
            }
        }
    }
}

fn systems(frame: &Frame, systems: &[SystemHealth]) -> Markup {
    html! {
        @if systems.is_empty() {
            p.faint { "No service that could be asked serves a system." }
        } @else {
            div.scroll { table {
                thead { tr { th { "System" } th { "Condition" } th { "Service" } th { "Reported" } th { "Message" } } }
                tbody { @for health in systems {
                    tr {
                        td { (health.system) }
                        td { (parts::condition(health.condition)) }
                        td { @if health.service.is_empty() { span.faint { "–" } } @else { (health.service) } }
                        td { (frame.time(health.at)) }
                        td.text {
                            (parts::spoken(&health.message))
                            @if health.condition == Condition::Asking {
                                form.actions method="post" action="/systems/release" {
                                    (parts::selection(frame, &health.system, "", None))
                                    button { "Let them go" }
                                }
                            }
                        }
                    }
                } }
            } }
        }
    }
}

fn webhooks(counts: &Result<Vec<Count>, Unanswered>) -> Markup {
    let counts = match counts {
        Ok(counts) => counts,
        Err(unanswered) => return missing(unanswered),
    };
    let mut outcomes = std::collections::BTreeMap::new();
    for count in counts {
        *outcomes.entry(count.outcome.as_str()).or_insert(0) += count.webhooks;
    }
    html! {
        @if outcomes.is_empty() {
            p.faint { "None has come yet." }
        } @else {
            table.numbers { tbody { @for (outcome, number) in outcomes {
                @let unused = ["unknown", "unreadable"].contains(&outcome);
                tr {
                    td { @if unused { a href="/webhooks" { (outcome) } } @else { (outcome) } }
                    td.number.alarm[outcome == "unreadable"] { (number) }
                }
            } } }
        }
    }
}

fn services(services: &[ServiceHealth], unheard: &[String]) -> Markup {
    html! {
        table { tbody { @for service in services {
            tr {
                td { (service.name) }
                td {
                    @match &service.problem {
                        None if unheard.contains(&service.name) => {
                            span.chip.warn { "answers us, not the watch" }
                        },
                        None => span.chip.good { "answers" },
                        Some(_) => span.chip.bad { "no answer" },
                    }
                }
                td.id { (service.url) }
            }
        } } }
    }
}

/// Stands where a table would be: silence is not an empty table.
pub(super) fn missing(unanswered: &Unanswered) -> Markup {
    html! { p.banner.bad { "Not known: " (unanswered) "." } }
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn milliseconds_read_as_seconds() {
        assert_eq!(super::seconds(12_345), "12.3");
    }
}
