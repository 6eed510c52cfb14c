//! Steps: an intent, a call, a result.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use waybill_connector::{Applied, Failure, Known, Step, deadline};
use waybill_domain::{CallKey, ObjectKey, RecordKey, document::Fields};
use waybill_plan::{Document, Retry, Write};

use crate::{
    deciding,
    engine::Engine,
    sinks::{AnyCall, AnySink},
    store::{
        claim::Claim,
        settle,
        steps::{self, StepRow, StepWrite},
    },
    worker::LEASE,
};

/// What an object at the system is known by: a person by what their records share, anything else by its record.
pub(crate) fn object_of(target_key: &str, key: &RecordKey, role: &str) -> String {
    if role == "customer" { target_key.to_owned() } else { key.to_string() }
}

/// A claimed delivery on its way.
pub(crate) struct Work {
    pub(crate) claim: Claim,
    pub(crate) key: RecordKey,
    pub(crate) document: Document,
    pub(crate) hash: Vec<u8>,
    /// The mapped fields' base once this is applied: object, role, fields.
    pub(crate) sent: Vec<(String, String, Fields)>,
    pub(crate) retry: Retry,
    pub(crate) known: Known,
    pub(crate) external_id: String,
    steps: Vec<Step>,
    next: usize,
    /// Steps that this attempt found to have taken effect with another payload.
    found: BTreeSet<String>,
    /// What the last step came to, if that was well: it is recorded with the end.
    pub(crate) last: Option<StepWrite>,
    /// Set once the attempt ended.
    pub(crate) ended: Option<Result<(), Stopped>>,
}

/// Why an attempt did not come to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    Failure(Failure),
    /// Another replica has the delivery: all that follows is for that one to do.
    ClaimLost,
    /// This replica is told to stop; the claim was given back, and what was done of it is recorded.
    GivenBack,
    /// An earlier call may still be at work in the system, for so long: what it makes would not be found yet.
    TooEarly(Duration),
}

/// A call as long as this ends while the claim holds.
const CALL: Duration = LEASE.checked_div(2).unwrap();
/// A write that begins as late as it may takes up to half a minute more: a lease with less than this left is made whole.
const FRESH: Duration = LEASE.saturating_sub(Duration::from_secs(5));

impl Work {
    pub(crate) fn new(claim: Claim, key: RecordKey, write: Write, retry: Retry) -> Self {
        let known = claim.known.0.clone();
        let external_id = claim.external_id.clone();
        let Write { document, hash, sent } = write;
        let sent = sent
            .into_iter()
            .filter(|(_, fields)| !fields.is_empty())
            .map(|(role, fields)| (object_of(&claim.target_key, &key, &role), role, fields))
            .collect();
        let hash = deciding::digest(&hash);
        let (steps, next, found, last, ended) = (Vec::new(), 0, BTreeSet::new(), None, None);
        Self { claim, key, document, hash, sent, retry, known, external_id, steps, next, found, last, ended }
    }

    /// How long it has been tried for, while its system was up.
    pub(crate) fn tried_for(&self) -> Duration {
        Duration::try_from_secs_f64(self.claim.tried_seconds).unwrap_or_default()
    }

    /// The key of the object that plays a role. A person is the same object for every order of theirs.
    fn object_key(&self, role: &str) -> ObjectKey {
        if let (Document::Order(order), "customer" | "party") = (&self.document, role)
            && let Some(customer) = &order.customer
        {
            return customer.key.clone();
        }
        ObjectKey::new(&self.key, role)
    }

    /// Its claim was prolonged, or is another replica's. Gives which.
    fn hold(&mut self, is_held: bool, latest: Instant) -> bool {
        if is_held {
            self.claim.latest = Some(latest);
        } else {
            self.ended = Some(Err(Stopped::ClaimLost));
        }
        is_held
    }

    fn take(&mut self, applied: Applied) {
        self.learn(applied);
        self.next += 1;
    }

    /// What an earlier payload made is there: the steps begin again with that known.
    fn find_anew(&mut self, found: Applied, step: &Step, sink: &dyn AnySink) {
        self.learn(found);
        self.found.insert(step.name.to_string());
        (self.steps, self.next) = (sink.steps(&self.document, &self.known), 0);
    }

    fn learn(&mut self, applied: Applied) {
        self.known.extend(applied.known);
        if let Some(id) = applied.external_id {
            self.external_id = id;
        }
    }
}

/// Whether a step may have taken effect without our knowing.
fn uncertain(step: &Step, row: Option<&StepRow>, may_be_there: bool, unsure: bool) -> bool {
    !step.idempotent && (may_be_there || row.map_or(unsure, StepRow::is_open))
}

