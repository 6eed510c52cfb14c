//! Claim, decide, apply, settle.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use prost::Message as _;
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::JoinSet};
use tracing::Instrument as _;
use waybill_connector::Failure;
use waybill_domain::{Body, Kind, RecordKey, Snapshot, SystemName};
use waybill_plan::{Decision, DeliveryFacts, Document, Facts, Plan, ReceiptFact, decide};
use waybill_proto::wire;
use waybill_runtime::trace_context;

use crate::{
    apply::Work,
    backoff,
    engine::{Engine, Served},
    outbox::{self, OutboxRow},
    outcome::{Next, SystemNext, after_failure},
    store::{
        claim::{self, Claim},
        facts,
        settle::{self, Back, Ended},
        systems,
    },
};

/// How long a claim holds without a sign of life; each finished step prolongs it. A call's time-out is under half.
pub const LEASE: Duration = Duration::from_secs(60);

/// Failures in a row after which a system's breaker opens.
const BREAKER_FAILURES: i32 = 5;
/// How long it stays open before one delivery probes.
const BREAKER_PAUSE: Duration = Duration::from_secs(10);
/// How often credentials that were refused are tried again.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How often a system without a wake-up looks for work that other processes left or that became due.
const POLL: Duration = Duration::from_millis(250);
/// A waiting delivery is looked at again after this even if nothing woke it.
const WAIT_RECHECK: Duration = Duration::from_secs(30);
const GROUP: usize = 100;

