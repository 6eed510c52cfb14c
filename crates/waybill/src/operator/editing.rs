//! `waybill parked edit`: a person's values in place of the plan's.

mod many;

use clap::Args;
use console::services::{self, Services, Unanswered, Who};
use tonic::Code;
use waybill_proto::wire::{EditRequest, EditResponse, RecordKey, State, edit_request::Value, edit_response::Change};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, record::meant, table::Table, terminal::Terminal};

/// What to write instead, for one parked record or for all that are parked with a code.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// What people call it ('#1001'), or its key (main/order/123); without it: all with the code.
    #[arg(required_unless_present = "code")]
    record: Option<String>,
    /// The system that it is parked for.
    #[arg(long)]
    system: String,
    /// All that are parked with this code.
    #[arg(long, conflicts_with = "record")]
    code: Option<String>,
    /// The value and where it stands: a mapped field (priority=high), the buyer's (customer.email=…), a line's
    /// (lines.0.item=…), an address's (shipping_address.zip=…). Nothing behind the '=' clears it. Where the plan comes to
    /// no value, it is a text unless you say otherwise: hours:number=5, gift:bool=true, due:time=…. Can be given again.
    #[arg(long = "set", value_name = "PLACE=VALUE", required = true, value_parser = placed)]
    values: Vec<(String, String)>,
    /// Why; kept with who and when.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Of all with a code: at most so many, those that were parked first.
    #[arg(long, requires = "code", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    limit: Option<usize>,
    /// Of all with a code: so many a second are edited and tried again; 0 for all at once.
    #[arg(long, requires = "code", default_value_t = 20.0)]
    rate: f64,
    /// Do not ask before many are edited.
    #[arg(long)]
    yes: bool,
    /// Tell only what it would come to.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: Where,
}

fn placed(text: &str) -> Result<(String, String), String> {
    let (place, value) = text.split_once('=').ok_or("give it as PLACE=VALUE")?;
    Ok((place.trim().to_owned(), value.to_owned()))
}

impl Edit {
    /// A trial of one record's edit.
    fn request(&self, key: RecordKey) -> EditRequest {
        let value = |(path, value): &(String, String)| Value { path: path.clone(), value: value.clone() };
        EditRequest {
            system: self.system.clone(),
            key: Some(key),
            values: self.values.iter().map(value).collect(),
            dry_run: true,
            ..EditRequest::default()
        }
    }
}

/// Whether the service answered, and said no to it.
fn is_refused(unanswered: &Unanswered) -> bool {
    unanswered.says(Code::FailedPrecondition) || unanswered.says(Code::InvalidArgument)
}

pub(super) async fn run(command: Edit, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let who = Who { actor: actor(), reason: command.reason.clone() };
    match (&command.record, &command.code) {
        (None, Some(code)) => many::run(&services, &command, code, who, terminal).await,
        (record, _) => one(&services, &command, record.as_deref().unwrap_or_default(), who, terminal).await,
    }
}

/// Edits exactly one delivery: the records that bear the name are tried without effect first.
async fn one(
    services: &Services,
    command: &Edit,
    record: &str,
    who: Who,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let meant = meant(services, record).await;
    let mut silent = terminal.unanswered(&meant.unanswered)?;
    if meant.keys.is_empty() {
        return super::trace::nothing(record, silent, terminal);
    }
    let mut fit = Vec::new();
    let mut refusals = Vec::new();
    for key in meant.keys {
        let request = command.request(key);
        let told = services.edit(request.clone(), who.clone()).await;
        fit.extend(told.found.into_iter().map(|(service, answer)| (service, request.clone(), answer)));
        for unanswered in told.unanswered {
            if is_refused(&unanswered) {
                refusals.push(unanswered);
            } else if !unanswered.says(Code::NotFound) {
                silent |= terminal.unanswered(&[unanswered])?;
            }
        }
    }
    let [(service, request, told)] = &fit[..] else {
        if fit.is_empty() {
            terminal.unanswered(&refusals)?;
            if refusals.is_empty() {
                terminal.problem(format!("{record} is not there for {}", command.system))?;
            }
        } else {
            let keys: Vec<_> =
                fit.iter().filter_map(|(_, request, _)| request.key.as_ref()).map(services::written).collect();
            terminal.problem(format!("{record} may mean {}: say which", keys.join(" or ")))?;
        }
        return Ok(if silent { CANNOT_TELL } else { NOT_WELL });
    };
    show(told, terminal)?;
    if command.dry_run {
        return Ok(WELL);
    }
    let request = EditRequest { dry_run: false, seen: told.revision, ..request.clone() };
    match services.edit_at(service, request, who).await {
        Ok(_) => {
            terminal.line("edited, and tried again now")?;
            Ok(WELL)
        }
        Err(unanswered) => {
            let refused = unanswered.says(Code::FailedPrecondition);
            terminal.unanswered(&[unanswered])?;
            Ok(if refused { NOT_WELL } else { CANNOT_TELL })
        }
    }
}

fn show(told: &EditResponse, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["value", "by the plan", "by you"]);
    for change in &told.changes {
        table.row([change.path.clone(), by_plan(change), change.would_be.clone()]);
    }
    table.write(terminal.out, "")?;
    terminal.line(&format!("with it, the record {}", comes_to(told)))?;
    Ok(())
}

/// What the plan comes to in its place, or why it comes to nothing.
fn by_plan(change: &Change) -> String {
    if change.was_error.is_empty() { change.was.clone() } else { format!("none: {}", change.was_error) }
}

/// What becomes of the record then.
fn comes_to(told: &EditResponse) -> String {
    match told.would_be() {
        State::Applied => "is written".to_owned(),
        State::Waiting => format!("waits: {}", told.message),
        State::Parked => format!("is still parked ({}): {}", told.code, told.message),
        _ => format!("is kept away ({})", told.code),
    }
}
