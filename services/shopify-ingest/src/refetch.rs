//! Records that a webhook does not tell whole are read by API.

use std::{iter, sync::Arc, time::Duration};

use connector_shopify::body::content_hash;
use futures::{StreamExt as _, stream};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use waybill_delivery::ledger::{Observed, Origin};
use waybill_domain::{Body, Kind, RecordId, RecordKey, StoreName};
use waybill_runtime::database;

use crate::{app::Shared, refunds, retry};

const BATCH: i64 = 16;
const AT_ONCE: usize = 4;
const POLL: Duration = Duration::from_secs(1);

/// Wishes that a record be read, within the caller's transaction.
pub(crate) async fn want(
    db: &mut PgConnection,
    store: &StoreName,
    kind: Kind,
    id: &RecordId,
    reason: &str,
    traceparent: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into refetch as r (store, kind, record_id, reason, traceparent) values ($1, $2, $3, $4, $5)
         on conflict (store, kind, record_id) do update
             set wish = r.wish + 1, reason = excluded.reason, due_at = least(r.due_at, now())",
    )
    .bind(store.as_str())
    .bind(kind.as_str())
    .bind(id.as_str())
    .bind(reason)
    .bind(traceparent)
    .execute(db)
    .await?;
    Ok(())
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct Wish {
    store: String,
    kind: String,
    record_id: String,
    wish: i64,
    attempts: i32,
    traceparent: String,
}

/// Reads what is wished for until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let done = match batch(&shared).await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, "wishes cannot be read; trying again");
                0
            }
        };
        if done == 0 {
            tokio::select! {
                () = stop.cancelled() => {}
                () = shared.to_refetch.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    Ok(())
}

async fn batch(shared: &Arc<Shared>) -> sqlx::Result<usize> {
    let wishes: Vec<Wish> = sqlx::query_as(
        "with due as (
             select store, kind, record_id from refetch
             where due_at <= now() and (lease_until is null or lease_until < now())
             order by due_at limit $1 for update skip locked
         )
         update refetch r set lease_until = now() + interval '60 seconds'
         from due where (r.store, r.kind, r.record_id) = (due.store, due.kind, due.record_id)
         returning r.store, r.kind, r.record_id, r.wish, r.attempts, r.traceparent",
    )
    .bind(BATCH)
    .fetch_all(shared.ledger.pool())
    .await?;
    let done = wishes.len();
    stream::iter(wishes)
        .for_each_concurrent(AT_ONCE, |wish| {
            let shared = Arc::clone(shared);
            async move {
                if let Err(error) = read(&shared, &wish).await {
                    tracing::warn!(%error, record = wish.record_id, "what was read could not be recorded");
                    // Without the database the lease ends by itself.
                    let _ = later(&shared, &wish, Duration::from_secs(60), "what was read could not be recorded").await;
                }
            }
        })
        .await;
    shared.to_publish.notify_one();
    Ok(done)
}

/// One transaction: what was read, and that it was.
async fn keep(shared: &Shared, wish: &Wish, observed: &[Observed]) -> sqlx::Result<()> {
    let mut transaction = database::begin(shared.ledger.pool()).await?;
    let observed: Vec<&Observed> = observed.iter().collect();
    shared.ledger.observe_all(&mut transaction, &observed, shared.clock.now()).await?;
    // A wish that came after the read began is read again.
    sqlx::query("delete from refetch where (store, kind, record_id) = ($1, $2, $3) and wish = $4")
        .bind(&wish.store)
        .bind(&wish.kind)
        .bind(&wish.record_id)
        .bind(wish.wish)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("update refetch set lease_until = null where (store, kind, record_id) = ($1, $2, $3)")
        .bind(&wish.store)
        .bind(&wish.kind)
        .bind(&wish.record_id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

async fn read(shared: &Shared, wish: &Wish) -> sqlx::Result<()> {
    let (Ok(store), Ok(kind), Ok(id)) =
        (wish.store.parse::<StoreName>(), wish.kind.parse::<Kind>(), wish.record_id.parse::<RecordId>())
    else {
        return Ok(());
    };
    let Some(shop) = shared.shops.get(&store) else {
        return later(shared, wish, Duration::from_secs(60), "the plan has no such store").await;
    };
    let began_at = shared.clock.now();
    match shop.api.fetch(kind, &id).await {
        Ok(fetched) => {
            let key = RecordKey { store, kind, id };
            let (body, source_updated_at) = match fetched {
                Some(fetched) => (Some(fetched.body), Some(fetched.source_updated_at)),
                None => (None, None),
            };
            let told = refunds::told_by(body.as_ref()).into_iter().map(|refund| {
                let key = RecordKey { kind: Kind::Refund, id: refund.id.clone(), ..key.clone() };
                (key, Some(Body::Refund(refund)))
            });
            let told: Vec<_> = told.collect();
            let observed: Vec<Observed> = iter::once((key, body))
                .chain(told)
                .map(|(key, body)| Observed {
                    content_hash: body.as_ref().map(content_hash).unwrap_or_default(),
                    origin: Origin::Refetched { began_at, source_updated_at },
                    body,
                    key,
                    traceparent: wish.traceparent.clone(),
                })
                .collect();
            database::again_after_deadlock(|| keep(shared, wish, &observed)).await
        }
        Err(failure) => {
            tracing::info!(record = %id, %kind, class = failure.class(), %failure, "a record could not be read yet");
            let wait = retry::wait(&failure, wish.attempts, fastrand::f64());
            later(shared, wish, wait, &failure.to_string()).await
        }
    }
}

async fn later(shared: &Shared, wish: &Wish, wait: Duration, message: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update refetch set attempts = attempts + 1, lease_until = null, message = $4,
             due_at = now() + make_interval(secs => $5)
         where (store, kind, record_id) = ($1, $2, $3)",
    )
    .bind(&wish.store)
    .bind(&wish.kind)
    .bind(&wish.record_id)
    .bind(message)
    .bind(wait.as_secs_f64())
    .execute(shared.ledger.pool())
    .await?;
    Ok(())
}
