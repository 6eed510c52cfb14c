//! `waybill parked edit`: a person's values in place of the plan's.

use clap::Args;
use console::services::{self, Who};
use tonic::Code;
use waybill_proto::wire::{EditRequest, EditResponse, State, edit_request::Value};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, record::meant, table::Table, terminal::Terminal};

/// What to write instead, for one parked record.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    /// The system that it is parked for.
    #[arg(long)]
    system: String,
    /// The value and where it stands: a mapped field (priority=high), the buyer's (customer.email=…), a line's
    /// (lines.0.item=…), an address's (shipping_address.zip=…). Nothing behind the '=' clears it. Where the plan comes to
    /// no value, it is a text unless you say otherwise: hours:number=5, gift:bool=true, due:time=…. Can be given again.
    #[arg(long = "set", value_name = "PLACE=VALUE", required = true, value_parser = placed)]
    values: Vec<(String, String)>,
    /// Why; kept with who and when.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
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

/// Edits exactly one delivery: the records that bear the name are tried without effect first.
pub(super) async fn run(command: Edit, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let meant = meant(&services, &command.record).await;
    let mut silent = terminal.unanswered(&meant.unanswered)?;
    if meant.keys.is_empty() {
        return super::trace::nothing(&command.record, silent, terminal);
    }
    let who = Who { actor: actor(), reason: command.reason.clone() };
    let mut fit = Vec::new();
    let mut refusals = Vec::new();
    for key in meant.keys {
        let request = EditRequest {
            system: command.system.clone(),
            key: Some(key.clone()),
            values: command
                .values
                .iter()
                .map(|(path, value)| Value { path: path.clone(), value: value.clone() })
                .collect(),
            dry_run: true,
            ..EditRequest::default()
        };
        let told = services.edit(request.clone(), who.clone()).await;
        fit.extend(told.found.into_iter().map(|(service, answer)| (service, request.clone(), answer)));
        for unanswered in told.unanswered {
            if unanswered.says(Code::FailedPrecondition) || unanswered.says(Code::InvalidArgument) {
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
                terminal.problem(format!("{} is not there for {}", command.record, command.system))?;
            }
        } else {
            let keys: Vec<_> =
                fit.iter().filter_map(|(_, request, _)| request.key.as_ref()).map(services::written).collect();
            terminal.problem(format!("{} may mean {}: say which", command.record, keys.join(" or ")))?;
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
        let was = if change.was_error.is_empty() { change.was.clone() } else { format!("none: {}", change.was_error) };
        table.row([change.path.clone(), was, change.would_be.clone()]);
    }
    table.write(terminal.out, "")?;
    let what = match told.would_be() {
        State::Applied => "with it, the record is written".to_owned(),
        State::Waiting => format!("with it, the record waits: {}", told.message),
        State::Parked => format!("with it, the record is still parked ({}): {}", told.code, told.message),
        _ => format!("with it, the record is kept away ({})", told.code),
    };
    terminal.line(&what)?;
    Ok(())
}
