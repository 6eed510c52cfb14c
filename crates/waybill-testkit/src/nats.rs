//! A NATS server with JetStream for one test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::ports::free_port;
use crate::process::{ChildProcess, Launch};
use crate::programs::Program;
use crate::scratch::{random_hex, write_private};

/// How long it may take until the server greets us; 50 ms is usual.
const READY: Duration = Duration::from_secs(20);

/// Ports are looked up before the server binds them, so another program may be faster.
const PORT_TRIES: u32 = 5;

/// A NATS server on loopback with a JetStream file store in its own folder. Stops on drop.
#[derive(Debug)]
pub struct PrivateNats {
    folder: PathBuf,
    name: String,
    version: String,
    port: u16,
    monitoring_port: u16,
    extra: String,
    process: Option<ChildProcess>,
}

impl PrivateNats {
    /// Starts a server that keeps everything in `folder`, which is created if need be.
    ///
    /// `extra` is configuration text appended to ours, such as `authorization` or `accounts`.
    ///
    /// # Errors
    /// When the program is missing or the server does not greet us within 20 s; then with the
    /// last lines of its log.
    pub fn start(folder: impl Into<PathBuf>, extra: Option<&str>) -> anyhow::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let mut nats = Self {
            folder,
            name: format!("waybill-{}", random_hex(4)?),
            version: String::new(),
            port: 0,
            monitoring_port: 0,
            extra: extra.unwrap_or_default().to_owned(),
            process: None,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            nats.port = free_port()?;
            nats.monitoring_port = free_port()?;
            match nats.launch() {
                Err(error) if tries < PORT_TRIES && is_port_taken(&error) => {}
                outcome => return outcome.map(|()| nats),
            }
        }
    }

    /// Starts so many servers, each in a folder of its own below `folder`; more than one are a cluster.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_nodes(folder: &Path, nodes: usize, extra: Option<&str>) -> anyhow::Result<Vec<Self>> {
        let ports: Vec<u16> = (0..nodes).map(|_| free_port()).collect::<anyhow::Result<_>>()?;
        let routes: Vec<String> = ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let extra = extra.unwrap_or_default();
        let start = |(number, port): (usize, &u16)| {
            let cluster = if nodes == 1 {
                String::new()
            } else {
                // Clients know the nodes that they were told of, and go to each by the road that they were told.
                format!(
                    "cluster {{ name: waybill, listen: \"127.0.0.1:{port}\", no_advertise: true, routes: [{}] }}\n",
                    routes.join(", ")
                )
            };
            Self::start(folder.join(number.to_string()), Some(&format!("{cluster}{extra}")))
        };
        ports.iter().enumerate().map(start).collect()
    }

    /// Its name, which is not another node's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For clients: `nats://127.0.0.1:<port>`, without a user.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The same with a user and password, which must not need escaping.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("nats://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// The server's own HTTP pages (`/varz`, `/jsz`, `/connz`).
    pub fn monitoring_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitoring_port)
    }

    /// The clients' port; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's version, such as `2.9.10`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The server's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ChildProcess::pid)
    }

    /// Stops it in an orderly way; the store stays.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.stop(),
            None => Ok(()),
        }
    }

    /// SIGKILL, as a machine that fails; the store stays as it is.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port and store, stopping it first if it runs.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.launch()
    }

    /// Loses everything JetStream keeps; the server must be stopped, and stays stopped.
    ///
    /// # Errors
    /// When it runs, or the store cannot be removed.
    pub fn wipe_store(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.process.is_none(), "stop NATS before wiping its store");
        match fs::remove_dir_all(self.store()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("removing the JetStream store")
            }
            _ => Ok(()),
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.join("jetstream")
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let configuration = self.folder.join("nats.conf");
        // It may hold passwords.
        write_private(&configuration, &self.configuration())?;
        let log = self.folder.join("nats.log");
        // A log from before a restart would be taken for this start's.
        let _ = fs::rename(&log, self.folder.join("nats.log.before"));
        let mut process =
            Launch::new(Program::NatsServer.require()?).arg("--config").arg(&configuration).log(log).spawn()?;
        let (port, name) = (self.port, self.name.clone());
        self.version = process.wait_until_ready(READY, || greeting(port, &name))?;
        self.process = Some(process);
        Ok(())
    }

    fn configuration(&self) -> String {
        // Quoted as JSON, which NATS reads: a folder's name may hold anything.
        let store = serde_json::Value::from(self.store().to_string_lossy()).to_string();
        let Self { name, port, monitoring_port, extra, .. } = self;
        format!(
            "server_name: \"{name}\"\n\
             listen: \"127.0.0.1:{port}\"\n\
             http: \"127.0.0.1:{monitoring_port}\"\n\
             jetstream {{ store_dir: {store} }}\n\
             {extra}\n"
        )
    }
}

/// The version that the server on this port greets us with, if it is the one named so: another
/// program may have been faster at the port.
fn greeting(port: u16, name: &str) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let timeout = Duration::from_secs(1);
    let stream = TcpStream::connect_timeout(&address, timeout).ok()?;
    stream.set_read_timeout(Some(timeout)).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    let info: serde_json::Value = serde_json::from_str(line.strip_prefix("INFO ")?).ok()?;
    (info["server_name"] == name && info["jetstream"] == true)
        .then(|| info["version"].as_str().unwrap_or_default().to_owned())
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    error.to_string().contains("address already in use")
}
