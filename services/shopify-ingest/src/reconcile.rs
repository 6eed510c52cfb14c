//! The store is asked what changed, so that a webhook that never came is found.

mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod window;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connector_shopify::changes::{Changes, FOUND_BY_TIME, in_order};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use waybill_connector::Failure;
use waybill_domain::RecordId;

use crate::{
    app::{Shared, Shop},
    refetch, retry, turns,
};
use store::{Claim, Found, Held};
use waybill_runtime::database;
use window::{Lie, Reached, Window};

pub(crate) use store::standings;

/// A window of more pages is cut: what fails is done again from the window's beginning.
const PAGES: usize = 10;
const REASON: &str = "reconciliation";

/// How often, and how far back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reconciling {
    pub(crate) every: Duration,
    pub(crate) overlap: SignedDuration,
    pub(crate) young: SignedDuration,
}

/// Why a window was not compared to its end.
enum Stop {
    Failure(Failure),
    Database(sqlx::Error),
    /// Another replica took over.
    Lost,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Compares stores until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) -> anyhow::Result<()> {
    let stores: Vec<String> = shared.shops.keys().map(ToString::to_string).collect();
    // Beginning again changes nothing, and until it has succeeded there is nothing to claim.
    let begun = AtomicBool::new(false);
    turns::take("reconciliation", &shared.to_reconcile, &stop, || async {
        if !begun.load(Ordering::Relaxed) {
            begin(&shared).await?;
            begun.store(true, Ordering::Relaxed);
        }
        match store::claim(shared.ledger.pool(), &stores).await? {
            Some(claim) => one(&shared, &claim).await.map(|()| true),
            None => Ok(false),
        }
    })
    .await
}

async fn begin(shared: &Shared) -> sqlx::Result<()> {
    for name in shared.shops.keys() {
        for kind in FOUND_BY_TIME {
            store::begin(shared.ledger.pool(), name, kind, shared.clock.now()).await?;
        }
    }
    Ok(())
}

/// A person wishes that stores be compared now, from `since` on if it is given.
pub(crate) async fn ask(shared: &Shared, stores: &[String], since: Option<Timestamp>) -> sqlx::Result<()> {
    // A service that has just started may not have begun with every kind.
    begin(shared).await?;
    store::ask(shared.ledger.pool(), stores, since).await?;
    shared.to_reconcile.notify_one();
    Ok(())
}

/// One window.
async fn one(shared: &Shared, claim: &Claim) -> sqlx::Result<()> {
    let Some(shop) = shared.shops.get(&claim.store) else { return Ok(()) };
    let pool = shared.ledger.pool();
    let Reconciling { every, overlap, young } = shared.reconciling;
    let mut window = Window::open(Lie { overlap, young }, claim.watermark, shared.clock.now());
    let mut compared = compare(shared, shop, claim, &mut window).await;
    if matches!(compared, Ok((Reached { to_the_end: true, .. }, _)))
        && sweep::applies(claim.kind)
        && let Err(stop) = sweep::next(shared, shop, claim).await
    {
        match stop {
            // What changed is compared all the same; those are asked after with the next comparison.
            Stop::Failure(failure) => {
                tracing::info!(store = %claim.store, kind = %claim.kind, class = failure.class(), %failure,
                    "what we hold could not be asked after");
            }
            stop => compared = Err(stop),
        }
    }
    match compared {
        Ok((reached, left_young)) => {
            let (compared_to, next_in) = if reached.to_the_end {
                // Those that may still be on their way are looked at again once they had the time.
                let again = Duration::try_from(young).unwrap_or_default() + Duration::from_secs(1);
                (window.began_at(), if left_young { again.min(every) } else { every })
            } else {
                (reached.watermark, Duration::ZERO)
            };
            store::finish(pool, claim, reached, compared_to, next_in.as_secs_f64()).await?;
            behind(shared, claim, compared_to);
        }
        Err(Stop::Failure(failure)) => {
            let wait = retry::wait(&failure, claim.attempts, fastrand::f64());
            tracing::warn!(store = %claim.store, kind = %claim.kind, class = failure.class(), %failure,
                "a store could not be compared; what changed there since is compared later");
            store::fail(pool, claim, wait.as_secs_f64(), &failure.to_string()).await?;
            behind(shared, claim, claim.watermark);
        }
        Err(Stop::Database(error)) => return Err(error),
        Err(Stop::Lost) => tracing::info!(store = %claim.store, kind = %claim.kind, "another replica goes on"),
    }
    let problems = store::problems(pool).await?;
    shared.health.remark("reconciliation", (!problems.is_empty()).then(|| problems.join("; ")));
    Ok(())
}

