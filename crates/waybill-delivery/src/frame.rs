//! What every service's composition root shares: plan, database, road, peers, health, gRPC.

mod obeyed;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_bus::Bus;
use waybill_connector::SystemSettings;
use waybill_domain::{Clock as _, Kind, StoreName, SystemName, descriptor::Descriptor};
use waybill_plan::{Connectors, Plan, References};
use waybill_proto::wire::{deliveries_server::DeliveriesServer, source_server::SourceServer};
use waybill_runtime::{
    Ended, Metrics, ServiceSettings, SystemClock, Tasks, database,
    grpc::{self, PeerChannel, RequireToken},
    health::{self, Health},
    secret,
};

use crate::{
    budget::SharedBudget,
    engine::{Engine, EngineParts, Served},
    hooks::Hooks,
    ledger::SourceService,
    operations::DeliveriesService,
    pruning,
    sinks::SystemPort,
    tally,
};
use obeyed::Obeyed;

/// How often the plan's file is looked at for changes.
const PLAN_EVERY: Duration = Duration::from_secs(5);
/// A database that takes longer for an empty question is not well.
const DATABASE_WITHIN: Duration = Duration::from_secs(10);

/// What a service takes from the plan's systems and stores.
pub struct Uses {
    /// Its own connectors'.
    pub descriptors: Vec<Descriptor>,
    /// Whether it checks webhooks' signatures.
    pub webhooks: bool,
}

impl From<Vec<Descriptor>> for Uses {
    fn from(descriptors: Vec<Descriptor>) -> Self {
        Self { descriptors, webhooks: false }
    }
}

/// A service under construction: everything is bound and read, nothing runs yet.
pub struct Frame {
    /// The service's name.
    pub service: &'static str,
    /// Its settings.
    pub settings: ServiceSettings,
    /// Its database, as its own role.
    pub pool: PgPool,
    /// The road, as its own user.
    pub bus: Bus,
    /// The plan, as it changes.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// Its health.
    pub health: Health,
    /// Its counts and gauges.
    pub metrics: Metrics,
    /// Its tasks.
    pub tasks: Tasks,
    http: TcpListener,
    grpc: TcpListener,
    plan_sender: watch::Sender<Arc<Plan>>,
    obeyed: Arc<Mutex<Obeyed>>,
    uses: Uses,
}

impl Frame {
    /// Reads the plan, binds the ports, prepares connections.
    ///
    /// # Errors
    /// If the plan does not pass or secrets that the service needs do not resolve, a port is taken or a URL cannot be
    /// used.
    pub async fn build(
        service: &'static str,
        settings: ServiceSettings,
        uses: impl Into<Uses>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let uses = uses.into();
        anyhow::ensure!(settings.body_days > 0, "setting 'body_days' must be at least 1");
        let plan = read_plan(&settings, &uses)?;
        let obeyed = Arc::new(Mutex::new(Obeyed::new(&plan.hash, SystemClock.now())));
        let (plan_sender, plan) = watch::channel(Arc::new(plan));
        let pool = database::pool(settings.database_url.expose(), settings.connections)?;
        let bus = Bus::connect(&settings.nats_url, service, settings.nats_password.expose()).await?;
        let http = grpc::bind(settings.http).await?;
        let grpc = grpc::bind(settings.grpc).await?;
        let health = Health::default();
        health.set("postgres", Some("not connected yet".to_owned()));
        Ok(Self {
            service,
            settings,
            pool,
            bus,
            plan,
            health,
            metrics: Metrics::default(),
            // A signal of its own: a service that is built again stops by itself.
            tasks: Tasks::new(stop.child_token()),
            http,
            grpc,
            plan_sender,
            obeyed,
            uses,
        })
    }