impl Engine {
    /// Works for one system until told to stop; then finishes what is claimed.
    pub(crate) async fn work(self: Arc<Self>, served: Served) -> anyhow::Result<()> {
        let permits = Arc::new(Semaphore::new(served.concurrency));
        let mut running = JoinSet::new();
        let stop = self.stop_signal();
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            let pause = match self.claim_and_start(&served, &permits, &mut running).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(system = %served.name, %error, "the queue cannot be read; trying again");
                    Some(Duration::from_secs(1))
                }
            };
            if let Some(pause) = pause {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.work_to_do() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
        while running.join_next().await.is_some() {}
        Ok(())
    }

    /// Gives how long to pause, or `None` to go on at once.
    async fn claim_and_start(
        self: &Arc<Self>,
        served: &Served,
        permits: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
    ) -> sqlx::Result<Option<Duration>> {
        let system = served.name.as_str();
        let Some(state) = systems::one(self.pool(), system).await? else {
            systems::enlist(self.pool(), &[system.to_owned()]).await?;
            return Ok(None);
        };
        if state.condition == "unauthorized" && !state.paused {
            return self.check_credentials(served).await.map(Some);
        }
        if !state.open() {
            return Ok(Some(Duration::from_secs_f64(state.wait_seconds.clamp(0.05, 1.0))));
        }
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else { return Ok(Some(POLL)) };
        // A breaker that was open lets one delivery through to see.
        let serving = state.condition == "serving";
        let limit = if serving { GROUP } else { 1 };
        let claims = claim::claim(self.pool(), system, limit as i64, LEASE.as_secs_f64()).await?;
        if claims.is_empty() {
            return Ok(Some(POLL));
        }
        let (engine, served) = (Arc::clone(self), served.clone());
        let mut held = Some(permit);
        for group in self.decide_and_group(&served, claims, serving).await? {
            let permit = match held.take() {
                Some(permit) => permit,
                None => match Arc::clone(permits).acquire_owned().await {
                    Ok(permit) => permit,
                    Err(_) => return Ok(Some(POLL)),
                },
            };
            let (engine, served) = (Arc::clone(&engine), served.clone());
            running.spawn(async move {
                if let Err(error) = engine.run_group(&served, group, serving).await {
                    // The leases run out and the steps' intents say what to look up.
                    tracing::warn!(system = %served.name, %error, "results could not be recorded");
                }
                drop(permit);
            });
        }
        Ok(None)
    }

    async fn check_credentials(&self, served: &Served) -> sqlx::Result<Duration> {
        match served.port.check.check().await {
            Ok(()) => {
                tracing::info!(system = %served.name, "the credentials work again; resumed");
                systems::well(self.pool(), served.name.as_str()).await?;
                Ok(Duration::ZERO)
            }
            Err(failure) => {
                tracing::debug!(system = %served.name, %failure, "still refused");
                Ok(CHECK_EVERY)
            }
        }
    }

    /// Decides each claim; what is no write is settled or put back here. The writes come in groups that one call can
    /// carry.
    async fn decide_and_group(
        &self,
        served: &Served,
        claims: Vec<Claim>,
        serving: bool,
    ) -> sqlx::Result<Vec<Vec<Work>>> {
        let plan = self.plan();
        let facts = self.gather(&plan, served, &claims).await?;
        let mut writes: Vec<Work> = Vec::new();
        for (claim, facts) in claims.into_iter().zip(facts) {
            match self.decide_one(&plan, served, claim, facts) {
                Decided::Write(work) => writes.push(*work),
                Decided::Settled(end) => self.settle(&end.1, end.0).await?,
                Decided::Back(back) => settle::put_back(&mut *self.pool().acquire().await?, &back).await?,
            }
        }
        if !serving {
            return Ok(writes.into_iter().map(|work| vec![work]).collect());
        }
        let mut by_kind: BTreeMap<Kind, Vec<Work>> = BTreeMap::new();
        for work in writes {
            by_kind.entry(work.key.kind).or_default().push(work);
        }
        let mut groups = Vec::new();
        for works in by_kind.into_values() {
            let size = works
                .first()
                .and_then(|work| {
                    let sink = served.port.sink(&work.document)?;
                    let step = sink.steps(&work.document, &work.known).into_iter().next()?;
                    Some(sink.batch_size(&step.name))
                })
                .unwrap_or(1);
            let mut works = works.into_iter().peekable();
            while works.peek().is_some() {
                groups.push(works.by_ref().take(size).collect());
            }
        }
        Ok(groups)
    }

    /// What is known beside the snapshots, read after they were claimed.
    async fn gather(&self, plan: &Plan, served: &Served, claims: &[Claim]) -> sqlx::Result<Vec<Facts>> {
        let column = |pick: fn(&Claim) -> String| claims.iter().map(pick).collect::<Vec<_>>();
        let mut connection = self.pool().acquire().await?;
        let known = facts::of(
            &mut connection,
            &column(|c| c.store.clone()),
            &column(|c| c.kind.clone()),
            &column(|c| c.record_id.clone()),
        )
        .await?;
        let mut all = Vec::with_capacity(claims.len());
        for claim in claims {
            let mut facts = Facts::default();
            for fact in known
                .iter()
                .filter(|f| f.store == claim.store && f.kind == claim.kind && f.record_id == claim.record_id)
            {
                let state = match fact.state.as_str() {
                    "applied" => ReceiptFact::Applied,
                    "ignored" => ReceiptFact::Ignored,
                    _ => ReceiptFact::Parked,
                };
                if let Ok(system) = fact.system.parse() {
                    facts.receipts.insert(system, state);
                }
            }
            if let Some(snapshot) = decode(&claim.desired) {
                self.hooks().complete(plan, &mut connection, &served.name, &snapshot, &mut facts).await?;
            }
            all.push(facts);
        }
        Ok(all)
    }

    fn decide_one(&self, plan: &Plan, served: &Served, claim: Claim, facts: Facts) -> Decided {
        let ended = |claim: &Claim, state, code: &str, field: &str, message: &str| Ended {
            id: claim.id,
            fence: claim.fence,
            wake: claim.wake,
            epoch: claim.desired_epoch,
            number: claim.desired_number,
            state,
            code: code.to_owned(),
            message: message.to_owned(),
            field: field.to_owned(),
            external_id: claim.external_id.clone(),
            hash: claim.applied_hash.clone(),
            attempts: claim.attempts,
            plan_hash: plan.hash.clone(),
        };
        let Some(snapshot) = decode(&claim.desired) else {
            let end = ended(&claim, "parked", "malformed", "", "the stored snapshot cannot be read");
            return Decided::Settled(Box::new((end, claim)));
        };
        let facts_of = DeliveryFacts { applied_once: claim.applied_number.is_some() };
        let decision = match (&snapshot.body, plan.flow(&snapshot.key.store, snapshot.key.kind, &served.name)) {
            (_, Some(flow)) => decide(plan, flow, &snapshot, facts_of, &facts),
            // Incidents go to the plan's pagers, which are no flows.
            (Some(Body::Incident(incident)), None) => Decision::Write(Document::Incident(incident.as_ref().clone())),
            (_, None) => Decision::Ignore { rule: "no-flow".to_owned() },
        };
        match decision {
            Decision::Ignore { rule } => {
                let end = ended(&claim, "ignored", &rule, "", "");
                Decided::Settled(Box::new((end, claim)))
            }
            Decision::Park { code, field, message } => {
                let end = ended(&claim, "parked", code, &field, &message);
                Decided::Settled(Box::new((end, claim)))
            }
            Decision::Wait { reason } => Decided::Back(Back {
                id: claim.id,
                fence: claim.fence,
                wake: claim.wake,
                state: "waiting",
                after_seconds: WAIT_RECHECK.as_secs_f64(),
                attempts: claim.attempts,
                code: "after".to_owned(),
                message: reason,
                plan_hash: plan.hash.clone(),
            }),
            Decision::Write(document) => {
                let hash = hash(&document);
                if claim.applied_hash.as_deref() == Some(&hash) {
                    let end = ended(&claim, "applied", "", "", "");
                    return Decided::Settled(Box::new((end, claim)));
                }
                Decided::Write(Box::new(Work::new(claim, snapshot.key, document, hash)))
            }
        }
    }

    async fn run_group(&self, served: &Served, mut works: Vec<Work>, serving: bool) -> sqlx::Result<()> {
        let Some(sink) = works.first().and_then(|work| served.port.sink(&work.document)) else {
            for work in works {
                let message = format!("{} cannot take {} records", served.port.descriptor.title, work.key.kind);
                let failure = Failure::rejected("no_capability", "", message);
                self.end(served, work, Err(failure), serving).await?;
            }
            return Ok(());
        };
        // Each record's own trace goes on, also where one call carries several: every span lasts as long as the call.
        let records = works.len();
        let spans: Vec<tracing::Span> = works.iter().map(|work| deliver_span(served, work, records)).collect();
        let span = spans.first().cloned().unwrap_or_else(tracing::Span::none);
        let outcome = async {
            self.run_steps(sink.as_ref(), &mut works).await?;
            for mut work in works {
                let outcome = work.ended.take().unwrap_or(Ok(()));
                self.end(served, work, outcome, serving).await?;
            }
            Ok(())
        }
        .instrument(span)
        .await;
        drop(spans);
        outcome
    }

    /// Records how an attempt ended, for the delivery and for the system.
    async fn end(&self, served: &Served, work: Work, outcome: Result<(), Failure>, serving: bool) -> sqlx::Result<()> {
        let plan_hash = self.plan().hash.clone();
        let claim = &work.claim;
        let failure = match outcome {
            Ok(()) => {
                if !serving || claim.attempts > 0 {
                    systems::well(self.pool(), served.name.as_str()).await?;
                }
                let ended = Ended {
                    id: claim.id,
                    fence: claim.fence,
                    wake: claim.wake,
                    epoch: claim.desired_epoch,
                    number: claim.desired_number,
                    state: "applied",
                    code: String::new(),
                    message: String::new(),
                    field: String::new(),
                    external_id: work.external_id.clone(),
                    hash: Some(work.hash.clone()),
                    attempts: claim.attempts + 1,
                    plan_hash,
                };
                return self.settle(claim, ended).await;
            }
            Err(failure) => failure,
        };
        self.metrics().add(
            "waybill_attempts_failed_total",
            &[("system", served.name.as_str()), ("class", failure.class())],
            1,
        );
        tracing::info!(
            record = %work.key, system = %served.name, class = failure.class(), %failure, attempts = claim.attempts,
            "an attempt failed"
        );
        let (next, system) = after_failure(
            &failure,
            claim.attempts,
            serving,
            served.port.descriptor.find_lag,
            &backoff::DEFAULT,
            self.random(),
        );
        self.follow_system(&served.name, system).await?;
        match next {
            Next::Retry { after, counted, message } => {
                let back = Back {
                    id: claim.id,
                    fence: claim.fence,
                    wake: claim.wake,
                    state: "pending",
                    after_seconds: after.as_secs_f64(),
                    attempts: claim.attempts + i32::from(counted),
                    code: failure.class().to_owned(),
                    message,
                    plan_hash,
                };
                settle::put_back(&mut *self.pool().acquire().await?, &back).await
            }
            Next::Park { code, field, message } => {
                let ended = Ended {
                    id: claim.id,
                    fence: claim.fence,
                    wake: claim.wake,
                    epoch: claim.desired_epoch,
                    number: claim.desired_number,
                    state: "parked",
                    code,
                    message,
                    field,
                    external_id: work.external_id.clone(),
                    hash: claim.applied_hash.clone(),
                    attempts: claim.attempts + 1,
                    plan_hash,
                };
                self.settle(claim, ended).await
            }
        }
    }

    async fn follow_system(&self, system: &SystemName, next: SystemNext) -> sqlx::Result<()> {
        let system = system.as_str();
        match next {
            SystemNext::Well => systems::well(self.pool(), system).await,
            SystemNext::Failing { message } => {
                let pause = BREAKER_PAUSE.as_secs_f64();
                systems::failing(self.pool(), system, &message, BREAKER_FAILURES, pause).await
            }
            SystemNext::Limited { wait } => systems::limited(self.pool(), system, wait.as_secs_f64()).await,
            SystemNext::Unauthorized { message } => {
                systems::unauthorized(self.pool(), system, &message).await?;
                self.report_systems_now();
                Ok(())
            }
        }
    }

    /// Ends a claim and says so, in one transaction.
    async fn settle(&self, claim: &Claim, ended: Ended) -> sqlx::Result<()> {
        let mut transaction = self.pool().begin().await?;
        let Some(settlement) = settle::settle(&mut transaction, &ended).await? else {
            tracing::info!(delivery = claim.id, "the claim was lost to another replica; its result counts");
            return Ok(());
        };
        if self.hooks().says_receipts() {
            let rows = receipt_rows(self.service(), claim, &ended, settlement, self.now());
            outbox::write(&mut transaction, &rows).await?;
        }
        transaction.commit().await?;
        let labels = [("system", claim.system.as_str()), ("kind", claim.kind.as_str()), ("state", ended.state)];
        self.metrics().add("waybill_deliveries_settled_total", &labels, 1);
        self.wake_outbox();
        Ok(())
    }
}