/// Pages through a window: how far it brings us, and whether some of it was too young to be missed.
async fn compare(shared: &Shared, shop: &Shop, claim: &Claim, window: &mut Window) -> Result<(Reached, bool), Stop> {
    let (mut after, mut pages, mut left_young): (Option<String>, _, _) = (None, 0, false);
    loop {
        let page = shop.api.changed(claim.kind, window.from(), after.as_deref()).await?;
        left_young |= compare_page(shared, claim, window, &page).await?;
        pages += 1;
        after = match page.next {
            None => return Ok((window.end(), left_young)),
            next => next,
        };
        if pages >= PAGES
            && in_order(claim.kind)
            && let Some(reached) = window.cut()
        {
            return Ok((reached, left_young));
        }
    }
}

/// Wishes for what is missing or old. Whether some was too young to be missed.
async fn compare_page(shared: &Shared, claim: &Claim, window: &mut Window, page: &Changes) -> Result<bool, Stop> {
    let mut ids: Vec<RecordId> = page.records.iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    let mut transaction = database::begin(shared.ledger.pool()).await?;
    let held = store::held(&mut transaction, claim, &ids).await?;
    let mut found = Found { compared: page.records.len().try_into().unwrap_or(i64::MAX), ..Found::default() };
    let (mut wanted, mut left_young) = (Vec::new(), false);
    for (id, changed_at) in &page.records {
        window.saw(*changed_at);
        let held = held.get(id);
        if is_held(held, *changed_at) {
            // Not each of them all day long: only where a person suspects something, and of the last minutes.
            if claim.is_asked && window.is_recent(*changed_at) && held.is_some_and(|held| !held.is_sure) {
                wanted.push(id);
            }
            continue;
        }
        if window.is_young(*changed_at) && !claim.is_asked {
            left_young = true;
            continue;
        }
        wanted.push(id);
        match held {
            // It was found before, or a webhook asks for the same read.
            Some(held) if held.to_be_read => {}
            Some(held) if held.known => found.old += 1,
            _ => found.missing += 1,
        }
    }
    // In one order everywhere: two transactions must not lock each other out.
    wanted.sort();
    for id in &wanted {
        refetch::want(&mut transaction, &claim.store, claim.kind, id, REASON, "").await?;
    }
    if !store::count(&mut transaction, claim, found).await? {
        return Err(Stop::Lost);
    }
    transaction.commit().await?;
    if !wanted.is_empty() {
        shared.to_refetch.notify_one();
    }
    tell(shared, claim, found);
    Ok(left_young)
}

/// Whether the ledger holds a record as the store had it at `changed_at`, or later.
fn is_held(held: Option<&Held>, changed_at: Timestamp) -> bool {
    held.and_then(|held| held.updated_at).is_some_and(|ours| ours >= changed_at)
}

fn tell(shared: &Shared, claim: &Claim, found: Found) {
    let (store, kind) = (("store", claim.store.as_str()), ("kind", claim.kind.as_str()));
    shared.metrics.add("waybill_reconciled_total", &[store, kind], found.compared);
    for (what, count) in [("missing", found.missing), ("old", found.old)] {
        shared.metrics.add("waybill_reconciliation_found_total", &[store, kind, ("found", what)], count);
    }
    if found.missing + found.old > 0 {
        tracing::warn!(store = %claim.store, kind = %claim.kind, missing = found.missing, old = found.old,
            "webhooks did not come; what they would have told is read by API");
    }
}

fn behind(shared: &Shared, claim: &Claim, compared_to: Timestamp) {
    let behind_s = shared.clock.now().duration_since(compared_to).as_secs();
    let labels = [("store", claim.store.as_str()), ("kind", claim.kind.as_str())];
    shared.metrics.set("waybill_reconciliation_behind_seconds", &labels, behind_s);
}
