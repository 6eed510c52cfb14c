//! Claim, decide, apply, settle.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinSet};
use tracing::Instrument as _;
use waybill_connector::Failure;
use waybill_domain::SystemName;
use waybill_runtime::{database::within, trace_context};

use crate::{
    apply::{Stopped, Work},
    backoff::{self, Backoff},
    deciding::ended,
    engine::{Engine, Served},
    outcome::{Next, SystemNext, after_failure},
    settling::{End, LOST},
    store::{
        claim::{self, Claim},
        settle::{self, Back, Ended},
        systems,
    },
};

/// How long a claim holds without a sign of life; each finished step prolongs it. A call's time-out is under half.
pub const LEASE: Duration = Duration::from_secs(60);

/// The queue's database is silent if it takes longer; a claim that is lost with this is made again after its lease.
const READ_WITHIN: Duration = LEASE;
/// Longer than all steps of a group may take. What hangs longer, hangs on the database, and was claimed by another since.
const GROUP_WITHIN: Duration = LEASE.checked_mul(10).unwrap();

/// Failures in a row after which a system's breaker opens.
pub(crate) const BREAKER_FAILURES: i32 = 5;
/// How long it stays open before one delivery probes.
const BREAKER_PAUSE: Duration = Duration::from_secs(10);
/// How often credentials that were refused are tried again.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How often a system without a wake-up looks for work that other processes left or that became due.
const POLL: Duration = Duration::from_millis(250);
const GROUP: usize = 100;
/// What comes within this of a small claim is claimed together, at the least and at the most.
const PACE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(50));

/// What a worker does after a look at its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    /// There was little: what comes meanwhile is claimed together.
    Gather(Duration),
    /// There was nothing to do: after so long, or once there is.
    Look(Duration),
}

