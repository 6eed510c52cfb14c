//! The engine of one service: what it is made of and what it runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{PgConnection, PgPool};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, topology};
use waybill_domain::{Clock, Kind, Snapshot, SystemName, descriptor::Budget};
use waybill_plan::Plan;
use waybill_proto::wire;
use waybill_runtime::{Metrics, Tasks, database, grpc::PeerChannel, health::Health};

use crate::{
    first_run::Looked,
    hooks::Hooks,
    outbox,
    sinks::SystemPort,
    store::{
        flows::{self, Way},
        heard::{self, Wanted},
    },
    taken::Taken,
};

/// A system that this process works for.
#[derive(Clone)]
pub struct Served {
    /// Its name in the plan.
    pub name: SystemName,
    /// Its connector.
    pub port: SystemPort,
    /// Groups in flight at once.
    pub concurrency: usize,
    /// Requests over time.
    pub budget: Budget,
    /// Whether it is paused when it is first seen.
    pub paused: bool,
    /// Whether its first run may create as many records as it will, without asking.
    pub released: bool,
}

/// What an engine is made of.
pub struct EngineParts {
    /// The service's name.
    pub service: &'static str,
    /// Its database, as its own role.
    pub pool: PgPool,
    /// The road.
    pub bus: Bus,
    /// The plan, as it changes.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// Whether a kind of records for a connector's systems is this service's business, served by this process or not.
    pub ours: fn(connector: &str, kind: Kind) -> bool,
    /// The systems that this process works for.
    pub served: Vec<Served>,
    /// What the service adds.
    pub hooks: Arc<dyn Hooks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sources by service name, for the comparison each minute.
    pub sources: BTreeMap<String, PeerChannel>,
    /// Health.
    pub health: Health,
    /// Counts and gauges.
    pub metrics: Metrics,
    /// Names this process in reports.
    pub replica: String,
}

/// The engine of one service.
pub struct Engine {
    parts: EngineParts,
    work: Notify,
    outbox: Arc<Notify>,
    report: Notify,
    /// Hash of the plan whose flows were noted.
    noted: Mutex<String>,
    looked: Looked,
    taken: Taken,
    stop: CancellationToken,
}
/// How often sources are compared with.
const COMPARE_EVERY: Duration = Duration::from_secs(60);

