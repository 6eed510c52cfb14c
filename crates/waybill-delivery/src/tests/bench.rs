//! What the engine's tests stand on.

mod audited;
mod before;
mod people;
mod seen;
mod system;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_bus::Bus;
use waybill_connector::Failure;
use waybill_domain::{
    Kind, Snapshot,
    descriptor::{Budget, Capability, Descriptor},
};
use waybill_plan::{Connectors, Plan};
use waybill_proto::wire::source_server::{Source, SourceServer};
use waybill_runtime::{
    SystemClock, database,
    grpc::{self, PeerChannel, RequireToken},
    health::Health,
    settings::SecretText,
};
use waybill_testkit::TestDatabase;

use crate::{
    Engine, EngineParts, NoHooks, Served, SystemPort,
    intake::Heard,
    ledger::SourceService,
    migrator,
    store::facts::{self, Fact},
};

use before::SourceOfBefore;
pub(super) use seen::{Said, Stands};
pub(super) use system::Answer;
use system::System;

const SERVICE: &str = "erp-sync";

const PLAN: &str = r#"
since = 2020-01-01
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]
[systems.shop]
connector = "shop"
[systems.books]
connector = "books"
[systems.erp]
connector = "erp"
SYSTEM
[[flows]]
name = "orders"
kind = "order"
to = "erp"
AFTER
[[flows]]
name = "orders-to-books"
kind = "order"
to = "books"
"#;

fn descriptor(connector: &'static str, capabilities: &'static [Capability]) -> Descriptor {
    Descriptor {
        connector,
        title: connector,
        capabilities,
        settings: &[],
        fields: &[],
        reads: &[],
        adopts: &[],
        amends: &[],
        custom_fields: true,
        budget: Budget { requests: 1000, per: Duration::from_secs(1) },
        budget_is_published: true,
        find_lag: Duration::ZERO,
        call_timeout: Duration::ZERO,
    }
}

fn plan(flow: &str, system: &str) -> Plan {
    let connectors = [
        descriptor("shop", &[Capability::StoreSource]),
        descriptor("books", &[Capability::OrderSink]),
        descriptor("erp", &[Capability::OrderSink, Capability::CustomerSink, Capability::RefundSink]),
    ];
    Plan::parse(&PLAN.replace("AFTER", flow).replace("SYSTEM", system), Connectors::All(&connectors))
        .expect("the plan passes")
}

/// Serves the ledger of a database.
async fn source(service: impl Source) -> BTreeMap<String, PeerChannel> {
    let token: SecretText = "token".to_owned().into();
    let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let guarded = SourceServer::with_interceptor(service, RequireToken::new(token.clone()).unwrap());
    tokio::spawn(grpc::serve(listener, Routes::new(guarded), CancellationToken::new()));
    BTreeMap::from([("shopify-ingest".to_owned(), grpc::peer(&url, &token).unwrap())])
}

pub(super) struct Bench {
    system: Arc<System>,
    served: Served,
    engine: Arc<Engine>,
    plan: watch::Sender<Arc<Plan>>,
    pool: PgPool,
    database: TestDatabase,
}

impl Bench {
    pub(super) async fn start() -> Option<Self> {
        Self::beside(async |_| BTreeMap::new()).await
    }

    /// One whose records are in the ledger of its own database, which answers over gRPC as shopify-ingest.
    pub(super) async fn with_source() -> Option<Self> {
        Self::beside(async |pool| source(SourceService::new(pool)).await).await
    }

    /// The same, as it was before it listed heads, or in the order of changes.
    pub(super) async fn with_source_of_before() -> Option<Self> {
        Self::beside(async |pool| source(SourceOfBefore(SourceService::new(pool))).await).await
    }

