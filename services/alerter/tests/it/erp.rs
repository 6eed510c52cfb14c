//! The service in charge of the system `erp`: its tables and its gRPC, with nothing that works on them.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_bus::Bus;
use waybill_delivery::{Engine, EngineParts, NoHooks, operations::DeliveriesService};
use waybill_domain::Snapshot;
use waybill_plan::{Connectors, Plan};
use waybill_proto::wire::deliveries_server::DeliveriesServer;
use waybill_runtime::{
    Metrics, SystemClock, database,
    grpc::{self, RequireToken},
    health::Health,
};

const SERVICE: &str = "erp-sync";

pub(crate) struct Erp {
    pub(crate) url: String,
    engine: Arc<Engine>,
    stop: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Erp {
    pub(crate) async fn start(admin: &str, password: &str, token: &str, plan: &str) -> Self {
        let url = database::provision(admin, SERVICE, password, &waybill_delivery::migrator(None)).await.unwrap();
        let plan = Plan::parse(plan, Connectors::Some(&[])).unwrap();
        let stop = CancellationToken::new();
        let parts = EngineParts {
            service: SERVICE,
            pool: database::pool(&url, 2).unwrap(),
            bus: Bus::connect("nats://127.0.0.1:1", SERVICE, "").await.unwrap(),
            plan: watch::channel(Arc::new(plan)).1,
            ours: |connector, _| connector == "tryton",
            served: Vec::new(),
            hooks: Arc::new(NoHooks),
            clock: Arc::new(SystemClock),
            sources: BTreeMap::new(),
            health: Health::default(),
            metrics: Metrics::default(),
            replica: "test".to_owned(),
        };
        let engine = Engine::new(parts, stop.clone());
        let listener: TcpListener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = DeliveriesService::new(Arc::clone(&engine));
        let token = RequireToken::new(token.to_owned().into()).unwrap();
        let routes = Routes::new(DeliveriesServer::with_interceptor(service, token));
        let serving = tokio::spawn(grpc::serve(listener, routes, stop.clone()));
        Self { url, engine, stop, serving }
    }

    fn pool(&self) -> &PgPool {
        self.engine.pool()
    }

    /// A record waits here for a person.
    pub(crate) async fn asks_for(&self, snapshot: &Snapshot) {
        let mut connection = self.pool().acquire().await.unwrap();
        self.engine.want(&mut connection, &["erp".parse().unwrap()], snapshot, "").await.unwrap();
        sqlx::query("update delivery set state = 'waiting', code = 'approval'")
            .execute(&mut *connection)
            .await
            .unwrap();
    }

    /// A person has let everything go; it is under way.
    pub(crate) async fn lets_go(&self) {
        sqlx::query("update delivery set state = 'pending', code = '', approved_by = 'ada', approved_at = now()")
            .execute(self.pool())
            .await
            .unwrap();
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
        self.engine.pool().close().await;
    }
}