impl Engine {
    /// Puts an engine together.
    pub fn new(parts: EngineParts, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            parts,
            work: Notify::new(),
            outbox: Arc::new(Notify::new()),
            report: Notify::new(),
            noted: Mutex::default(),
            looked: Looked::default(),
            taken: Taken::default(),
            stop,
        })
    }

    /// The service's name.
    pub fn service(&self) -> &'static str {
        self.parts.service
    }

    /// The service's database.
    pub fn pool(&self) -> &PgPool {
        &self.parts.pool
    }

    /// The plan as it is now.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.parts.plan.borrow())
    }

    pub(crate) fn served(&self) -> &[Served] {
        &self.parts.served
    }

    pub(crate) fn hooks(&self) -> &dyn Hooks {
        self.parts.hooks.as_ref()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.parts.metrics
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn looked(&self) -> &Looked {
        &self.looked
    }

    pub(crate) fn taken(&self) -> &Taken {
        &self.taken
    }

    pub(crate) fn stop_signal(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn random(&self) -> f64 {
        fastrand::f64()
    }

    /// Whether a kind of records for a system of the plan is this service's business.
    pub(crate) fn is_ours(&self, plan: &Plan, system: &SystemName, kind: Kind) -> bool {
        plan.systems.get(system).is_some_and(|system| (self.parts.ours)(&system.connector, kind))
    }

    /// Notes since when the plan's flows are there, before anything is wanted by them; once per plan.
    pub(crate) async fn note_flows(&self, db: &mut PgConnection, plan: &Plan) -> sqlx::Result<()> {
        if *self.noted.lock().unwrap_or_else(PoisonError::into_inner) == plan.hash {
            return Ok(());
        }
        let ways: Vec<Way> = plan
            .ways()
            .map(|(flow, store)| Way {
                flow: flow.name.clone(),
                store: store.to_string(),
                kind: flow.kind.to_string(),
                system: flow.to.to_string(),
            })
            .collect();
        flows::note(db, &ways, self.now()).await?;
        plan.hash.clone_into(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Notes the plan's flows before there is anything to hear, and follows its changes: what waits is decided anew.
    async fn follow_plan(self: Arc<Self>) -> anyhow::Result<()> {
        let mut plan = self.parts.plan.clone();
        loop {
            loop {
                let outcome = async {
                    let mut transaction = database::begin(self.pool()).await?;
                    self.note_flows(&mut transaction, &self.plan()).await?;
                    flows::decide_waiting_anew(&mut transaction).await?;
                    transaction.commit().await
                }
                .await;
                match outcome {
                    Ok(()) => break self.wake_workers(),
                    Err(error) => {
                        tracing::warn!(%error, "what waits could not be decided anew; trying again");
                        self.pause(Duration::from_secs(1)).await;
                        if self.stop.is_cancelled() {
                            return Ok(());
                        }
                    }
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                changed = plan.changed() => changed?,
            }
        }
    }

    /// Wants a snapshot at systems that no flow names: incidents at pagers. Within the caller's transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn want(
        &self,
        db: &mut PgConnection,
        systems: &[SystemName],
        snapshot: &Snapshot,
        traceparent: &str,
    ) -> sqlx::Result<()> {
        use prost::Message as _;
        let encoded = wire::Snapshot::from(snapshot).encode_to_vec();
        let wanted: Vec<Wanted> = systems
            .iter()
            .map(|system| Wanted {
                system: system.to_string(),
                store: snapshot.key.store.to_string(),
                kind: snapshot.key.kind.as_str(),
                record_id: snapshot.key.id.to_string(),
                name: snapshot.name().to_owned(),
                target_key: snapshot.key.to_string(),
                epoch: snapshot.revision.epoch,
                number: snapshot.revision.number,
                snapshot: encoded.clone(),
                traceparent: traceparent.to_owned(),
                again: false,
            })
            .collect();
        heard::want(db, &wanted).await?;
        Ok(())
    }

    /// Has every system look for work now.
    pub fn wake_workers(&self) {
        self.work.notify_waiters();
    }

    pub(crate) async fn work_to_do(&self) {
        self.work.notified().await;
    }

    /// Has the outbox published now.
    pub fn wake_outbox(&self) {
        self.outbox.notify_one();
    }

    pub(crate) async fn report_wanted(&self) {
        self.report.notified().await;
    }

    pub(crate) fn replica(&self) -> &str {
        &self.parts.replica
    }

    pub(crate) fn report_systems_now(&self) {
        self.report.notify_one();
    }

    pub(crate) const fn bus(&self) -> &Bus {
        &self.parts.bus
    }

    pub(crate) const fn health(&self) -> &Health {
        &self.parts.health
    }

    pub(crate) fn sources(&self) -> &BTreeMap<String, PeerChannel> {
        &self.parts.sources
    }

    /// Reads a system's records again and again; what has changed is published and worked on at once. `read` gives how
    /// many have.
    pub fn read_every<F, Fut>(self: &Arc<Self>, tasks: &mut Tasks, name: &'static str, every: Duration, mut read: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<usize>> + Send,
    {
        let engine = Arc::clone(self);
        tasks.repeat(name, every, move || {
            let (engine, read) = (Arc::clone(&engine), read());
            async move {
                if read.await? > 0 {
                    engine.wake_outbox();
                    engine.wake_workers();
                }
                Ok(())
            }
        });
    }

    /// Starts everything that the engine does.
    pub fn start(self: &Arc<Self>, tasks: &mut Tasks) {
        for served in self.parts.served.clone() {
            let engine = Arc::clone(self);
            tasks.spawn("work", async move { engine.work(served).await });
        }
        for hears in topology::hears().into_iter().filter(|hears| hears.service == self.service()) {
            let engine = Arc::clone(self);
            tasks.spawn("intake", async move { engine.hear(hears).await });
        }
        let (pool, bus, wake, stop) =
            (self.pool().clone(), self.parts.bus.clone(), Arc::clone(&self.outbox), self.stop.clone());
        tasks.spawn("outbox", async move {
            outbox::keep_publishing(pool, bus, &wake, stop).await;
            Ok(())
        });
        let engine = Arc::clone(self);
        tasks.spawn("report", async move { engine.report().await });
        let engine = Arc::clone(self);
        tasks.spawn("follow the plan", async move { engine.follow_plan().await });
        if !self.parts.sources.is_empty() {
            let engine = Arc::clone(self);
            tasks.spawn("compare as planned", async move { engine.compare_as_planned().await });
            let engine = Arc::clone(self);
            tasks.repeat("compare with sources", COMPARE_EVERY, move || {
                let engine = Arc::clone(&engine);
                async move {
                    let compared = engine.compare_with_sources().await;
                    engine.taken().forget();
                    compared
                }
            });
        }
    }

    /// A plan that names another way has what was before it compared at once: until then it is a gap.
    async fn compare_as_planned(&self) -> anyhow::Result<()> {
        let (stop, mut plan) = (self.stop_signal(), self.parts.plan.clone());
        while let Some(changed) = stop.run_until_cancelled(plan.changed()).await {
            changed?;
            let compared = stop.run_until_cancelled(self.compare_with_sources()).await;
            if let Some(Err(error)) = compared {
                tracing::warn!(%error, "not compared with the sources; tried again within a minute");
            }
        }
        Ok(())
    }

    pub(crate) async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// The kinds of records that the service hears of a source's domain.
    pub(crate) fn kinds_from(&self, domain: &str) -> Vec<Kind> {
        Kind::ALL
            .into_iter()
            .filter(|kind| waybill_bus::subjects::domain(*kind) == domain)
            .filter(|kind| {
                topology::hears().iter().filter(|hears| hears.service == self.service()).any(|hears| {
                    hears.filter == waybill_bus::subjects::snapshots_of(*kind)
                        || hears.filter == format!("{domain}.v1.>")
                })
            })
            .collect()
    }
}