impl Engine {
    /// Runs the steps of a group of deliveries to one sink, those that stand at the same step in one call. Each ends
    /// with `ended` set.
    /// A call is over `over_after` its beginning, and what it made is found.
    pub(crate) async fn run_steps(
        &self,
        sink: &dyn AnySink,
        works: &mut [Work],
        over_after: Duration,
    ) -> sqlx::Result<()> {
        let rows = steps::of(self.pool(), &works.iter().map(|work| &work.claim).collect::<Vec<_>>()).await?;
        for work in works.iter_mut() {
            work.steps = sink.steps(&work.document, &work.known);
            let looked_up = work.steps.iter().filter(|step| !step.idempotent);
            let rows = looked_up.filter_map(|step| rows.get(&(work.claim.id, step.name.to_string())));
            let open = rows.filter(|row| row.is_open());
            let left = open.map(|row| over_after.saturating_sub(row.age())).max().unwrap_or_default();
            if !left.is_zero() {
                work.ended = Some(Err(Stopped::TooEarly(left)));
            }
        }
        loop {
            for work in works.iter_mut() {
                skip_done(work, &rows);
            }
            if self.stop_signal().is_cancelled() {
                self.give_back(works).await?;
            }
            let Some(first) = works.iter().find(|work| work.ended.is_none()) else { return Ok(()) };
            let name = first.steps[first.next].name.clone();
            let most = sink.batch_size(&name);
            let mut group: Vec<usize> = Vec::new();
            let mut keys: Vec<ObjectKey> = Vec::new();
            for (index, work) in works.iter().enumerate() {
                if group.len() < most && work.ended.is_none() && work.steps[work.next].name == name {
                    let key = work.object_key(&work.steps[work.next].role);
                    if !keys.contains(&key) {
                        keys.push(key);
                        group.push(index);
                    }
                }
            }
            self.run_step(sink, works, &group, &rows).await?;
        }
    }

    /// What has steps left is for another replica to finish.
    async fn give_back(&self, works: &mut [Work]) -> sqlx::Result<()> {
        let left: Vec<&mut Work> = works.iter_mut().filter(|work| work.ended.is_none()).collect();
        let claims: Vec<(i64, i64)> = left.iter().map(|work| (work.claim.id, work.claim.fence)).collect();
        settle::give_back(self.pool(), &claims).await?;
        for work in left {
            tracing::info!(record = %work.key, system = work.claim.system, "given back: this replica stops");
            work.ended = Some(Err(Stopped::GivenBack));
        }
        Ok(())
    }