    /// Where health endpoints (and webhooks) listen.
    ///
    /// # Errors
    /// If the socket is gone.
    pub fn http_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.http.local_addr()?)
    }

    /// Where gRPC listens.
    ///
    /// # Errors
    /// If the socket is gone.
    pub fn grpc_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.local_addr()?)
    }

    /// Channels to the named peers; those without an address in the settings are left out.
    ///
    /// # Errors
    /// If an address cannot be used.
    pub fn peers(&self, names: &[&str]) -> anyhow::Result<BTreeMap<String, PeerChannel>> {
        names
            .iter()
            .filter_map(|name| self.settings.peers.get(*name).map(|url| (name, url)))
            .map(|(name, url)| {
                let channel =
                    grpc::peer(url, &self.settings.grpc_token).with_context(|| format!("peers.{name} = '{url}'"))?;
                Ok(((*name).to_owned(), channel))
            })
            .collect()
    }

    /// A system's settings with its secrets resolved and its budget shared.
    ///
    /// # Errors
    /// If a secret does not resolve or a setting is missing.
    pub fn system_settings(&self, name: &SystemName, descriptor: &Descriptor) -> anyhow::Result<SystemSettings> {
        let plan = self.plan.borrow();
        let system = plan.systems.get(name).with_context(|| format!("the plan has no system '{name}'"))?;
        let (written, references) = system.split(descriptor);
        let mut values = BTreeMap::new();
        for (setting, text) in written {
            let value = secret::plain(&text).with_context(|| format!("systems.{name}.{setting}"))?;
            values.insert(setting, value);
        }
        let mut secrets: BTreeMap<String, SecretString> = BTreeMap::new();
        for (setting, reference) in references {
            let value = secret::resolve(&reference).with_context(|| format!("systems.{name}.{setting}"))?;
            secrets.insert(setting, value);
        }
        let budget = system.budget_of(self.service, descriptor);
        let gate = SharedBudget::new(self.pool.clone(), name.clone(), budget);
        Ok(SystemSettings::new(name.clone(), descriptor, values, secrets)?.with_gate(gate))
    }

    /// Something made of the settings of each store's own system, such as its API.
    ///
    /// # Errors
    /// If a secret does not resolve, a setting is missing, or it cannot be made.
    pub fn for_each_store<T, E: Into<anyhow::Error>>(
        &self,
        descriptor: &Descriptor,
        make: impl Fn(&SystemSettings) -> Result<T, E>,
    ) -> anyhow::Result<BTreeMap<StoreName, T>> {
        let plan = Arc::clone(&self.plan.borrow());
        let made = plan.stores.iter().map(|(name, store)| {
            let settings = self.system_settings(&store.system, descriptor)?;
            Ok((name.clone(), make(&settings).map_err(Into::into)?))
        });
        made.collect()
    }

    /// The plan's systems that this process works for: those whose connector the service has (`port` gives `None` for
    /// others), limited by the setting `systems`.
    ///
    /// # Errors
    /// If the setting names a system that the plan has not, or a connector cannot be set up.
    pub fn served(
        &self,
        port: impl Fn(&str, &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>) -> anyhow::Result<Option<SystemPort>>,
    ) -> anyhow::Result<Vec<Served>> {
        let plan = Arc::clone(&self.plan.borrow());
        for wanted in &self.settings.systems {
            anyhow::ensure!(
                plan.systems.keys().any(|name| name.as_str() == wanted),
                "setting 'systems' names '{wanted}', which the plan does not have"
            );
        }
        let mut served = Vec::new();
        for (name, system) in &plan.systems {
            let limited = !self.settings.systems.is_empty();
            if limited && !self.settings.systems.iter().any(|wanted| wanted == name.as_str()) {
                continue;
            }
            let settings = |descriptor: &Descriptor| self.system_settings(name, descriptor);
            let made = port(&system.connector, &settings).with_context(|| format!("systems.{name}"))?;
            if let Some(port) = made {
                let budget = system.budget_of(self.service, &port.descriptor);
                served.push(Served {
                    name: name.clone(),
                    port,
                    concurrency: system.concurrency,
                    budget,
                    paused: system.paused,
                    released: self.settings.yes,
                });
            }
        }
        Ok(served)
    }

    /// An engine of these parts.
    ///
    /// # Errors
    /// If a peer's address cannot be used.
    pub fn engine(
        &self,
        ours: fn(&str, Kind) -> bool,
        served: Vec<Served>,
        hooks: Arc<dyn Hooks>,
    ) -> anyhow::Result<Arc<Engine>> {
        let parts = EngineParts {
            service: self.service,
            pool: self.pool.clone(),
            bus: self.bus.clone(),
            plan: self.plan.clone(),
            ours,
            served,
            hooks,
            clock: Arc::new(SystemClock),
            sources: self.peers(&["shopify-ingest", "fulfilment-sync", "inventory-router", "erp-sync"])?,
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            replica: obeyed::replica(),
        };
        Ok(Engine::new(parts, self.tasks.stop_signal()))
    }

    /// Runs the service until it is stopped: its tasks, gRPC with a token, health endpoints beside `http`. Says every few
    /// seconds which plan it obeys. A plan that passes and has other systems, stores or sources ends it too, in order, so
    /// that it is built of them.
    ///
    /// # Errors
    /// If a task ends early.
    pub async fn run(mut self, http: axum::Router, operations: Routes) -> anyhow::Result<Ended> {
        RequireToken::new(self.settings.grpc_token.clone())?;
        let stop = self.tasks.stop_signal();
        let router = health::router(self.health.clone(), self.metrics.clone()).merge(http);
        let (listener, signal) = (self.http, stop.clone());
        self.tasks.spawn("http", async move {
            axum::serve(listener, router).with_graceful_shutdown(signal.cancelled_owned()).await?;
            Ok(())
        });
        self.tasks.spawn("grpc", grpc::serve(self.grpc, operations, stop.clone()));
        let pool = self.pool.clone();
        let health = self.health.clone();
        self.tasks.repeat("database", Duration::from_secs(2), move || {
            let (pool, health) = (pool.clone(), health.clone());
            async move {
                let answer = database::within(DATABASE_WITHIN, sqlx::query("select 1").execute(&pool)).await;
                health.set("postgres", answer.as_ref().err().map(ToString::to_string));
                Ok(())
            }
        });
        obeyed::say(&mut self.tasks, self.service, self.bus, Arc::clone(&self.obeyed));
        let (pool, metrics) = (self.pool.clone(), self.metrics.clone());
        let (history_for, bodies_for) = (days(self.settings.history_days), days(self.settings.body_days));
        self.tasks.repeat("pruning", pruning::EVERY, move || {
            let (pool, metrics) = (pool.clone(), metrics.clone());
            async move { Ok(pruning::run(&pool, &metrics, history_for, bodies_for).await?) }
        });
        tally::RECORDS.keep(&mut self.tasks, self.pool.clone(), self.metrics.clone());
        let (settings, sender, uses, obeyed) = (self.settings, self.plan_sender, self.uses, self.obeyed);
        let build_again = Arc::new(AtomicBool::new(false));
        let (wanted, built_of) = (Arc::clone(&build_again), Arc::clone(&self.plan.borrow()));
        let mut refused = String::new();
        self.tasks.repeat("plan", PLAN_EVERY, move || {
            let outcome = read_plan(&settings, &uses);
            let mut obeyed = obeyed.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(plan) => {
                    obeyed.passed(&plan.hash, SystemClock.now());
                    if !plan.builds_as(&built_of) {
                        tracing::info!("the plan has other systems or stores; the service is built again");
                        wanted.store(true, Ordering::Relaxed);
                        stop.cancel();
                    }
                    sender.send_if_modified(|current| {
                        let changed = current.hash != plan.hash;
                        if changed {
                            tracing::info!(from = current.hash, to = plan.hash, "the plan has changed");
                            *current = Arc::new(plan);
                        }
                        changed
                    });
                    refused.clear();
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    obeyed.refused(&error, SystemClock.now());
                    if error != refused {
                        tracing::error!(error, "the changed plan does not pass; the old one stays");
                        refused = error;
                    }
                }
            }
            async { Ok(()) }
        });
        tracing::info!(service = self.service, "running");
        self.tasks.run().await?;
        Ok(if build_again.load(Ordering::Relaxed) { Ended::BuildAgain } else { Ended::Stopped })
    }

    /// Runs a service that says records and delivers records: as [`Self::run`], with both offered over gRPC.
    ///
    /// # Errors
    /// If a task ends early.
    pub async fn run_source(self, engine: Arc<Engine>) -> anyhow::Result<Ended> {
        let token = self.token()?;
        let source = SourceServer::with_interceptor(SourceService::new(self.pool.clone()), token.clone());
        let deliveries = DeliveriesServer::with_interceptor(DeliveriesService::new(engine), token);
        self.run(axum::Router::new(), Routes::new(deliveries).add_service(source)).await
    }

    /// Asks the token of every call to a gRPC service: `frame.guard(|token| DeliveriesServer::with_interceptor(…, token))`.
    ///
    /// # Errors
    /// If there is no token in the settings.
    pub fn token(&self) -> anyhow::Result<RequireToken> {
        RequireToken::new(self.settings.grpc_token.clone())
    }
}

const fn days(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 86_400)
}

/// Reads the plan. Secrets of the systems that the service works for have to resolve.
fn read_plan(settings: &ServiceSettings, uses: &Uses) -> anyhow::Result<Plan> {
    let path = &settings.plan;
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the plan {} cannot be read; set WAYBILL_PLAN", path.display()))?;
    let resolve = |at: &str, reference: &str| {
        let system = at.strip_prefix("systems.").and_then(|rest| rest.split('.').next());
        let is_needed = match system {
            Some(system) => settings.systems.is_empty() || settings.systems.iter().any(|wanted| wanted == system),
            None => uses.webhooks,
        };
        if is_needed { secret::resolve(reference).map(drop).map_err(|error| error.to_string()) } else { Ok(()) }
    };
    let checked = Plan::check(&text, Connectors::Some(&uses.descriptors), References::Refused(&resolve))
        .with_context(|| format!("the plan {}", path.display()))?;
    Ok(checked.plan)
}