impl Engine {
    /// Works for one system until told to stop; then finishes the calls under way and gives back what is claimed.
    pub(crate) async fn work(self: Arc<Self>, served: Served) -> anyhow::Result<()> {
        let permits = Arc::new(Semaphore::new(served.concurrency));
        let mut running = JoinSet::new();
        let stop = self.stop_signal();
        let mut enlisted = false;
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            let step = async {
                if !enlisted {
                    systems::enlist(self.pool(), served.name.as_str(), served.paused, served.released).await?;
                    enlisted = true;
                }
                self.claim_and_start(&served, &permits, &mut running).await
            };
            let then = step.await.unwrap_or_else(|error| {
                tracing::warn!(system = %served.name, %error, "the queue cannot be read; trying again");
                Then::Look(Duration::from_secs(1))
            });
            match then {
                Then::GoOn => {}
                Then::Gather(pause) => self.pause(pause).await,
                Then::Look(pause) => tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.work_to_do() => {}
                    () = tokio::time::sleep(pause) => {}
                },
            }
        }
        while running.join_next().await.is_some() {}
        Ok(())
    }

    async fn claim_and_start(
        self: &Arc<Self>,
        served: &Served,
        permits: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
    ) -> sqlx::Result<Then> {
        let system = served.name.as_str();
        let Some(state) = within(READ_WITHIN, systems::one(self.pool(), system)).await? else {
            systems::enlist(self.pool(), system, served.paused, served.released).await?;
            return Ok(Then::GoOn);
        };
        if state.condition == "unauthorized" && !state.paused {
            return self.check_credentials(served).await.map(Then::Look);
        }
        if !state.open() {
            return Ok(Then::Look(Duration::from_secs_f64(state.wait_seconds.clamp(0.05, 1.0))));
        }
        let first_run = self.is_first_run(&served.name, &state).await?;
        self.wake_let_go(&served.name, first_run).await?;
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else { return Ok(Then::Look(POLL)) };
        // A breaker that was open lets one delivery through to see.
        let serving = state.condition == "serving";
        let limit = if serving { GROUP } else { 1 };
        let latest = Instant::now() + LEASE / 2;
        let claiming = claim::claim(self.pool(), system, limit as i64, LEASE.as_secs_f64());
        let mut claims = within(READ_WITHIN, claiming).await?;
        if claims.is_empty() {
            return Ok(Then::Look(POLL));
        }
        let is_full = claims.len() * 2 >= GROUP;
        waybill_faults::crash_point("claimed");
        for claim in &mut claims {
            (claim.first_run, claim.latest) = (first_run, Some(latest));
        }
        let mut held = Some(permit);
        for group in self.decide_and_group(served, claims, serving).await? {
            let permit = match held.take() {
                Some(permit) => permit,
                None => match Arc::clone(permits).acquire_owned().await {
                    Ok(permit) => permit,
                    Err(_) => return Ok(Then::Look(POLL)),
                },
            };
            let (engine, served) = (Arc::clone(self), served.clone());
            running.spawn(async move {
                if let Err(error) = within(GROUP_WITHIN, engine.run_group(&served, group, serving)).await {
                    // The leases run out and the steps' intents say what to look up.
                    tracing::warn!(system = %served.name, %error, "results could not be recorded");
                }
                drop(permit);
            });
        }
        Ok(if is_full { Then::GoOn } else { Then::Gather(pace(served)) })
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

    async fn run_group(&self, served: &Served, mut works: Vec<Work>, serving: bool) -> sqlx::Result<()> {
        let Some(sink) = works.first().and_then(|work| served.port.sink(&work.document)) else {
            let refused = works.into_iter().map(|work| {
                let message = format!("{} cannot take {} records", served.port.descriptor.title, work.key.kind);
                (work, Err(Failure::rejected("no_capability", "", message)))
            });
            return self.end(served, refused.collect(), serving).await;
        };
        // Each record's own trace goes on, also where one call carries several: every span lasts as long as the call.
        let records = works.len();
        let spans: Vec<tracing::Span> = works.iter().map(|work| deliver_span(served, work, records)).collect();
        let span = spans.first().cloned().unwrap_or_else(tracing::Span::none);
        let outcome = async {
            self.run_steps(sink.as_ref(), &mut works, served.port.descriptor.call_is_over_after()).await?;
            let mut outcomes = Vec::with_capacity(works.len());
            for mut work in works {
                let outcome = match work.ended.take() {
                    None | Some(Ok(())) => Ok(()),
                    Some(Err(Stopped::Failure(failure))) => Err(failure),
                    Some(Err(Stopped::ClaimLost)) => {
                        tracing::info!(record = %work.key, system = %served.name, "{LOST}");
                        continue;
                    }
                    Some(Err(Stopped::GivenBack)) => continue,
                    Some(Err(Stopped::TooEarly(left))) => {
                        self.look_up_later(&work.claim, left).await?;
                        continue;
                    }
                };
                outcomes.push((work, outcome));
            }
            self.end(served, outcomes, serving).await
        }
        .instrument(span)
        .await;
        drop(spans);
        outcome
    }

    /// Records how attempts ended, for the deliveries and for the system.
    pub(crate) async fn end(
        &self,
        served: &Served,
        outcomes: Vec<(Work, Result<(), Failure>)>,
        serving: bool,
    ) -> sqlx::Result<()> {
        let mut done = Vec::with_capacity(outcomes.len());
        let mut failures = Vec::new();
        let mut is_well = false;
        for (work, outcome) in outcomes {
            match outcome {
                Ok(()) => {
                    is_well |= !serving || work.claim.attempts > 0;
                    let ended = Ended {
                        external_id: work.external_id,
                        hash: Some(work.hash),
                        attempts: work.claim.attempts + 1,
                        last: work.last,
                        ..ended(&work.claim.basis.plan_hash, &work.claim, "applied", "", "", "")
                    };
                    done.push(End { claim: work.claim, ended, sent: work.sent });
                }
                Err(failure) => failures.push((work, failure)),
            }
        }
        // What is done comes first: no failure is in its way, and it does not hide one from the breaker.
        self.settle(served.name.as_str(), done).await?;
        if is_well {
            systems::well(self.pool(), served.name.as_str()).await?;
        }
        let mut parked = Vec::new();
        for (work, failure) in failures {
            parked.extend(self.failed(served, work, &failure, serving).await?);
        }
        self.settle(served.name.as_str(), parked).await
    }

    /// Whatever woke it, it is not looked up before the call that may have made it is over.
    async fn look_up_later(&self, claim: &Claim, left: Duration) -> sqlx::Result<()> {
        let back = Back {
            state: "pending",
            ..Back::waiting(
                claim,
                left.as_secs_f64(),
                "ambiguous",
                "the last call may still be at work there; it is looked up once that is over".to_owned(),
                &claim.basis.plan_hash,
            )
        };
        settle::put_back(&mut *self.pool().acquire().await?, &back).await
    }

    /// What follows a failure; the claim's end, if it is one.
    async fn failed(&self, served: &Served, work: Work, failure: &Failure, serving: bool) -> sqlx::Result<Option<End>> {
        let claim = &work.claim;
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
            failure,
            claim.attempts,
            serving,
            served.port.descriptor.find_lag,
            &Backoff { tries: work.retry.tries.try_into().unwrap_or(i32::MAX), ..backoff::DEFAULT },
            self.random(),
        );
        self.follow_system(&served.name, system).await?;
        let next = if serving && work.tried_for() >= work.retry.for_at_most { next.or_parked() } else { next };
        match next {
            Next::Retry { after, counted, message } => {
                let back = Back {
                    id: claim.id,
                    fence: claim.fence,
                    wake: claim.wake,
                    state: "pending",
                    after_seconds: after.as_secs_f64(),
                    attempts: claim.attempts + i32::from(counted),
                    tried_seconds: claim.tried_seconds + if counted { after.as_secs_f64() } else { 0.0 },
                    field: String::new(),
                    code: failure.class().to_owned(),
                    message,
                    plan_hash: claim.basis.plan_hash.clone(),
                };
                settle::put_back(&mut *self.pool().acquire().await?, &back).await?;
                Ok(None)
            }
            Next::Park { code, field, message } => {
                let ended = Ended {
                    external_id: work.external_id,
                    attempts: claim.attempts + 1,
                    ..ended(&claim.basis.plan_hash, claim, "parked", &code, &field, &message)
                };
                Ok(Some(End { claim: work.claim, ended, sent: Vec::new() }))
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
}

#[cfg(test)]
impl Engine {
    /// One round for one system: what is due is claimed, decided and run to its end.
    pub(crate) async fn round(self: &Arc<Self>, served: &Served) -> Option<Duration> {
        let permits = Arc::new(Semaphore::new(served.concurrency));
        let mut running = JoinSet::new();
        let then = self.claim_and_start(served, &permits, &mut running).await.expect("the database answers");
        while running.join_next().await.is_some() {}
        if let Then::Look(pause) = then { Some(pause) } else { None }
    }
}

/// The pause after a small claim: more calls than the budget lets through gain nothing.
fn pace(served: &Served) -> Duration {
    served.budget.per.checked_div(served.budget.requests).unwrap_or(PACE.1).clamp(PACE.0, PACE.1)
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