    async fn beside(sources: impl AsyncFnOnce(PgPool) -> BTreeMap<String, PeerChannel>) -> Option<Self> {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap()?;
        let admin = database.url().expose();
        // Roles belong to the whole cluster, which tests share: one password for all.
        database::provision(&admin, SERVICE, "waybill-test", &migrator(None)).await.unwrap();
        let url = database::service_url(&admin, SERVICE, "waybill-test").unwrap();
        let pool = database::pool(&url, 8).unwrap();
        let system = Arc::new(System::default());
        let port = SystemPort {
            orders: Some(system.clone()),
            refunds: Some(system.clone()),
            order_fields: Some(system.clone()),
            ..SystemPort::new(descriptor("erp", &[Capability::OrderSink]), system.clone())
        };
        let budget = port.descriptor.budget;
        let served =
            Served { name: "erp".parse().unwrap(), port, concurrency: 4, budget, paused: false, released: false };
        let (sender, receiver) = watch::channel(Arc::new(plan("", "")));
        let parts = EngineParts {
            service: SERVICE,
            pool: pool.clone(),
            // Nobody listens there: what is said stays in the outbox, where the tests read it.
            bus: Bus::connect("nats://127.0.0.1:1", SERVICE, "").await.unwrap(),
            plan: receiver,
            ours: |connector, _| connector == "erp",
            served: vec![served.clone()],
            hooks: Arc::new(NoHooks),
            clock: Arc::new(SystemClock),
            sources: sources(pool.clone()).await,
            health: Health::default(),
            metrics: waybill_runtime::Metrics::default(),
            replica: "test".to_owned(),
        };
        let engine = Engine::new(parts, CancellationToken::new());
        crate::store::systems::enlist(&pool, "erp", false, false).await.unwrap();
        Some(Self { system, served, engine, plan: sender, pool, database })
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The way in for the database's owner.
    pub(super) fn admin(&self) -> String {
        self.database.url().expose()
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(super) async fn hear(&self, snapshot: Snapshot) {
        self.engine.take(vec![Heard { snapshot, traceparent: String::new() }]).await.unwrap();
    }

    pub(super) async fn round(&self) {
        self.engine.round(&self.served).await;
    }

    /// A round during which something else happens.
    pub(super) async fn round_while(&self, meanwhile: impl Future<Output = ()>) {
        let (engine, served) = (Arc::clone(&self.engine), self.served.clone());
        let before = self.calls() + self.looks();
        let round = tokio::spawn(async move { engine.round(&served).await });
        waybill_testkit::wait_for_async("a call", Duration::from_secs(10), async || {
            (self.calls() + self.looks() > before).then_some(())
        })
        .await;
        meanwhile.await;
        round.await.unwrap();
    }

    /// A round whose process dies in the middle of the call.
    pub(super) async fn round_that_dies(&self) {
        let (engine, served) = (Arc::clone(&self.engine), self.served.clone());
        let round = tokio::spawn(async move { engine.round(&served).await });
        self.until_a_call_is_made().await;
        round.abort();
        let _ = round.await;
    }

    async fn until_a_call_is_made(&self) {
        waybill_testkit::wait_for_async("a call", Duration::from_secs(10), async || {
            (self.system.calls.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.system.answers.lock().unwrap().push_back(answer);
    }

    pub(super) fn answer_always(&self, failure: Failure) {
        *self.system.always.lock().unwrap() = Some(failure);
    }

    /// Looks take so long for each record.
    pub(super) fn look_slowly(&self, time: Duration) {
        *self.system.look_takes.lock().unwrap() = time;
    }

    pub(super) fn answer_well(&self) {
        *self.system.always.lock().unwrap() = None;
    }

    pub(super) fn let_checks_pass(&self, pass: bool) {
        self.system.checks_fail.store(!pass, Ordering::SeqCst);
    }

    pub(super) fn wait_for_books(&self) {
        self.obey("after = [\"books\"]", "");
    }

    /// Changes the plan: keys of the flow and of the system.
    pub(super) fn obey(&self, flow: &str, system: &str) {
        self.plan.send(Arc::new(plan(flow, system))).unwrap();
    }

    /// What people do with deliveries.
    pub(super) async fn receipt_of_books(&self, order: u64, state: &str, settlement: i64) {
        let fact = Fact {
            store: "main".to_owned(),
            kind: Kind::Order.to_string(),
            record_id: order.to_string(),
            system: "books".to_owned(),
            state: state.to_owned(),
            settlement,
            said_epoch: Some(1),
            said_number: Some(1),
            applied_epoch: (state == "applied").then_some(1),
            applied_number: (state == "applied").then_some(1),
        };
        facts::keep(&mut self.pool.acquire().await.unwrap(), &[fact]).await.unwrap();
    }

    /// A call to the system takes up to so long.
    pub(super) fn take_up_to(&mut self, call_timeout: Duration) {
        let descriptor = Descriptor { call_timeout, ..(*self.served.port.descriptor).clone() };
        self.served.port.descriptor = Arc::new(descriptor);
    }

    /// The refunds that the system has, by id.
    pub(super) fn refunded(&self) -> Vec<String> {
        self.system.refunds.lock().unwrap().clone()
    }

    pub(super) fn created(&self) -> Vec<String> {
        self.system.objects.lock().unwrap().iter().map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn calls(&self) -> usize {
        self.system.calls.load(Ordering::SeqCst)
    }

    pub(super) fn looked_again(&self) -> Vec<bool> {
        self.system.looked_again.lock().unwrap().clone()
    }

    pub(super) fn looks(&self) -> usize {
        self.system.looks.load(Ordering::SeqCst)
    }

    /// Everything that waits for a time is due, as if it had passed.
    pub(super) async fn let_time_pass(&self) {
        self.execute("update delivery set due_at = now() where state in ('pending', 'waiting')").await;
        self.execute("update system_state set resume_at = now()").await;
    }

    /// The first change was long ago.
    pub(super) async fn let_changes_be_old(&self) {
        self.execute("update delivery set first_unapplied_at = now() - interval '5 days'").await;
    }

    pub(super) async fn let_leases_run_out(&self) {
        self.execute("update delivery set lease_until = now() - interval '1 second' where state = 'applying'").await;
    }

    pub(super) async fn take_the_claim_away(&self) {
        self.execute("update delivery set fence = fence + 1").await;
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.pool).await.unwrap();
    }

    async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&self.pool).await.unwrap()
    }

    /// How often the system has an order, and how many units the newest says.
    pub(super) fn held(&self, order: i64) -> (usize, i64) {
        let name = format!("#{order}");
        let times = self.created().iter().filter(|one| **one == name).count();
        (times, self.system.held.lock().unwrap().get(&name).copied().unwrap_or_default())
    }

    /// How the system takes the next call of one order.
    pub(super) fn script(&self, order: i64, answer: Option<Answer>) {
        let mut scripts = self.system.scripts.lock().unwrap();
        match answer {
            Some(answer) => scripts.insert(format!("#{order}"), answer),
            None => scripts.remove(&format!("#{order}")),
        };
    }

    /// All that is scripted is forgotten.
    pub(super) fn answer_as_ever(&self) {
        self.system.scripts.lock().unwrap().clear();
    }

    pub(super) async fn hear_all(&self, snapshots: Vec<Snapshot>) {
        let heard = snapshots.into_iter().map(|snapshot| Heard { snapshot, traceparent: String::new() });
        self.engine.take(heard.collect()).await.unwrap();
    }

    pub(super) async fn pause(&self, paused: bool) {
        crate::store::systems::pause(&self.pool, "erp", paused).await.unwrap();
    }

    /// As if nothing had ever been heard or written; the first run may create as much as it will.
    pub(super) async fn forget_all(&self) {
        for table in ["delivery", "outbox", "decision", "sent", "record", "audit"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}"))).execute(&self.pool).await.unwrap();
        }
        self.execute(
            "update system_state set condition = 'serving', paused = false, failures = 0, resume_at = now(),
                 released_at = now(), asking = null",
        )
        .await;
        self.answer_as_ever();
        self.system.objects.lock().unwrap().clear();
        self.system.fields.lock().unwrap().clear();
        self.system.held.lock().unwrap().clear();
    }

    /// A round that ends once all that is left of it is calls that nobody answers; or, where the process `dies`, at its
    /// first call.
    pub(super) async fn round_that_may_die(&self, dies: bool) {
        const LOOK: Duration = Duration::from_millis(2);
        self.system.hanging.store(0, Ordering::SeqCst);
        let asked = || self.calls() + self.looks();
        let (engine, served, first) = (Arc::clone(&self.engine), self.served.clone(), asked());
        let round = tokio::spawn(async move { engine.round(&served).await });
        let (mut last, mut quiet) = (first, 0);
        while !(round.is_finished() || dies && asked() > first) && quiet < 25 {
            tokio::time::sleep(LOOK).await;
            let is_hanging = self.system.hanging.load(Ordering::SeqCst) > 0;
            quiet = if is_hanging && asked() == last { quiet + 1 } else { 0 };
            last = asked();
        }
        round.abort();
        let _ = round.await;
    }

    pub(super) async fn no_worker_has_been_here(&self) {
        self.execute("delete from system_state").await;
    }
}
