//! The same values for all records that are parked for one cause.

use std::{collections::BTreeSet, time::Duration};

use console::{
    services::{self, PARKED_LIMIT, Services, Unanswered, Who},
    words,
};
use tonic::Code;
use waybill_proto::wire::{Delivery, EditRequest, EditResponse, State};

use super::{Edit, by_plan, comes_to, is_refused};
use crate::operator::{CANNOT_TELL, NOT_WELL, WELL, table::Table, terminal::Terminal};

/// A parked delivery, and what the edit would come to.
struct Fit {
    delivery: Delivery,
    request: EditRequest,
    told: EditResponse,
}

/// What was looked at before anything is written.
#[derive(Default)]
struct Tried {
    fit: Vec<Fit>,
    /// Those that the edit does not help, and why.
    others: Vec<(Delivery, String)>,
    /// Services that did not answer. They are not asked again.
    silent: Vec<Unanswered>,
}

/// Edits every delivery that is parked with the code: each is tried without effect and shown first, and written only at
/// the revision that was shown.
pub(super) async fn run(
    services: &Services,
    command: &Edit,
    code: &str,
    who: Who,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let parked = services.parked(Some(command.system.clone()), Some(code.to_owned())).await;
    let mut silent = terminal.unanswered(&parked.unanswered)?;
    for service in &parked.cut {
        terminal.problem(format!("{service} names {PARKED_LIMIT} at once; do this again for the rest"))?;
    }
    let mut deliveries: Vec<Delivery> = parked.groups.into_iter().flat_map(|group| group.deliveries).collect();
    deliveries.sort_by_key(|delivery| words::instant(delivery.changed_at));
    deliveries.truncate(command.limit.unwrap_or(usize::MAX));
    let tried = try_each(services, command, deliveries, &who).await;
    silent |= terminal.unanswered(&tried.silent)?;
    show(&tried, terminal)?;
    let many = words::count(i64::try_from(tried.fit.len())?, "delivery");
    let outcome = |silent, is_whole| match (silent, is_whole) {
        (true, _) => CANNOT_TELL,
        (false, true) => WELL,
        (false, false) => NOT_WELL,
    };
    if command.dry_run || tried.fit.is_empty() {
        terminal.line(&format!("{many} would be edited"))?;
        return Ok(outcome(silent, tried.others.is_empty()));
    }
    if !command.yes && !terminal.confirm(&format!("edit {many} of {}?", command.system))? {
        terminal.problem("nothing was edited: say yes, or give --yes")?;
        return Ok(NOT_WELL);
    }
    let mut is_whole = tried.others.is_empty() && parked.cut.is_empty();
    let (mut edited, mut unreached) = (0, BTreeSet::new());
    for Fit { delivery, request, told } in tried.fit {
        if unreached.contains(&delivery.service) {
            continue;
        }
        let request = EditRequest { dry_run: false, seen: told.revision, ..request };
        match services.edit_at(&delivery.service, request, who.clone()).await {
            Ok(_) => edited += 1,
            Err(refusal) if is_refused(&refusal) => {
                is_whole = false;
                terminal.problem(format!("{}: {}", named(&delivery), refusal.problem))?;
            }
            Err(unanswered) => {
                silent |= terminal.unanswered(&[unanswered])?;
                unreached.insert(delivery.service);
            }
        }
        if command.rate > 0.0 {
            tokio::time::sleep(Duration::try_from_secs_f64(1.0 / command.rate).unwrap_or(Duration::MAX)).await;
        }
    }
    terminal.line(&format!("{} edited, and tried again", words::count(edited, "delivery")))?;
    Ok(outcome(silent, is_whole))
}

async fn try_each(services: &Services, command: &Edit, deliveries: Vec<Delivery>, who: &Who) -> Tried {
    let mut tried = Tried::default();
    for delivery in deliveries {
        let Some(key) = delivery.key.clone() else { continue };
        if tried.silent.iter().any(|one| one.service == delivery.service) {
            continue;
        }
        let request = command.request(key);
        match services.edit_at(&delivery.service, request.clone(), who.clone()).await {
            Ok(told) if told.would_be() == State::Parked => tried.others.push((delivery, comes_to(&told))),
            Ok(told) => tried.fit.push(Fit { delivery, request, told }),
            // Settled meanwhile, by whoever it was.
            Err(refusal) if refusal.says(Code::NotFound) => {}
            // Unavailable is also what hangs on a record that is fetched.
            Err(refusal) if is_refused(&refusal) || refusal.says(Code::Unavailable) => {
                tried.others.push((delivery, refusal.problem.to_string()));
            }
            Err(unanswered) => tried.silent.push(unanswered),
        }
    }
    tried
}

fn show(tried: &Tried, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["name", "record", "value", "by the plan", "by you", "then"]);
    for Fit { delivery, told, .. } in &tried.fit {
        for change in &told.changes {
            table.row([
                delivery.name.clone(),
                delivery.key.as_ref().map(services::written).unwrap_or_default(),
                change.path.clone(),
                by_plan(change),
                change.would_be.clone(),
                comes_to(told),
            ]);
        }
    }
    if !tried.fit.is_empty() {
        table.write(terminal.out, "")?;
    }
    for (delivery, why) in &tried.others {
        terminal.problem(format!("{}: {why}", named(delivery)))?;
    }
    Ok(())
}

fn named(delivery: &Delivery) -> String {
    let key = delivery.key.as_ref().map(services::written).unwrap_or_default();
    if delivery.name.is_empty() { key } else { format!("{} ({key})", delivery.name) }
}