    async fn run_step(
        &self,
        sink: &dyn AnySink,
        works: &mut [Work],
        group: &[usize],
        rows: &HashMap<(i64, String), StepRow>,
    ) -> sqlx::Result<()> {
        let mut to_apply = Vec::new();
        for &index in group {
            let work = &mut works[index];
            let step = work.steps[work.next].clone();
            let row = rows.get(&(work.claim.id, step.name.to_string()));
            let (object_key, call_key) = keys(work, &step);
            let looks = !waybill_faults::breaks("resend-without-lookup", work.key.id.as_str());
            // What is written again because it was not there may be there all the same.
            if looks && uncertain(&step, row, work.claim.again, work.claim.unsure) && !work.found.contains(&*step.name)
            {
                let made_by = row.map(|row| row.call_key.as_str());
                let call = AnyCall {
                    step: &step,
                    document: &work.document,
                    object_key: &object_key,
                    call_key: &call_key,
                    known: &work.known,
                    is_again: made_by == Some(call_key.as_str()) && row.is_some_and(|row| !row.mixed),
                };
                let latest = work.claim.latest.unwrap_or_else(Instant::now);
                match deadline::within(latest, sink.find(&call)).await {
                    Ok(Some(found)) => {
                        tracing::info!(record = %work.key, system = work.claim.system, step = %step.name, "found at the system; not sent again");
                        if made_by == Some(call_key.as_str()) {
                            work.take(found);
                        } else {
                            // It holds what an earlier revision asked for: with it known, other steps follow.
                            work.find_anew(found, &step, sink);
                        }
                        self.record(work, &step, made_by.unwrap_or_default(), "done", "found").await?;
                        continue;
                    }
                    Ok(None) => {}
                    Err(failure) => {
                        work.ended = Some(Err(Stopped::Failure(failure)));
                        continue;
                    }
                }
            }
            to_apply.push((index, step, object_key, call_key));
        }
        if to_apply.is_empty() {
            return Ok(());
        }
        let write = |works: &[Work], index: usize, step: &Step, call: &CallKey, state, message: String| StepWrite {
            delivery_id: works[index].claim.id,
            fence: works[index].claim.fence,
            name: step.name.to_string(),
            role: step.role.to_string(),
            call_key: call.to_string(),
            state,
            message,
            known: None,
        };
        let intents: Vec<StepWrite> = to_apply
            .iter()
            .map(|(index, step, _, call)| write(works, *index, step, call, "intent", String::new()))
            .collect();
        let latest = Instant::now() + CALL;
        let held = steps::write(&mut *self.pool().acquire().await?, &intents, FRESH.as_secs_f64(), LEASE.as_secs_f64())
            .await?;
        to_apply.retain(|(index, ..)| {
            let work = &mut works[*index];
            work.hold(held.contains(&work.claim.id), latest)
        });
        if to_apply.is_empty() {
            return Ok(());
        }
        waybill_faults::crash_point("intent-committed");

        let outcomes = {
            let calls: Vec<AnyCall<'_>> = to_apply
                .iter()
                .map(|(index, step, object_key, call_key)| AnyCall {
                    step,
                    document: &works[*index].document,
                    object_key,
                    call_key,
                    known: &works[*index].known,
                    is_again: false,
                })
                .collect();
            deadline::within(latest, sink.apply(&calls)).await
        };

        waybill_faults::crash_point("answer-read");
        let mut results = Vec::new();
        for ((index, step, _, call), outcome) in to_apply.iter().zip(outcomes) {
            let (state, message) = match &outcome {
                Ok(_) => ("done", String::new()),
                Err(failure @ Failure::Ambiguous { .. }) => ("ambiguous", failure.to_string()),
                // Sent again it does no harm, so nobody has looked whether it had an effect.
                Err(failure @ (Failure::Transient { .. } | Failure::Malformed { .. })) if step.idempotent => {
                    ("unsure", failure.to_string())
                }
                Err(failure) => ("failed", failure.to_string()),
            };
            let mut result = write(works, *index, step, call, state, message);
            let work = &mut works[*index];
            match outcome {
                Ok(applied) => {
                    work.take(applied);
                    result.known = Some(work.known.clone());
                }
                Err(failure) => work.ended = Some(Err(Stopped::Failure(failure))),
            }
            results.push((*index, result));
        }
        // What is done is recorded with its end, unless that has to wait for others.
        let is_done = |work: &Work| work.ended.is_none() && work.next == work.steps.len();
        if works.iter().all(|work| work.ended.is_some() || is_done(work)) {
            let (done, rest): (Vec<_>, Vec<_>) = results.into_iter().partition(|(index, _)| is_done(&works[*index]));
            for (index, result) in done {
                works[index].last = Some(result);
            }
            results = rest;
        }
        let results: Vec<StepWrite> = results.into_iter().map(|(_, result)| result).collect();
        if results.is_empty() {
            return Ok(());
        }
        to_apply.retain(|(index, ..)| works[*index].last.is_none());
        let latest = Instant::now() + CALL;
        let held = steps::write(&mut *self.pool().acquire().await?, &results, FRESH.as_secs_f64(), LEASE.as_secs_f64())
            .await?;
        for (index, ..) in to_apply {
            works[index].hold(held.contains(&works[index].claim.id), latest);
        }
        Ok(())
    }

    async fn record(
        &self,
        work: &mut Work,
        step: &Step,
        call: &str,
        state: &'static str,
        message: &str,
    ) -> sqlx::Result<()> {
        let row = StepWrite {
            delivery_id: work.claim.id,
            fence: work.claim.fence,
            name: step.name.to_string(),
            role: step.role.to_string(),
            call_key: call.to_owned(),
            state,
            message: message.to_owned(),
            known: Some(work.known.clone()),
        };
        let latest = Instant::now() + CALL;
        let held =
            steps::write(&mut *self.pool().acquire().await?, &[row], FRESH.as_secs_f64(), LEASE.as_secs_f64()).await?;
        work.hold(held.contains(&work.claim.id), latest);
        Ok(())
    }
}

fn keys(work: &Work, step: &Step) -> (ObjectKey, CallKey) {
    let object_key = work.object_key(&step.role);
    let call_key = CallKey::new(&object_key, &step.name, &work.hash);
    (object_key, call_key)
}

/// Passes over the steps that an earlier attempt finished with the same payload. Where that attempt was settled, and the
/// same is written again because it was changed in the system, nothing of it counts.
fn skip_done(work: &mut Work, rows: &HashMap<(i64, String), StepRow>) {
    let is_written_again = work.claim.applied_hash.as_ref() == Some(&work.hash);
    while work.ended.is_none() {
        let Some(step) = work.steps.get(work.next) else {
            work.ended = Some(Ok(()));
            return;
        };
        let (_, call_key) = keys(work, step);
        let done = rows
            .get(&(work.claim.id, step.name.to_string()))
            .is_some_and(|row| row.state == "done" && row.call_key == call_key.as_str());
        if !done || is_written_again {
            return;
        }
        work.next += 1;
    }
}
