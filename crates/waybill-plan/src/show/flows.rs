//! A flow's answers to the five questions.

use waybill_domain::{
    Kind,
    document::{Severity, StockQuantity},
};

use super::{Answer, FlowShown, Names, Question, maps, others, words};
use crate::plan::{Flow, OnConflict, OnEdit, OnLeave, Owner, Pager, Retry};

/// What holds for every record of a kind, whatever the plan says.
pub(super) fn fixed(kind: &str) -> Vec<String> {
    let said: &[&str] = match kind {
        "order" => &[
            "An order that is cancelled before its hand-over is not handed over.",
            "One whose sums do not hold (lines − discounts + shipping + tax + duties + tip) is parked.",
            "One that is deleted in the store stays as it is in the systems.",
        ],
        "customer" => {
            &["A customer who is deleted in the store stays in the systems; erasing a person is a request of its own."]
        }
        "refund" => &[
            "A refund waits until the system holds its order, and stays away where a rule keeps the order away.",
            "What was put back without money is no refund.",
        ],
        "price" => &[
            "Every variant with the SKU gets the price.",
            "One in another currency than the store's is parked, and what the map gives is not rounded.",
            "What the store does not sell is no record.",
        ],
        _ => &[],
    };
    said.iter().map(|&sentence| sentence.to_owned()).collect()
}

pub(super) fn shown(names: &Names<'_>, flow: &Flow) -> FlowShown {
    // Named one by one, so that a new key cannot be forgotten: what is not here is in `maps`.
    let Flow {
        name,
        kind: _,
        to: _,
        from: _,
        stores: _,
        after: _,
        after_same_revision: _,
        since: _,
        timing: _,
        late_after: _,
        on_edit: _,
        on_leave: _,
        retry: _,
        on_conflict: _,
        when: _,
        approval: _,
        point_of_no_return: _,
        lines: _,
        matching: _,
        fields: _,
        customer_fields: _,
        buyer: _,
    } = flow;
    let mut answers = what(names, flow);
    answers.extend(when(names, flow));
    answers.extend(owner(names, flow));
    answers.extend(differ(names, flow));
    answers.extend(fail(names, flow));
    FlowShown { name: name.clone(), answers, maps: maps::of(names, flow) }
}

fn answer(question: Question, about: &'static str, text: impl Into<String>) -> Answer {
    Answer { question, about, text: text.into() }
}

/// Where a flow's records come from, if that is a system.
pub(super) fn source<'a>(names: &'a Names<'_>, flow: &'a Flow) -> Option<&'a waybill_domain::SystemName> {
    flow.from.as_ref().or_else(|| names.plan.read_from(flow.kind).map(|(system, _)| system))
}

fn what(names: &Names<'_>, flow: &Flow) -> Vec<Answer> {
    use Question::What;
    let stores = names.stores(&flow.stores);
    let from = match source(names, flow) {
        Some(system) => format!("{}, for {stores}", names.system(system)),
        None => stores,
    };
    let all = if flow.kind == Kind::Order { "any, paid or not" } else { "any" };
    vec![
        answer(What, "from", from),
        answer(What, "to", to(names, flow)),
        answer(What, "only if", flow.condition().unwrap_or(all)),
        answer(What, "from when on", since(flow)),
    ]
}

fn to(names: &Names<'_>, flow: &Flow) -> String {
    let mut said = names.system(&flow.to);
    if let Some(system) = names.plan.systems.get(&flow.to) {
        if system.shadow {
            said.push_str("; in shadow: decided and shown, never written");
        }
        if system.paused {
            said.push_str("; paused from the start, until somebody resumes it");
        }
    }
    said
}

fn since(flow: &Flow) -> String {
    let begun = match flow.kind {
        Kind::Order => "placed",
        Kind::Customer => "created",
        Kind::Refund => "made",
        Kind::Shipment => "shipped",
        Kind::StockLevel | Kind::Product | Kind::InventoryLevel | Kind::Fulfilment | Kind::Incident => {
            return "all: levels are states, not events".to_owned();
        }
        Kind::Price => return "all: prices are states, not events".to_owned(),
    };
    match flow.since {
        Some(since) => format!("{begun} at {since} or later"),
        None => format!("{begun} after this flow was first active"),
    }
}

fn when(names: &Names<'_>, flow: &Flow) -> Vec<Answer> {
    use Question::When;
    let mut written = words::timing(&flow.timing, flow.to.as_str());
    if let Some((system, every)) = names.plan.read_from(flow.kind) {
        written = format!("{written}; {system} is read every {}", words::duration(every));
    }
    let after = match flow.after.as_slice() {
        [] => "nothing else".to_owned(),
        systems => {
            let systems: Vec<&str> = systems.iter().map(waybill_domain::SystemName::as_str).collect();
            let has = if systems.len() == 1 { "has" } else { "have" };
            let what = if flow.after_same_revision { "this very revision" } else { "the record in any revision" };
            format!("{} {has} accepted {what}, or a rule keeps it away from there", words::list(&systems))
        }
    };
    let approval = match flow.approval_condition() {
        Some(condition) => format!("before the first write a person approves, if {condition}"),
        None => "none is needed".to_owned(),
    };
    vec![answer(When, "written", written), answer(When, "after", after), answer(When, "approval", approval)]
}

