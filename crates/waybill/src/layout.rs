//! Who listens where and with which password: what `up` gives the services in one process, and what their own
//! binaries are given as environment.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use waybill_bus::topology;
use waybill_runtime::{database, secret::environment};

/// Every process of a deployment, the console last.
pub(crate) const SERVICES: [&str; 7] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter", "console"];

/// Where state that outlives a process is kept.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StateArguments {
    /// A folder for the deployment's own secret and for `up.json`, which the operator's commands read.
    #[arg(long, env = "WAYBILL_STATE_DIR", default_value = ".waybill")]
    pub(crate) state: PathBuf,
}

/// What decides addresses.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LayoutArguments {
    #[command(flatten)]
    pub(crate) state: StateArguments,
    #[command(flatten)]
    pub(crate) plan: crate::PlanFile,
    /// PostgreSQL, as a user who may create roles and schemas.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    /// NATS; of a cluster, each node's URL, with commas.
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub(crate) nats_url: String,
    /// Takes free ports instead of 8080-8086 and 9090-9096.
    #[arg(long)]
    pub(crate) free_ports: bool,
    /// Where webhooks are received.
    #[arg(long)]
    pub(crate) webhooks: Option<std::net::SocketAddr>,
    /// Where the console listens.
    #[arg(long)]
    pub(crate) console: Option<std::net::SocketAddr>,
}

/// Passwords made of one secret: the deployment's own, kept in a file.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    key: Vec<u8>,
}

impl Secrets {
    /// Reads the deployment's secret, or makes one.
    pub(crate) fn open(state: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(state).with_context(|| format!("cannot create {}", state.display()))?;
        let path = state.join("secret");
        if !path.exists() {
            let mut key = [0u8; 32];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
            let mut file = private_file(&path)?;
            for byte in key {
                write!(file, "{byte:02x}")?;
            }
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(text.trim().len() >= 64, "{} does not hold 64 hexadecimal digits; remove it", path.display());
        Ok(Self { key: text.trim().as_bytes().to_vec() })
    }

    /// The passwords that `migrate` sets: those of the environment where there are some (containers, which keep no
    /// folder), else as [`Secrets::open`].
    ///
    /// # Errors
    /// If the environment gives some and not all: the rest would be made up here, where the services' own containers
    /// cannot know them.
    pub(crate) fn given_or_open(state: &Path) -> anyhow::Result<Self> {
        let services =
            || SERVICES.iter().filter(|service| **service != "console").map(|service| password_variable(service));
        if services().all(|variable| environment(&variable).is_none()) {
            return Self::open(state);
        }
        for variable in services().chain(["WAYBILL_NATS_PASSWORD".to_owned()]) {
            let there = environment(&variable).is_some_and(|text| !text.is_empty());
            anyhow::ensure!(there, "{variable} is empty or not set: set every service's password and NATS', or none");
        }
        // Nothing is left to be derived.
        Ok(Self { key: Vec::new() })
    }

    /// The password for a purpose, such as `nats/erp-sync`. One given by `WAYBILL_PASSWORD_<SERVICE>` wins for a
    /// service's role and user.
    pub(crate) fn password(&self, purpose: &str, service: &str) -> String {
        if let Some(given) = environment(&password_variable(service)).filter(|text| !text.is_empty()) {
            return given;
        }
        self.derive(&format!("{purpose}/{service}"))
    }

    fn derive(&self, purpose: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().iter().take(16).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The token of the services' gRPC.
    pub(crate) fn grpc_token(&self) -> String {
        environment("WAYBILL_GRPC_TOKEN").filter(|text| !text.is_empty()).unwrap_or_else(|| self.derive("grpc"))
    }

    /// The administrator's password at NATS.
    pub(crate) fn nats_admin(&self) -> String {
        environment("WAYBILL_NATS_PASSWORD")
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| self.derive("nats/admin"))
    }

    /// What people sign in to the console with, and whether it was made here.
    pub(crate) fn console(&self) -> (String, bool) {
        match environment("WAYBILL_CONSOLE_PASSWORD").filter(|text| !text.is_empty()) {
            Some(given) => (given, false),
            None => (self.derive("console")[..20].to_owned(), true),
        }
    }
}

/// Where a service's password is given.
fn password_variable(service: &str) -> String {
    format!("WAYBILL_PASSWORD_{}", service.to_uppercase().replace('-', "_"))
}

/// A new file that only its owner reads.
pub(crate) fn private_file(path: &Path) -> anyhow::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The environment of every process.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Service → variables.
    pub(crate) environment: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Where webhooks are received.
    pub(crate) webhooks: String,
    /// Where the console is.
    pub(crate) console: String,
    /// Service → gRPC address.
    pub(crate) peers: BTreeMap<&'static str, String>,
}

