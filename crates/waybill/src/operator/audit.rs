//! `waybill audit`: what systems hold, compared with what was brought there.

mod told;

use std::time::Duration;

use clap::Args;
use console::{
    services::{DELIVERING, Services, Unanswered, WATCH},
    words,
};
use waybill_domain::Kind;
use waybill_proto::{
    convert::to_timestamp,
    wire::{AuditRequest, AuditResponse},
};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, backfill::Since, place::Place, terminal::Terminal};
use told::Told;

/// Deliveries compared at once, at most.
const PAGE: i32 = 50;
/// So often in a row a page is asked for again, each time a second later, once a service has answered.
const FAILURES: u32 = 8;
const AGAIN: Duration = Duration::from_secs(1);
/// A limit that holds so many times in a row is not waited for any more.
const WAITS: u32 = 20;

/// What is compared, and whether it is mended.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only this system, by its name in the plan.
    #[arg(long, default_value = "")]
    system: String,
    /// Only records of this kind: order, customer, shipment, stock-level, price, refund.
    #[arg(long)]
    kind: Option<Kind>,
    /// Only records of this store, by its name in the plan.
    #[arg(long, default_value = "")]
    store: String,
    /// Only what was settled from then on: an instant such as 2026-11-21T09:00:00Z, or a day.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Have what is missing, and what differs where ours stands by the plan, written again.
    #[arg(long)]
    heal: bool,
    /// With --heal: only show what it would do.
    #[arg(long, requires = "heal")]
    dry_run: bool,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    /// Show what was sent and what is there. That may name people.
    #[arg(long)]
    values: bool,
    /// Compare so many deliveries at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

impl Audit {
    fn heals(&self) -> bool {
        self.heal && !self.dry_run
    }

    fn request(&self, terminal: &Terminal<'_>) -> anyhow::Result<AuditRequest> {
        let since = self.since.as_ref().map(|since| since.instant(&terminal.zone)).transpose()?;
        Ok(AuditRequest {
            system: self.system.clone(),
            kind: self.kind.map(|kind| kind.to_string()).unwrap_or_default(),
            store: self.store.clone(),
            since: since.map(to_timestamp),
            heal: self.heals(),
            actor: actor(),
            reason: self.reason.clone(),
            values: self.values,
            ..AuditRequest::default()
        })
    }
}

pub(super) async fn run(command: Audit, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let request = command.request(terminal)?;
    let mut told = Told::default();
    let mut silent = Vec::new();
    // The watch delivers pages, which nobody can be asked for.
    for service in services.among(&DELIVERING).into_iter().filter(|service| *service != WATCH) {
        if let Err(unanswered) = through(&services, service, &command, request.clone(), &mut told, terminal).await? {
            silent.push(unanswered);
        }
    }
    terminal.progress_ends()?;
    if command.json {
        terminal.json(&told)?;
    } else {
        told.write(command.values, command.heals(), terminal)?;
    }
    let is_silent = terminal.unanswered(&silent)?;
    for one in &told.unasked {
        terminal.problem(format!("{} cannot be asked by {}: {}", one.system, one.service, one.reason))?;
    }
    if !is_silent && !command.system.is_empty() && !told.serves(&command.system) {
        terminal.problem(format!("no service that answers serves the system '{}'", command.system))?;
        return Ok(NOT_WELL);
    }
    Ok(match (is_silent || !told.unasked.is_empty(), told.is_clean()) {
        (true, _) => CANNOT_TELL,
        (false, true) => WELL,
        (false, false) => NOT_WELL,
    })
}

/// All pages of one service, or as many as the limit lets through.
async fn through(
    services: &Services,
    service: &str,
    command: &Audit,
    mut request: AuditRequest,
    told: &mut Told,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Result<(), Unanswered>> {
    let (mut waits, mut failures, mut begun) = (0, 0, false);
    loop {
        let left = command.limit.map_or(i64::MAX, |limit| limit - told.compared);
        if left <= 0 {
            return Ok(Ok(()));
        }
        request.limit = i32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page: AuditResponse = match services.audit(service, request.clone()).await {
            Ok(page) => page,
            // An audit goes on for as long as vendors' limits make it: a service may be replaced meanwhile.
            Err(unanswered) if begun && failures < FAILURES && unanswered.may_pass() => {
                failures += 1;
                tokio::time::sleep(failures * AGAIN).await;
                continue;
            }
            Err(unanswered) => return Ok(Err(unanswered)),
        };
        (failures, begun) = (0, true);
        let (more, wait_ms) = (page.more, u64::try_from(page.wait_ms).unwrap_or_default());
        request.after.clone_from(&page.cursor);
        told.add(service, page);
        terminal.progress(&format!("{} compared", words::count(told.compared, "delivery")))?;
        if !more {
            return Ok(Ok(()));
        }
        waits = if wait_ms == 0 { 0 } else { waits + 1 };
        if waits > WAITS {
            let system = request.after.split('/').next().unwrap_or_default();
            told.gives_up(service, system);
            return Ok(Ok(()));
        }
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}