#[cfg(test)]
impl Engine {
    /// One round for one system: what is due is claimed, decided and run to its end.
    pub(crate) async fn round(self: &Arc<Self>, served: &Served) -> Option<Duration> {
        let permits = Arc::new(Semaphore::new(served.concurrency));
        let mut running = JoinSet::new();
        let pause = self.claim_and_start(served, &permits, &mut running).await.expect("the database answers");
        while running.join_next().await.is_some() {}
        pause
    }
}

/// The span of one record in a call that carries `records` of them.
fn deliver_span(served: &Served, work: &Work, records: usize) -> tracing::Span {
    let traceparent = &work.claim.traceparent;
    let trace_id = trace_context::trace_id(traceparent);
    let span =
        tracing::info_span!(parent: None, "deliver", system = %served.name, record = %work.key, records, trace_id);
    trace_context::continue_from(&span, traceparent);
    span
}

enum Decided {
    Write(Box<Work>),
    Settled(Box<(Ended, Claim)>),
    Back(Back),
}

fn decode(bytes: &[u8]) -> Option<Snapshot> {
    wire::Snapshot::decode(bytes).ok().and_then(|wire| Snapshot::try_from(wire).ok())
}

fn hash(document: &Document) -> Vec<u8> {
    let json = serde_json::to_vec(document).expect("documents have string keys only");
    Sha256::digest(&json).to_vec()
}