impl Layout {
    pub(crate) fn new(arguments: &LayoutArguments, secrets: &Secrets) -> anyhow::Result<Self> {
        let mut addresses = BTreeMap::new();
        // Held until all are chosen, so that none is chosen twice.
        let mut held = Vec::new();
        for (index, service) in SERVICES.into_iter().enumerate() {
            let (http, grpc) = if arguments.free_ports {
                (free_port(&mut held)?, free_port(&mut held)?)
            } else {
                (8080 + index as u16, 9090 + index as u16)
            };
            let at = |port: u16| format!("127.0.0.1:{port}");
            addresses.insert(service, (at(http), at(grpc)));
        }
        if let Some(webhooks) = arguments.webhooks {
            addresses.entry("shopify-ingest").and_modify(|pair| pair.0 = webhooks.to_string());
        }
        if let Some(console) = arguments.console {
            addresses.entry("console").and_modify(|pair| pair.0 = console.to_string());
        }
        let peers: BTreeMap<&'static str, String> = addresses
            .iter()
            .filter(|(service, _)| **service != "console")
            .map(|(service, (_, grpc))| (*service, format!("http://{grpc}")))
            .collect();
        let peer_list = peers.iter().map(|(service, url)| format!("{service}={url}")).collect::<Vec<_>>().join(",");
        let console = format!("http://{}", addresses["console"].0);
        let plan = std::path::absolute(&arguments.plan.plan)?;
        let mut all = BTreeMap::new();
        for (service, (http, grpc)) in &addresses {
            let mut variables = BTreeMap::from([
                ("WAYBILL_HTTP".to_owned(), http.clone()),
                ("WAYBILL_GRPC_TOKEN".to_owned(), secrets.grpc_token()),
                ("WAYBILL_PEERS".to_owned(), peer_list.clone()),
                ("WAYBILL_PUBLIC_URL".to_owned(), console.clone()),
            ]);
            if *service == "console" {
                variables.insert("WAYBILL_CONSOLE_PASSWORD".to_owned(), secrets.console().0);
            } else {
                variables.insert("WAYBILL_GRPC".to_owned(), grpc.clone());
                variables.insert("WAYBILL_PLAN".to_owned(), plan.display().to_string());
                variables.insert("NATS_URL".to_owned(), arguments.nats_url.clone());
                variables.insert("WAYBILL_NATS_PASSWORD".to_owned(), secrets.password("nats", service));
                let url =
                    database::service_url(&arguments.database_url, service, &secrets.password("postgres", service))?;
                variables.insert("DATABASE_URL".to_owned(), url);
            }
            all.insert(*service, variables);
        }
        Ok(Self {
            environment: all,
            webhooks: format!("http://{}/webhooks", addresses["shopify-ingest"].0),
            console,
            peers,
        })
    }

    /// A variable of a service's: from its layout, else from this process's own environment.
    pub(crate) fn variable(&self, service: &str, name: &str) -> Option<String> {
        self.environment.get(service).and_then(|variables| variables.get(name)).cloned().or_else(|| {
            // What a layout decides must not leak in from around it for one that has no such variable.
            let decided = self.environment.values().any(|variables| variables.contains_key(name));
            if decided { None } else { environment(name) }
        })
    }
}

/// Ports that the system gives to no outgoing connection by default (Linux: 32768 and up), so that one which is free
/// now still is when its service binds it.
const FREE_PORTS: std::ops::Range<u16> = 16_000..32_000;

fn free_port(held: &mut Vec<TcpListener>) -> anyhow::Result<u16> {
    for _ in 0..1000 {
        let port = fastrand::u16(FREE_PORTS);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            held.push(listener);
            return Ok(port);
        }
    }
    anyhow::bail!("no free port among {FREE_PORTS:?}")
}

pub(crate) fn print_nats_config(arguments: &StateArguments) -> anyhow::Result<ExitCode> {
    let secrets = Secrets::open(&arguments.state)?;
    let text = topology::authorization(|user| match user {
        "admin" => secrets.nats_admin(),
        service => secrets.password("nats", service),
    });
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn print_environment(arguments: &LayoutArguments) -> anyhow::Result<ExitCode> {
    let secrets = Secrets::open(&arguments.state.state)?;
    let layout = Layout::new(arguments, &secrets)?;
    layout.write_state(&arguments.state.state, &secrets)?;
    let json = serde_json::json!({
        "services": layout.environment,
        "webhooks": layout.webhooks,
        "console": layout.console,
        "console_password": secrets.console().0,
    });
    writeln!(std::io::stdout(), "{json:#}")?;
    Ok(ExitCode::SUCCESS)
}

impl Layout {
    /// Writes what the operator's commands look for.
    pub(crate) fn write_state(&self, state: &Path, secrets: &Secrets) -> anyhow::Result<()> {
        let token_file = std::path::absolute(state.join("grpc-token"))?;
        private_file(&token_file)?.write_all(secrets.grpc_token().as_bytes())?;
        let json = serde_json::json!({
            "peers": self.peers,
            "grpc_token_file": token_file,
            "console": self.console,
        });
        private_file(&state.join("up.json"))?.write_all(format!("{json:#}\n").as_bytes())?;
        Ok(())
    }
}
