//! Raw body → snapshot, next revision of its record.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connector_shopify::{
    body::{self, Parsed, content_hash},
    webhook::Topic,
};
use jiff::Timestamp;
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;
use waybill_delivery::ledger::{Observed, Origin, Verdict};
use waybill_domain::{Kind, RecordId, RecordKey, Snapshot, StoreName};
use waybill_proto::wire;

use crate::{app::Shared, refetch};

const BATCH: i64 = 100;
const POLL: Duration = Duration::from_millis(500);

#[derive(Debug, sqlx::FromRow)]
struct Webhook {
    id: i64,
    store: String,
    topic: String,
    body: Vec<u8>,
    kept_whole: bool,
    received_us: i64,
    traceparent: String,
}

/// Works through the inbox until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut one_by_one = false;
    while !stop.is_cancelled() {
        let done = match batch(&shared, one_by_one).await {
            Ok(done) => {
                one_by_one = false;
                done
            }
            Err(error) if !one_by_one && refused_content(&error).is_some() => {
                tracing::warn!(%error, "a webhook of the batch cannot be stored; looking for it");
                one_by_one = true;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "the inbox cannot be worked through; trying again");
                0
            }
        };
        if done > 0 {
            shared.to_publish.notify_one();
        } else {
            tokio::select! {
                () = stop.cancelled() => {}
                () = shared.received.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    Ok(())
}

/// PostgreSQL's code where it refuses what a webhook says, now and always: a NUL in a text, a time before its calendar,
/// an entry too long for an index.
fn refused_content(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    (code.starts_with("22") || code.starts_with("54")).then(|| code.into_owned())
}

/// One transaction's worth of webhooks, oldest first. Replicas take different ones. `one_by_one` puts a savepoint
/// around each, so that one that cannot be stored blocks no other.
async fn batch(shared: &Shared, one_by_one: bool) -> sqlx::Result<usize> {
    let mut transaction = shared.ledger.pool().begin().await?;
    let webhooks: Vec<Webhook> = sqlx::query_as(
        "select id, store, topic, body, kept_whole, (extract(epoch from received_at) * 1000000)::bigint as received_us,
             traceparent
         from inbox where outcome = 'new' order by id limit $1 for update skip locked",
    )
    .bind(BATCH)
    .fetch_all(&mut *transaction)
    .await?;
    if webhooks.is_empty() {
        return Ok(0);
    }
    let mut ids = Vec::with_capacity(webhooks.len());
    let mut outcomes = Vec::with_capacity(webhooks.len());
    let mut messages = Vec::with_capacity(webhooks.len());
    // Records in one order everywhere: two replicas' batches must not lock each other out. What one record's webhooks
    // say is in the order of their arrival still, as the sort is stable.
    let mut read: Vec<(Webhook, Result<Parsed, String>)> = webhooks
        .into_iter()
        .map(|webhook| {
            let parsed = parse(&webhook);
            (webhook, parsed)
        })
        .collect();
    read.sort_by_key(|(webhook, parsed)| (webhook.store.clone(), parsed.as_ref().ok().and_then(first_record)));
    let mut wishes = Wishes::new();
    for (webhook, parsed) in read {
        let (outcome, message) = match parsed {
            Ok(parsed) if one_by_one => take_apart(shared, &mut transaction, &mut wishes, &webhook, parsed).await?,
            Ok(parsed) => (take(shared, &mut transaction, &mut wishes, &webhook, parsed).await?, String::new()),
            Err(message) => ("unreadable", message),
        };
        if outcome == "unreadable" {
            tracing::warn!(
                webhook = webhook.id,
                topic = webhook.topic,
                message,
                "a webhook cannot be read; it is kept"
            );
        }
        ids.push(webhook.id);
        outcomes.push(outcome);
        messages.push(message);
    }
    for ((store, kind, id), (reason, traceparent)) in &wishes {
        refetch::want(&mut transaction, store, *kind, id, reason, traceparent).await?;
    }
    sqlx::query(
        "update inbox i set outcome = n.outcome, message = n.message
         from unnest($1::bigint[], $2::text[], $3::text[]) as n (id, outcome, message) where i.id = n.id",
    )
    .bind(&ids)
    .bind(&outcomes)
    .bind(&messages)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if !wishes.is_empty() {
        // Only now is the wish there to be seen.
        shared.to_refetch.notify_one();
    }
    Ok(ids.len())
}

fn parse(webhook: &Webhook) -> Result<Parsed, String> {
    let topic = Topic::parse(&webhook.topic);
    if webhook.kept_whole {
        body::parse(topic, &webhook.body).map_err(|error| error.to_string())
    } else {
        body::parse_start(topic, &webhook.body)
            .ok_or_else(|| "too large to be kept, and its record's id was not found in its start".to_owned())
    }
}

fn first_record(parsed: &Parsed) -> Option<(Kind, RecordId)> {
    match parsed {
        Parsed::Whole(whole) => Some((whole.body.kind(), whole.id.clone())),
        Parsed::Refetch { kind, id } | Parsed::Deleted { kind, id } => Some((*kind, id.clone())),
        Parsed::Several(parts) => parts.iter().filter_map(first_record).min(),
        Parsed::Privacy(_) | Parsed::Unknown => None,
    }
}

/// As [`take`], within a savepoint.
async fn take_apart(
    shared: &Shared,
    db: &mut PgConnection,
    wishes: &mut Wishes,
    webhook: &Webhook,
    parsed: Parsed,
) -> sqlx::Result<(&'static str, String)> {
    let mut savepoint = db.begin().await?;
    match take(shared, &mut savepoint, wishes, webhook, parsed).await {
        Ok(outcome) => {
            savepoint.commit().await?;
            Ok((outcome, String::new()))
        }
        Err(error) => {
            savepoint.rollback().await?;
            let code = refused_content(&error).ok_or(error)?;
            Ok(("unreadable", format!("it holds what the database cannot store (SQLSTATE {code})")))
        }
    }
}

/// Records to be read, and for which webhook. Wished for once all records of the batch are locked: a read locks its
/// record before its wish, and whoever locks both must do so in that order.
type Wishes = BTreeMap<(StoreName, Kind, RecordId), (&'static str, String)>;

async fn take(
    shared: &Shared,
    db: &mut PgConnection,
    wishes: &mut Wishes,
    webhook: &Webhook,
    parsed: Parsed,
) -> sqlx::Result<&'static str> {
    let mut wish = |store: &StoreName, kind, id: &RecordId, reason| {
        wishes.insert((store.clone(), kind, id.clone()), (reason, webhook.traceparent.clone()));
        "refetch"
    };
    let Ok(store) = webhook.store.parse::<StoreName>() else { return Ok("unknown") };
    match parsed {
        Parsed::Unknown => Ok("unknown"),
        Parsed::Privacy(_) => Ok("privacy"),
        Parsed::Refetch { kind, id } => Ok(wish(&store, kind, &id, "the webhook carries a part only")),
        Parsed::Deleted { kind, id } => Ok(wish(&store, kind, &id, "said to be deleted")),
        Parsed::Several(parts) => {
            let mut parts = parts;
            parts.sort_by_key(first_record);
            let mut told = "echo";
            for part in parts {
                let outcome = Box::pin(take(shared, db, wishes, webhook, part)).await?;
                if matches!(outcome, "applied" | "refetch") && told != "applied" {
                    told = outcome;
                }
            }
            Ok(told)
        }
        Parsed::Whole(mut whole) => {
            let key = RecordKey { store: store.clone(), kind: whole.body.kind(), id: whole.id.clone() };
            if !whole.lacks.is_empty()
                && let Some(earlier) = earlier(db, &key).await?.and_then(|snapshot| snapshot.body)
            {
                whole.carry_over(&earlier);
            }
            let received_at = Timestamp::from_microsecond(webhook.received_us).unwrap_or(shared.clock.now());
            let observed = Observed {
                content_hash: content_hash(&whole.body),
                origin: Origin::Pushed { source_updated_at: whole.source_updated_at, received_at },
                body: Some(whole.body),
                key,
                traceparent: webhook.traceparent.clone(),
            };
            match shared.ledger.observe(db, &observed, shared.clock.now()).await? {
                Verdict::Changed => Ok("applied"),
                Verdict::Echo => Ok("echo"),
                Verdict::Stale => Ok("stale"),
                Verdict::Refetch => {
                    let RecordKey { store, kind, id } = &observed.key;
                    Ok(wish(store, *kind, id, "equal time, other content"))
                }
            }
        }
    }
}

async fn earlier(db: &mut PgConnection, key: &RecordKey) -> sqlx::Result<Option<Snapshot>> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("select snapshot from record where (store, kind, record_id) = ($1, $2, $3) and number > 0")
            .bind(key.store.as_str())
            .bind(key.kind.as_str())
            .bind(key.id.as_str())
            .fetch_optional(db)
            .await?;
    Ok(bytes.and_then(|bytes| wire::Snapshot::decode(bytes.as_slice()).ok()?.try_into().ok()))
}
