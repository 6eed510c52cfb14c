//! `waybill plan roll`: a flow's settled deliveries decided anew, under the plan that the services obey now.

use std::time::Duration;

use clap::Args;
use console::{
    services::{DELIVERING, Services, Unanswered},
    words,
};
use serde::Serialize;
use tokio::time::MissedTickBehavior;
use tonic::Code;
use waybill_proto::wire::{FieldChange, RollRequest, RollResponse, RolledDelivery};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, terminal::Terminal};

/// So many fields of an example are shown.
const FIELDS: usize = 12;
const A_SECOND: Duration = Duration::from_secs(1);

/// A flow to roll.
#[derive(Debug, Args)]
pub(crate) struct PlanRoll {
    /// The flow, by its name in the plan.
    flow: String,
    /// Only tell what would change.
    #[arg(long)]
    dry_run: bool,
    /// Roll without asking.
    #[arg(long)]
    yes: bool,
    /// Deliveries set to be decided anew per second, at most. Interrupted, it leaves the rest as it is.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=500))]
    per_second: i32,
    /// So many changes are shown at length. They show what is sent, which may name people.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(i32).range(0..=500))]
    examples: i32,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object. Rolling needs --yes then.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// What became of a flow's settled deliveries, or would.
#[derive(Debug, Default, Serialize)]
struct Told {
    flow: String,
    service: String,
    /// Hash of the plan that decides.
    plan: String,
    unchanged: i64,
    written: i64,
    ignored: i64,
    parked: i64,
    waiting: i64,
    /// Of the written ones, those whose fields are read at the system first.
    read_first: i64,
    /// Set to be decided anew.
    rolled: i64,
    examples: Vec<ExampleJson>,
}

#[derive(Debug, Serialize)]
struct ExampleJson {
    store: String,
    kind: String,
    id: String,
    name: String,
    state: &'static str,
    would_be: &'static str,
    code: String,
    message: String,
    fields: Vec<FieldJson>,
}

#[derive(Debug, Serialize)]
struct FieldJson {
    role: String,
    field: String,
    /// As it was sent last; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    would_be: String,
}

impl From<FieldChange> for FieldJson {
    fn from(change: FieldChange) -> Self {
        Self { role: change.role, field: change.field, was: change.was, would_be: change.would_be }
    }
}

impl From<RolledDelivery> for ExampleJson {
    fn from(rolled: RolledDelivery) -> Self {
        let would_be = rolled.would_be();
        let delivery = rolled.delivery.unwrap_or_default();
        let state = words::state(delivery.state());
        let key = delivery.key.unwrap_or_default();
        Self {
            store: key.store,
            kind: key.kind,
            id: key.id,
            name: delivery.name,
            state,
            would_be: words::state(would_be),
            code: rolled.code,
            message: rolled.message,
            fields: rolled.fields.into_iter().map(FieldJson::from).collect(),
        }
    }
}

impl Told {
    const fn changes(&self) -> i64 {
        self.written + self.ignored + self.parked + self.waiting
    }

