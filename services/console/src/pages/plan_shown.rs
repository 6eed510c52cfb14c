//! What the plan says, in words and as a drawing.

use std::path::Path;

use maud::{Markup, html};
use waybill_plan::{
    Plan,
    show::{self, KindShown, Section, Shown, Table},
};

use super::plan_drawing;
use crate::{plan_file::PlanFile, services::Plans, words};

/// The plan's file, with what it says. `obeyed` is what the replicas obey, where they could be asked.
pub(super) async fn section(path: &Path, obeyed: Option<&Plans>) -> Markup {
    match PlanFile::read(path).await {
        PlanFile::Passes(plan) => passes(&plan, obeyed),
        PlanFile::Refused(problems) => html! {
            div.banner.bad {
                strong { "The plan's file does not pass, and nobody obeys it:" }
                ul { @for problem in &problems { li { (problem) } } }
            }
        },
        PlanFile::Unreadable(why) => html! {
            p.banner.warn { "The plan's file, " code { (path.display()) } ", cannot be read here: " (why) "." }
        },
        PlanFile::Unnamed => html! {
            p.banner.warn { "What the plan says is not known here: set " code { "WAYBILL_PLAN" } " to its file." }
        },
    }
}

fn passes(plan: &Plan, obeyed: Option<&Plans>) -> Markup {
    let shown = show::show(plan, &[]);
    html! {
        h2 { "What the plan says" }
        (who_obeys(&shown.hash, obeyed))
        (plan_drawing::svg(&show::draw(plan, &[])))
        (contents(&shown))
        @for kind in &shown.kinds { (of_kind(kind)) }
        @if !shown.unmoved.is_empty() { p { "No flow moves: " (shown.unmoved.join(", ")) "." } }
        @for section in &shown.sections { (beside(section)) }
    }
}

/// Whether it is this plan that the replicas obey: what is shown is the file.
fn who_obeys(hash: &str, obeyed: Option<&Plans>) -> Markup {
    let replicas = obeyed.map(|plans| plans.replicas.as_slice()).unwrap_or_default();
    let here = replicas.iter().filter(|replica| replica.hash == hash).count();
    let of = |number: usize| words::count(i64::try_from(number).unwrap_or(i64::MAX), "replica");
    html! {
        @if replicas.is_empty() {
            p.faint { "From the file, plan " code { (hash) } ". Whether it is obeyed is not known." }
        } @else if here == replicas.len() {
            p.faint { "From the file, plan " code { (hash) } ", which every replica obeys." }
        } @else {
            p.banner.warn {
                "This is plan " code { (hash) } " as it is in the file. " (here) " of " (of(replicas.len()))
                @if here == 1 { " obeys it." } @else { " obey it." }
            }
        }
    }
}

fn contents(shown: &Shown) -> Markup {
    html! {
        p.tabs {
            @for kind in &shown.kinds { a href={ "#kind-" (kind.kind) } { (kind.kind) } }
            @for section in &shown.sections { a href={ "#" (anchor(section.title)) } { (section.title) } }
        }
    }
}

fn anchor(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

fn of_kind(kind: &KindShown) -> Markup {
    html! {
        section {
            h2 id={ "kind-" (kind.kind) } { (kind.kind) }
            @if !kind.rules.is_empty() { p { (kind.rules.join(" ")) } }
            @if !kind.flows.is_empty() { (sheet(kind)) }
            @for flow in &kind.flows {
                @for map in &flow.maps { (table(map, &format!("{}: ", flow.name))) }
            }
        }
    }
}

/// A kind's flows beside each other, a row per answer under its question.
fn sheet(kind: &KindShown) -> Markup {
    let mut asked = None;
    html! {
        div.scroll { table.sheet {
            thead { tr { th {} @for flow in &kind.flows { th { (flow.name) } } } }
            tbody { @for (question, about, cells) in kind.rows() {
                @if asked.replace(question) != Some(question) {
                    tr { th.question colspan=(kind.flows.len() + 1) { (question.heading()) } }
                }
                tr { th { (about) } @for cell in cells { td.text { (cell) } } }
            } }
        } }
    }
}

fn beside(section: &Section) -> Markup {
    html! {
        section {
            h2 id=(anchor(section.title)) { (section.title) }
            @for shown in &section.tables { (table(shown, "")) }
        }
    }
}

fn table(table: &Table, of: &str) -> Markup {
    html! {
        @if !table.title.is_empty() { h3 { (of) (table.title) } }
        div.scroll { table.said {
            @if !table.headings.is_empty() {
                thead { tr { @for heading in &table.headings { th { (heading) } } } }
            }
            tbody { @for row in &table.rows { tr { @for cell in row { td { (cell) } } } } }
        } }
    }
}
