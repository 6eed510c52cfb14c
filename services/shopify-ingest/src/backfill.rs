//! A store's history, imported by bulk operation. What is done stands in the table, so that a killed service goes on.

mod import;
mod store;

use std::{sync::Arc, time::Duration};

use connector_shopify::bulk::{
    BulkError,
    operation::{self, Begun},
};
use tokio_util::sync::CancellationToken;
use waybill_connector::Failure;
use waybill_domain::{Kind, RecordId};

use crate::{
    app::{Shared, Shop},
    retry, turns,
};
use store::{Claim, Stage};

pub(crate) use store::{Standing, ask, cancel, standings};

/// What can be imported.
pub(crate) const KINDS: [Kind; 3] = [Kind::Order, Kind::Customer, Kind::Product];

/// Other bulk operations of the app are running.
const FULL: Duration = Duration::from_secs(60);

/// How it is imported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backfilling {
    pub(crate) records_per_second: u32,
    pub(crate) poll: Duration,
}

/// Why a backfill does not go on now.
enum Stop {
    Failure(Failure),
    File(BulkError),
    Database(sqlx::Error),
    /// Another replica took over, or a person ended it.
    Lost,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<BulkError> for Stop {
    fn from(error: BulkError) -> Self {
        Self::File(error)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Goes on with backfills until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) -> anyhow::Result<()> {
    let stores: Vec<String> = shared.shops.keys().map(ToString::to_string).collect();
    turns::take("backfill", &shared.to_backfill, &stop, || async {
        match store::claim(shared.ledger.pool(), &stores).await? {
            Some(claim) => one(&shared, &claim).await.map(|()| true),
            None => Ok(false),
        }
    })
    .await
}

async fn one(shared: &Shared, claim: &Claim) -> sqlx::Result<()> {
    let Some(shop) = shared.shops.get(&claim.store) else { return Ok(()) };
    let pool = shared.ledger.pool();
    let outcome = match (claim.stage, &claim.operation, claim.began_at) {
        (Stage::Gathering, Some(operation), _) => gather(shared, shop, claim, operation).await,
        (Stage::Importing, Some(_), Some(began_at)) => match import::rest(shared, shop, claim, began_at).await {
            Ok(()) => Ok(store::end(pool, claim, "done", "").await?),
            Err(stop) => Err(stop),
        },
        _ => begin(shared, shop, claim).await,
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(Stop::Failure(failure)) => failed(shared, shop, claim, &failure).await,
        Err(Stop::File(error)) => {
            let message = format!("the file cannot be read: {error}");
            tracing::error!(backfill = claim.id, message, "a backfill failed");
            store::end(pool, claim, "failed", &message).await
        }
        Err(Stop::Database(error)) => Err(error),
        Err(Stop::Lost) => {
            tracing::info!(backfill = claim.id, "a backfill goes on elsewhere, or was ended");
            Ok(())
        }
    }
}

/// Has Shopify begin.
async fn begin(shared: &Shared, shop: &Shop, claim: &Claim) -> Result<(), Stop> {
    let pool = shared.ledger.pool();
    // What reaches us from now on is newer than what the operation reads, or the same.
    let began_at = shared.clock.now();
    match shop.api.bulk_begin(claim.kind, claim.since).await? {
        Begun::Running(operation) => Ok(store::gathering(pool, claim, &operation.id, began_at).await?),
        Begun::Full => {
            let message = "other bulk operations of the app are running in the store; it is begun once one has ended";
            Ok(store::later(pool, claim, FULL.min(shared.backfilling.poll * 12).as_secs_f64(), message).await?)
        }
    }
}

/// Asks how far Shopify has come.
async fn gather(shared: &Shared, shop: &Shop, claim: &Claim, begun: &RecordId) -> Result<(), Stop> {
    let pool = shared.ledger.pool();
    let Some(found) = shop.api.bulk_operation(begun).await? else {
        let message = "Shopify does not know the bulk operation any more: start the backfill again";
        return Ok(store::end(pool, claim, "failed", message).await?);
    };
    match found.standing {
        operation::Standing::GoesOn => {
            Ok(store::gathered(pool, claim, found.objects, shared.backfilling.poll.as_secs_f64()).await?)
        }
        operation::Standing::Done { url: None } => Ok(store::end(pool, claim, "done", "").await?),
        operation::Standing::Done { url: Some(url) } => Ok(store::importing(pool, claim, &url, found.objects).await?),
        operation::Standing::Failed { code, partial } => {
            let message = what_to_do(&code, partial);
            tracing::error!(backfill = claim.id, store = %claim.store, kind = %claim.kind, message, "a backfill failed");
            Ok(store::end(pool, claim, "failed", &message).await?)
        }
    }
}

async fn failed(shared: &Shared, shop: &Shop, claim: &Claim, failure: &Failure) -> sqlx::Result<()> {
    let pool = shared.ledger.pool();
    match failure {
        // The address has ended: the operation tells a new one, or that its file is gone.
        Failure::Rejected { code, .. } if code == "file" && claim.attempts < 3 => {
            let asked = match &claim.operation {
                Some(begun) => shop.api.bulk_operation(begun).await,
                None => Ok(None),
            };
            match asked.map(|found| found.map(|found| (found.standing, found.objects))) {
                Ok(Some((operation::Standing::Done { url: Some(url) }, objects))) if url != claim.url => {
                    store::importing(pool, claim, &url, objects).await
                }
                Ok(Some((operation::Standing::Failed { code, partial }, _))) => {
                    store::end(pool, claim, "failed", &what_to_do(&code, partial)).await
                }
                _ => store::later(pool, claim, 5.0, &failure.to_string()).await,
            }
        }
        Failure::Rejected { .. } | Failure::Malformed { .. } => {
            tracing::error!(backfill = claim.id, class = failure.class(), %failure, "a backfill failed");
            store::end(pool, claim, "failed", &failure.to_string()).await
        }
        _ => {
            tracing::warn!(backfill = claim.id, class = failure.class(), %failure, "a backfill goes on later");
            let wait = retry::wait(failure, claim.attempts, fastrand::f64());
            store::later(pool, claim, wait.as_secs_f64(), &failure.to_string()).await
        }
    }
}

/// What a failed operation's code means to a person.
fn what_to_do(code: &str, partial: bool) -> String {
    let what = match code {
        "ACCESS_DENIED" => {
            "the app lacks a scope for what is read: `waybill setup` names it; add it, install the app again, and start \
             the backfill again"
        }
        "TIMEOUT" => "Shopify took too long: start it again with a later --since, or for one kind at a time",
        "INTERNAL_SERVER_ERROR" => "Shopify had trouble of its own: start it again",
        "CANCELED" | "CANCELING" => "somebody ended the bulk operation in the store: start it again",
        "EXPIRED" => "the file is kept for seven days and is gone: start it again",
        _ => "start it again",
    };
    let part = if partial {
        ". A part of the file is there and is not read, as what it leaves out cannot be told"
    } else {
        ""
    };
    format!("{code}: {what}{part}")
}

#[cfg(test)]
mod tests {
    use super::what_to_do;

    #[test]
    fn each_way_to_fail_says_what_to_do() {
        assert!(what_to_do("ACCESS_DENIED", false).starts_with("ACCESS_DENIED: the app lacks a scope"));
        assert!(what_to_do("EXPIRED", false).ends_with("start it again"));
        assert!(what_to_do("TIMEOUT", true).contains("is not read"));
    }
}
