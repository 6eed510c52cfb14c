//! `waybill reconcile`: stores are compared with what is known of them, now.

use std::time::Duration;

use clap::Args;
use console::{services::Services, words};
use jiff::Timestamp;
use waybill_proto::{
    convert::to_timestamp,
    wire::{ReconcileRequest, Reconciliation},
};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, table::Table, terminal::Terminal};

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which store, and from when on.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The store, by its name in the plan. Without it: all.
    #[arg(long, default_value = "")]
    store: String,
    /// From this instant on, such as 2026-11-21T09:00:00Z. Without it: from where the comparison stands.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Reconcile, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let request = ReconcileRequest { store: command.store, since: command.since.map(to_timestamp) };
    let asked = match services.reconcile(request).await {
        Ok(asked) => asked,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    let Some(ended) = until_ended(&services, &asked, terminal).await? else { return Ok(CANNOT_TELL) };
    let mut table = Table::new(&["store", "kind", "#compared", "#missing", "#old", "#gone", "compared to"]);
    let (mut found, mut failed) = (0, false);
    for (before, after) in &ended {
        let (missing, old, gone) = (after.missing - before.missing, after.old - before.old, after.gone - before.gone);
        found += missing + old + gone;
        failed |= !done(before, after);
        table.row([
            after.store.clone(),
            after.kind.clone(),
            (after.compared - before.compared).to_string(),
            missing.to_string(),
            old.to_string(),
            gone.to_string(),
            terminal.time(words::instant(after.compared_to)),
        ]);
    }
    table.write(terminal.out, "")?;
    for (_, after) in ended.iter().filter(|(before, after)| !done(before, after)) {
        terminal.problem(format!("{} {} is not compared yet: {}", after.store, after.kind, after.message))?;
    }
    if found > 0 {
        terminal.line("What was missing, old or gone was read by API.")?;
    }
    let retried: i64 = ended.iter().map(|(_, after)| after.retried).sum();
    if retried > 0 {
        let records = words::count(retried, "record");
        terminal.problem(format!("{records} could not be read by API yet; this is tried again until it succeeds"))?;
    }
    Ok(if failed || retried > 0 { NOT_WELL } else { WELL })
}

/// Waits until each is done or has failed, and what was found is read; how each stood when it was asked for, and how it
/// stands.
async fn until_ended(
    services: &Services,
    asked: &[Reconciliation],
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Option<Vec<(Reconciliation, Reconciliation)>>> {
    loop {
        let now = match services.reconciliations().await {
            Ok(now) => now,
            Err(unanswered) => {
                terminal.problem(unanswered)?;
                return Ok(None);
            }
        };
        let same =
            |one: &Reconciliation, other: &Reconciliation| (&one.store, &one.kind) == (&other.store, &other.kind);
        let pairs: Vec<_> = asked
            .iter()
            .filter_map(|before| Some((before.clone(), now.iter().find(|after| same(before, after))?.clone())))
            .collect();
        let ended =
            |(before, after): &(Reconciliation, Reconciliation)| done(before, after) || !after.message.is_empty();
        let to_read: i64 = pairs.iter().map(|(_, after)| after.to_read - after.retried).sum();
        let all_ended = pairs.iter().all(ended);
        if all_ended && to_read == 0 {
            return Ok(Some(pairs));
        }
        if all_ended {
            terminal.progress(&format!("{} to be read", words::count(to_read, "record")))?;
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let compared: i64 = pairs.iter().map(|(before, after)| after.compared - before.compared).sum();
        terminal.progress(&words::count(compared, "record"))?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn done(before: &Reconciliation, after: &Reconciliation) -> bool {
    after.answered >= before.asked
}
