//! Raw body → snapshot, next revision of its record.

mod telling;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use connector_shopify::{
    body::{self, Parsed, Whole, content_hash},
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
use telling::{Outcome, Telling, ToRead};
use waybill_runtime::database;

const BATCH: i64 = 100;
/// In a rush batches are few, and larger.
const RUSH_BATCH: i64 = 400;
const POLL: Duration = Duration::from_millis(500);

/// A batch that takes longer hangs on a connection whose other end has vanished.
const BATCH_WITHIN: Duration = Duration::from_secs(60);

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
    let (mut one_by_one, mut took) = (false, Duration::ZERO);
    while !stop.is_cancelled() {
        let most = if shared.inbox.make_way(took).await { RUSH_BATCH } else { BATCH };
        let since = Instant::now();
        let batches = database::again_after_deadlock(|| batch(&shared, most, one_by_one));
        let done = match database::within(BATCH_WITHIN, batches).await {
            Ok(done) => {
                (one_by_one, took) = (false, since.elapsed());
                done
            }
            Err(error) if !one_by_one && database::refused_content(&error).is_some() => {
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

/// One transaction's worth of webhooks, oldest first. Replicas take different ones. `one_by_one` puts a savepoint
/// around each state, so that one that cannot be stored blocks no other.
async fn batch(shared: &Shared, most: i64, one_by_one: bool) -> sqlx::Result<usize> {
    let mut transaction = database::begin(shared.ledger.pool()).await?;
    let webhooks: Vec<Webhook> = sqlx::query_as(
        "select id, store, topic, body, kept_whole, (extract(epoch from received_at) * 1000000)::bigint as received_us,
             traceparent
         from inbox where outcome = 'new' order by id limit $1 for update skip locked",
    )
    .bind(most)
    .fetch_all(&mut *transaction)
    .await?;
    if webhooks.is_empty() {
        return Ok(0);
    }
    let mut fates = Vec::with_capacity(webhooks.len());
    let mut states = Vec::new();
    let mut wishes = Wishes::new();
    for (at, webhook) in webhooks.iter().enumerate() {
        let told = webhook.store.parse::<StoreName>().map_err(|error| error.to_string());
        match told.and_then(|store| Ok((store, parse(webhook)?))) {
            Ok((store, parsed)) => {
                let telling = Telling::of(parsed);
                telling.to_read.into_iter().for_each(|to_read| wish(&mut wishes, &store, to_read, webhook));
                states.extend(telling.states.into_iter().map(|whole| State {
                    store: store.clone(),
                    whole,
                    webhook: at,
                }));
                fates.push((telling.outcome, String::new()));
            }
            Err(message) => fates.push((Outcome::Unreadable, message)),
        }
    }
    // Records in one order everywhere, the database's: two replicas' batches must not lock each other out. What the
    // webhooks say of one record is in the order of their arrival still, as the sort is stable.
    states.sort_by(|a, b| a.place().cmp(&b.place()));
    let outcomes = if one_by_one {
        let mut outcomes = Vec::with_capacity(states.len());
        for state in states {
            let at = state.webhook;
            outcomes.push((at, take_apart(shared, &mut transaction, &mut wishes, &webhooks, state).await?));
        }
        outcomes
    } else {
        let taken = take(shared, &mut transaction, &mut wishes, &webhooks, states).await?;
        taken.into_iter().map(|(at, outcome)| (at, (outcome, String::new()))).collect()
    };
    for (at, (outcome, message)) in outcomes {
        let fate = &mut fates[at];
        if outcome > fate.0 {
            *fate = (outcome, message);
        }
    }
    for ((store, kind, id), (reason, traceparent)) in &wishes {
        refetch::want(&mut transaction, store, *kind, id, reason, traceparent).await?;
    }
    tell(&mut transaction, &webhooks, &fates).await?;
    transaction.commit().await?;
    if !wishes.is_empty() {
        // Only now is the wish there to be seen.
        shared.to_refetch.notify_one();
    }
    Ok(webhooks.len())
}

/// What became of each webhook.
async fn tell(db: &mut PgConnection, webhooks: &[Webhook], fates: &[(Outcome, String)]) -> sqlx::Result<()> {
    for (webhook, (_, message)) in
        webhooks.iter().zip(fates).filter(|(_, (outcome, _))| *outcome == Outcome::Unreadable)
    {
        tracing::warn!(webhook = webhook.id, topic = webhook.topic, message, "a webhook cannot be read; it is kept");
    }
    sqlx::query(
        "update inbox i set outcome = n.outcome, message = n.message
         from unnest($1::bigint[], $2::text[], $3::text[]) as n (id, outcome, message) where i.id = n.id",
    )
    .bind(webhooks.iter().map(|webhook| webhook.id).collect::<Vec<_>>())
    .bind(fates.iter().map(|(outcome, _)| outcome.as_str()).collect::<Vec<_>>())
    .bind(fates.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
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

/// A record's state, and which of the batch's webhooks tells it.
struct State {
    store: StoreName,
    whole: Whole,
    webhook: usize,
}

impl State {
    fn place(&self) -> (&StoreName, &'static str, &RecordId) {
        (&self.store, self.whole.body.kind().as_str(), &self.whole.id)
    }
}

/// As [`take`], within a savepoint.
async fn take_apart(
    shared: &Shared,
    db: &mut PgConnection,
    wishes: &mut Wishes,
    webhooks: &[Webhook],
    state: State,
) -> sqlx::Result<(Outcome, String)> {
    let mut savepoint = db.begin().await?;
    match take(shared, &mut savepoint, wishes, webhooks, vec![state]).await {
        Ok(outcomes) => {
            savepoint.commit().await?;
            let outcome = outcomes.first().map_or(Outcome::Stale, |(_, outcome)| *outcome);
            Ok((outcome, String::new()))
        }
        Err(error) => {
            savepoint.rollback().await?;
            let code = database::refused_content(&error).ok_or(error)?;
            Ok((Outcome::Unreadable, format!("it holds what the database cannot store (SQLSTATE {code})")))
        }
    }
}

/// Records to be read, and for which webhook. Wished for once all records of the batch are locked: a read locks its
/// record before its wish, and whoever locks both must do so in that order.
type Wishes = BTreeMap<(StoreName, Kind, RecordId), (&'static str, String)>;

fn wish(wishes: &mut Wishes, store: &StoreName, to_read: ToRead, webhook: &Webhook) {
    let ToRead { kind, id, reason } = to_read;
    wishes.insert((store.clone(), kind, id), (reason, webhook.traceparent.clone()));
}

/// Takes states in their order; gives what came of each, with its webhook.
async fn take(
    shared: &Shared,
    db: &mut PgConnection,
    wishes: &mut Wishes,
    webhooks: &[Webhook],
    states: Vec<State>,
) -> sqlx::Result<Vec<(usize, Outcome)>> {
    let mut outcomes = Vec::with_capacity(states.len());
    let mut taken: Vec<Taken> = Vec::with_capacity(states.len());
    for State { store, mut whole, webhook: at } in states {
        let webhook = &webhooks[at];
        let key = RecordKey { store, kind: whole.body.kind(), id: whole.id.clone() };
        if !whole.lacks.is_empty() {
            // What it lacks may be told by one before it.
            if taken.last().is_some_and(|(_, before, _)| before.key == key) {
                outcomes.extend(observe(shared, db, wishes, webhooks, std::mem::take(&mut taken)).await?);
            }
            match earlier(db, &key).await?.and_then(|snapshot| snapshot.body) {
                Some(earlier) => whole.carry_over(&earlier),
                None => {
                    wish(wishes, &key.store, telling::read_whole(&whole), webhook);
                    outcomes.push((at, Outcome::Refetch));
                    continue;
                }
            }
        }
        let instead = telling::read_instead(&whole);
        let received_at = Timestamp::from_microsecond(webhook.received_us).unwrap_or(shared.clock.now());
        let observed = Observed {
            content_hash: content_hash(&whole.body),
            origin: Origin::Pushed { source_updated_at: whole.source_updated_at, received_at },
            body: Some(whole.body),
            key,
            traceparent: webhook.traceparent.clone(),
        };
        taken.push((at, observed, instead));
    }
    outcomes.extend(observe(shared, db, wishes, webhooks, taken).await?);
    Ok(outcomes)
}

/// A state to be observed, which webhook tells it, and what is read if it cannot be judged.
type Taken = (usize, Observed, ToRead);

async fn observe(
    shared: &Shared,
    db: &mut PgConnection,
    wishes: &mut Wishes,
    webhooks: &[Webhook],
    taken: Vec<Taken>,
) -> sqlx::Result<Vec<(usize, Outcome)>> {
    let mut outcomes = Vec::with_capacity(taken.len());
    let observed: Vec<&Observed> = taken.iter().map(|(_, observed, _)| observed).collect();
    let verdicts = shared.ledger.observe_all(db, &observed, shared.clock.now()).await?;
    for ((at, observed, instead), verdict) in taken.into_iter().zip(verdicts) {
        outcomes.push((
            at,
            match verdict {
                Verdict::Changed => Outcome::Applied,
                Verdict::Echo => Outcome::Echo,
                Verdict::Stale => Outcome::Stale,
                Verdict::Refetch => {
                    wish(wishes, &observed.key.store, instead, &webhooks[at]);
                    Outcome::Refetch
                }
            },
        ));
    }
    Ok(outcomes)
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