fn owner(names: &Names<'_>, flow: &Flow) -> Vec<Answer> {
    let rule = names.plan.kinds.get(flow.kind.as_str());
    let record = match (rule, source(names, flow)) {
        (Some(rule), _) => names.owner(&rule.owner),
        (None, Some(system)) => format!("{system}, where they come from"),
        (None, None) => names.owner(&Owner::Store),
    };
    let fields = rule.and_then(|rule| others(names, rule)).unwrap_or_else(|| "the record's owner".to_owned());
    vec![answer(Question::Owner, "the record", record), answer(Question::Owner, "its fields", fields)]
}

fn differ(names: &Names<'_>, flow: &Flow) -> Vec<Answer> {
    use Question::Differ;
    let left = match (flow.condition(), flow.on_leave) {
        (None, _) => "there is no condition".to_owned(),
        (Some(_), OnLeave::Update) => "it goes on being written".to_owned(),
        (Some(_), OnLeave::Cancel) => format!("it is cancelled in {}", flow.to),
        (Some(_), OnLeave::Park) if flow.on_edit == OnEdit::Ignore => format!("{} keeps what it has", flow.to),
        (Some(_), OnLeave::Park) => "its next change is parked for a person".to_owned(),
    };
    let no_return = match flow.point_of_no_return() {
        Some(point) if flow.kind == Kind::Order => format!("{point}: any change is parked then, a cancellation too"),
        Some(point) => format!("{point}: any change is parked then"),
        None => "there is none".to_owned(),
    };
    vec![
        answer(Differ, "both changed it", conflict(names, flow)),
        answer(Differ, "changed after hand-over", edits(flow)),
        answer(Differ, "point of no return", no_return),
        answer(Differ, "condition no longer met", left),
    ]
}

fn conflict(names: &Names<'_>, flow: &Flow) -> String {
    let to = &flow.to;
    if flow.kind == Kind::StockLevel {
        let quantity = match names.plan.stock.as_ref().map(|stock| stock.quantity) {
            Some(StockQuantity::Available) => "available",
            _ => "on hand",
        };
        return format!("what is {quantity} in {to} is set anew with each new level");
    }
    if flow.kind == Kind::Price {
        return format!("a price that somebody changed in {to} is set back");
    }
    if flow.fields.is_empty() {
        return "no field is mapped: with each change the record is written whole".to_owned();
    }
    if names.plan.kinds.get(flow.kind.as_str()).is_some_and(|rule| rule.owner == Owner::System(to.clone())) {
        return format!("{to} owns the record: what stands there stays, but for fields with another owner");
    }
    match names.plan.on_conflict(flow) {
        OnConflict::Owner => {
            let from = source(names, flow).map_or("the store", |system| system.as_str());
            format!(
                "a mapped field that changed in {from} is written, over an edit in {to}; one that did not is left alone"
            )
        }
        OnConflict::Park => "a mapped field with two new values is parked for a person".to_owned(),
        OnConflict::Theirs => format!("a mapped field that was changed in {to} too keeps the value there"),
    }
}

fn edits(flow: &Flow) -> String {
    let to = &flow.to;
    let written = match flow.on_edit {
        OnEdit::Update => return "it is written".to_owned(),
        OnEdit::Amend => {
            return format!("it is written so far as {to} need not take the record back; the rest is parked");
        }
        OnEdit::Park => "it is parked for a person".to_owned(),
        OnEdit::Ignore => format!("{to} keeps what it has"),
    };
    if flow.kind == Kind::Order { format!("{written}; a cancellation is written") } else { written }
}

fn fail(names: &Names<'_>, flow: &Flow) -> Vec<Answer> {
    use Question::Fail;
    let to = &flow.to;
    let Retry { tries, for_at_most } = flow.retry;
    let tries = format!(
        "parked after {tries} failed tries, or the first that fails {} after the change; none counts while {to} is down; \
         what {to} refuses is parked at once",
        words::duration(for_at_most)
    );
    vec![
        answer(Fail, "tried", tries),
        answer(Fail, "late", format!("{} after the change, unless {to} is down", words::duration(flow.late_after))),
        answer(Fail, "told of parked", told(names, Severity::Error)),
        answer(Fail, "told of late", told(names, Severity::Warning)),
    ]
}

/// Who is told of an incident that is so bad.
fn told(names: &Names<'_>, severity: Severity) -> String {
    let pagers = &names.plan.pagers;
    let told = |pager: &&Pager| {
        let Pager { system: _, from } = pager;
        severity.at_least(*from)
    };
    let told: Vec<&str> = pagers.iter().filter(told).map(|pager| pager.system.as_str()).collect();
    if told.is_empty() { "nobody; the console shows it".to_owned() } else { words::list(&told) }
}