    /// Adds a page.
    fn add(&mut self, page: RollResponse) {
        self.plan = page.plan_hash;
        self.unchanged += page.unchanged;
        self.written += page.written;
        self.ignored += page.ignored;
        self.parked += page.parked;
        self.waiting += page.waiting;
        self.read_first += page.read_first;
        self.examples.extend(page.examples.into_iter().map(ExampleJson::from));
    }
}

/// Why a flow could not be looked at.
enum NotTold {
    /// Nobody of those who answer has it.
    Nobody,
    /// Somebody did not answer.
    Silent(Vec<Unanswered>),
}

pub(super) async fn run(command: PlanRoll, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let mut told = match look(&services, &command).await {
        Ok(told) => told,
        Err(NotTold::Nobody) => {
            terminal.problem(format!("no service that answers has the flow '{}' in its plan", command.flow))?;
            return Ok(NOT_WELL);
        }
        Err(NotTold::Silent(silent)) => {
            terminal.unanswered(&silent)?;
            return Ok(CANNOT_TELL);
        }
    };
    if !command.json {
        write(&told, terminal)?;
    }
    let mut code = WELL;
    if !command.dry_run && told.changes() > 0 {
        let question = format!("roll {}?", words::count(told.changes(), "delivery"));
        let agreed = command.yes || (!command.json && terminal.confirm(&question)?);
        if agreed {
            code = change(&services, &command, &mut told, terminal).await?;
        } else {
            terminal.problem("nothing was rolled: say yes, or give --yes")?;
            code = NOT_WELL;
        }
    }
    if command.json {
        terminal.json(&told)?;
    }
    Ok(code)
}

/// Finds the service whose business the flow is, and has it look at all of the flow's settled deliveries.
async fn look(services: &Services, command: &PlanRoll) -> Result<Told, NotTold> {
    let mut silent = Vec::new();
    for service in services.among(&DELIVERING) {
        let mut told = Told { flow: command.flow.clone(), service: service.to_owned(), ..Told::default() };
        let mut request =
            RollRequest { flow: command.flow.clone(), examples: command.examples, ..RollRequest::default() };
        loop {
            let page = match services.roll(service, request.clone()).await {
                Ok(page) if page.ours => page,
                Ok(_) => break,
                Err(unanswered) if unanswered.says(Code::NotFound) => break,
                // Halfway, what is left must not look like nothing.
                Err(unanswered) if !request.after.is_empty() => return Err(NotTold::Silent(vec![unanswered])),
                Err(unanswered) => {
                    silent.push(unanswered);
                    break;
                }
            };
            let more = page.more;
            request.after.clone_from(&page.cursor);
            // Every page has to be decided by the same plan.
            request.plan_hash.clone_from(&page.plan_hash);
            told.add(page);
            request.examples = command.examples - i32::try_from(told.examples.len()).unwrap_or(i32::MAX);
            if !more {
                return Ok(told);
            }
        }
    }
    Err(if silent.is_empty() { NotTold::Nobody } else { NotTold::Silent(silent) })
}

/// Rolls, so many a second.
async fn change(
    services: &Services,
    command: &PlanRoll,
    told: &mut Told,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let mut request = RollRequest {
        flow: command.flow.clone(),
        change: true,
        plan_hash: told.plan.clone(),
        actor: actor(),
        reason: command.reason.clone(),
        ..RollRequest::default()
    };
    let mut seconds = tokio::time::interval(A_SECOND);
    // A slow answer gives no right to hurry after it.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut left = 0;
    loop {
        if left <= 0 {
            seconds.tick().await;
            left = command.per_second;
        }
        request.most = left;
        let page = match services.roll(&told.service, request.clone()).await {
            Ok(page) => page,
            Err(unanswered) => {
                terminal.unanswered(&[unanswered])?;
                terminal.problem(format!("{} rolled until then", words::count(told.rolled, "delivery")))?;
                return Ok(CANNOT_TELL);
            }
        };
        request.after = page.cursor;
        told.rolled += page.changed;
        left -= i32::try_from(page.changed).unwrap_or(i32::MAX);
        terminal.progress(&format!("{} of {} rolled", told.rolled, told.changes()))?;
        if !page.more {
            break;
        }
    }
    terminal.progress_ends()?;
    if !command.json {
        terminal
            .line(&format!("{} rolled; `waybill status` shows how they fare", words::count(told.rolled, "delivery")))?;
    }
    Ok(WELL)
}

fn write(told: &Told, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let Told { flow, service, plan, .. } = told;
    terminal.line(&format!("flow '{flow}' under the plan {plan}, as {service} decides it"))?;
    for (number, word) in [
        (told.unchanged, "stay as they are"),
        (told.written, "would be written"),
        (told.ignored, "would be ignored"),
        (told.parked, "would be parked"),
        (told.waiting, "would wait"),
    ] {
        terminal.line(&format!("{number:>9}  {word}"))?;
    }
    if told.read_first > 0 {
        let fields = "the system's own values are read first: the plan may keep those, or park";
        terminal.line(&format!("Of {} that would be written, {fields}.", told.read_first))?;
    }
    for example in &told.examples {
        terminal.gap()?;
        let key = format!("{}/{}/{}", example.store, example.kind, example.id);
        let becomes = if example.would_be == "applied" { "written" } else { example.would_be };
        let line =
            format!("{}  {key}  {} → {becomes}  {} {}", example.name, example.state, example.code, example.message);
        terminal.line(line.trim_end())?;
        for field in example.fields.iter().take(FIELDS) {
            let was = field.was.as_ref().map_or_else(|| "never sent".to_owned(), |was| format!("'{was}'"));
            terminal.line(&format!("  {}.{}: {was} → '{}'", field.role, field.field, field.would_be))?;
        }
        if example.fields.len() > FIELDS {
            terminal.line(&format!("  and {} fields more", example.fields.len() - FIELDS))?;
        } else if example.fields.is_empty() && becomes == "written" && example.message.is_empty() {
            terminal.line("  no mapped field: what the document holds beside them")?;
        }
    }
    let shown = told.examples.len() as i64;
    if shown > 0 && shown < told.changes() {
        terminal.gap()?;
        terminal.line(&format!("and {} more", told.changes() - shown))?;
    }
    Ok(())
}