/// The receipt, and the dead letter if a person is needed.
fn receipt_rows(service: &str, claim: &Claim, ended: &Ended, settlement: i64, now: jiff::Timestamp) -> Vec<OutboxRow> {
    let (Ok(store), Ok(kind), Ok(id), Ok(system)) =
        (claim.store.parse(), claim.kind.parse(), claim.record_id.parse(), claim.system.parse())
    else {
        return Vec::new();
    };
    let key = RecordKey { store, kind, id };
    let from = if claim.settled_epoch == claim.desired_epoch {
        (claim.settled_number + 1).min(claim.desired_number)
    } else {
        1
    };
    let state = match ended.state {
        "applied" => wire::State::Applied,
        "ignored" => wire::State::Ignored,
        _ => wire::State::Parked,
    };
    let at = waybill_proto::convert::to_timestamp(now);
    let revision = wire::Revision { epoch: ended.epoch, number: ended.number };
    let receipt = wire::Receipt {
        service: service.to_owned(),
        system: claim.system.clone(),
        key: Some((&key).into()),
        name: claim.name.clone(),
        from,
        to: Some(revision),
        state: state.into(),
        code: ended.code.clone(),
        message: ended.message.clone(),
        field: ended.field.clone(),
        external_id: ended.external_id.clone(),
        attempts: i64::from(ended.attempts),
        settled_at: Some(at),
        settlement,
        plan_hash: ended.plan_hash.clone(),
    };
    let headers = |kind: &str, schema: &str| {
        vec![
            (
                waybill_bus::headers::MESSAGE_ID.to_owned(),
                format!("{kind}-{service}-{}-{}-{settlement}", claim.id, ended.epoch),
            ),
            (waybill_bus::headers::SCHEMA.to_owned(), schema.to_owned()),
            (waybill_bus::headers::TRACEPARENT.to_owned(), claim.traceparent.clone()),
        ]
    };
    let mut rows = vec![OutboxRow {
        subject: waybill_bus::subjects::receipt(service, &system, &key),
        headers: headers("receipt", "waybill.v1.Receipt"),
        payload: receipt.encode_to_vec(),
    }];
    if ended.state == "parked" {
        let dead = wire::DeadLetter {
            service: service.to_owned(),
            system: claim.system.clone(),
            key: Some((&key).into()),
            name: claim.name.clone(),
            revision: Some(revision),
            code: ended.code.clone(),
            message: ended.message.clone(),
            field: ended.field.clone(),
            attempts: i64::from(ended.attempts),
            parked_at: Some(at),
        };
        rows.push(OutboxRow {
            subject: waybill_bus::subjects::dead_letter(service, &system, &key),
            headers: headers("dead", "waybill.v1.DeadLetter"),
            payload: dead.encode_to_vec(),
        });
    }
    rows
}
