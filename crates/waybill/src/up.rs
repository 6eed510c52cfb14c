//! `waybill up`: every service in this process.

use std::{
    io::{self, IsTerminal as _, Write as _, stdin, stdout},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use console::services::Services;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use waybill_runtime::{ServiceSettings, keep_running, secret, tasks, telemetry};

use crate::{
    layout::{self, Layout, LayoutArguments, Secrets},
    migrate,
    operator::asking,
    plan,
};

/// What `up` needs.
#[derive(Debug, clap::Args)]
pub(crate) struct UpArguments {
    #[command(flatten)]
    layout: LayoutArguments,
    /// Copies of each stream: 1, or 3 on a cluster.
    #[arg(long, env = "WAYBILL_STREAM_REPLICAS", default_value_t = 1)]
    replicas: usize,
    /// Let systems' first runs create as many records as they will, without asking. Without it, one that would create
    /// more than the plan's `ask_above` asks: here if this is a terminal, else until `waybill release`.
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(arguments: UpArguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.layout.plan.plan;
    // A part of the plan's systems needs a part of its secrets; which, each service knows.
    if secret::environment("WAYBILL_SYSTEMS").is_some() {
        plan::read(path)?;
    } else {
        plan::read_resolved(path)?;
    }
    let secrets = Secrets::open(&arguments.layout.state.state)?;
    let telemetry = telemetry::start("waybill")?;
    migrate::migrate(&arguments.layout.database_url, &arguments.layout.nats_url, arguments.replicas, &secrets).await?;
    // Free ports are chosen right before they are bound.
    let layout = Layout::new(&arguments.layout, &secrets)?;
    let stop = CancellationToken::new();
    let password_file = arguments.layout.state.state.join("console-password");
    layout::private_file(&password_file)?.write_all(secrets.console().0.as_bytes())?;
    let mut services = start(&layout, &password_file, arguments.yes, arguments.replicas, &stop).await?;
    layout.write_state(&arguments.layout.state.state, &secrets)?;
    let mut out = stdout();
    writeln!(out, "webhooks  {}/<store>", layout.webhooks)?;
    let (password, made) = secrets.console();
    let told = if made { format!("  password {password}") } else { String::new() };
    writeln!(out, "console   {}{told}", layout.console)?;
    writeln!(out, "ready")?;
    out.flush()?;
    let person = (!arguments.yes && stdin().is_terminal()).then(|| person(&layout, &secrets, &stop)).transpose()?;
    let mut outcome = Ok(ExitCode::SUCCESS);
    tokio::select! {
        () = tasks::stop_requested() => {}
        ended = services.join_next() => outcome = match ended {
            Some(Ok(Err(error))) => Err(error),
            Some(Err(error)) => Err(error.into()),
            _ => Err(anyhow::anyhow!("a service ended by itself")),
        },
    }
    stop.cancel();
    while services.join_next().await.is_some() {}
    if let Some(person) = person {
        person.await??;
    }
    telemetry.flush();
    outcome
}

/// Asks whoever sits here about systems whose first run asks.
fn person(layout: &Layout, secrets: &Secrets, stop: &CancellationToken) -> anyhow::Result<JoinHandle<io::Result<()>>> {
    let peers = layout.peers.iter().map(|(service, url)| ((*service).to_owned(), url.clone())).collect();
    let services = Services::new(&peers, &secrets.grpc_token().into())?;
    Ok(tokio::spawn(asking::ask(services, asking::typed(), stdout(), asking::LOOK_EVERY, stop.clone())))
}

/// Builds every service and runs it.
async fn start(
    layout: &Layout,
    password_file: &Path,
    yes: bool,
    replicas: usize,
    stop: &CancellationToken,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut services = JoinSet::new();
    macro_rules! start {
        ($service:ident) => {
            let name = $service::SERVICE;
            let mut settings =
                ServiceSettings::load_from($service::DEFAULTS, &|variable| layout.variable(name, variable))
                    .with_context(|| format!("settings of {name}"))?;
            settings.yes |= yes;
            if let Some(copies) = settings.service.get_mut("stream_replicas") {
                *copies = i64::try_from(replicas)?.into();
            }
            let app = $service::App::build(settings.clone(), stop.clone()).await.with_context(|| name)?;
            let stop = stop.clone();
            services.spawn(async move {
                keep_running(app, settings, stop, $service::App::build, $service::App::run).await.with_context(|| name)
            });
        };
    }
    start!(shopify_ingest);
    start!(inventory_router);
    start!(crm_sync);
    start!(erp_sync);
    start!(fulfilment_sync);
    start!(alerter);
    let mut settings =
        ServiceSettings::load_from(console::DEFAULTS, &|variable| layout.variable(console::SERVICE, variable))
            .context("settings of console")?;
    // In a process of its own the console reads its password from its environment; here it is given a file's.
    settings.service.insert("password".to_owned(), format!("file:{}", password_file.display()).into());
    let app = console::App::build(settings).await.context("console")?;
    let signal = stop.clone();
    services.spawn(async move { app.run(signal).await.context("console") });
    Ok(services)
}
