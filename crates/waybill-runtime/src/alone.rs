//! A service as a process of its own, and one that is built again while it runs.

use std::{future::Future, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{ServiceSettings, tasks, telemetry};

/// Between two attempts to build a service again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Why a service has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Its plan has other stores or systems now, and it is to be built of them.
    BuildAgain,
}

/// Reads settings, starts telemetry, builds the service and runs it until SIGTERM or Ctrl-C; then sends what telemetry
/// holds back.
///
/// # Errors
/// If a setting cannot be used, the service cannot be built, or a part of it ends early.
pub async fn run_alone<A, B, R>(
    service: &'static str,
    defaults: &str,
    build: impl Fn(ServiceSettings, CancellationToken) -> B,
    run: impl Fn(A) -> R,
) -> anyhow::Result<()>
where
    B: Future<Output = anyhow::Result<A>>,
    R: Future<Output = anyhow::Result<Ended>>,
{
    let settings = ServiceSettings::load(defaults)?;
    let telemetry = telemetry::start(service)?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    let outcome = match build(settings.clone(), stop.clone()).await {
        Ok(first) => keep_running(first, settings, stop, build, run).await,
        Err(error) => Err(error),
    };
    telemetry.flush();
    outcome
}

/// Runs a service until it is stopped, and builds it again of the same settings where its plan asks for that. What cannot
/// be built then is tried again: the plan passed, so it is a matter of time, such as of a port that is still being given
/// back.
///
/// # Errors
/// If a part of the service ends early.
pub async fn keep_running<A, B, R>(
    mut app: A,
    settings: ServiceSettings,
    stop: CancellationToken,
    build: impl Fn(ServiceSettings, CancellationToken) -> B,
    run: impl Fn(A) -> R,
) -> anyhow::Result<()>
where
    B: Future<Output = anyhow::Result<A>>,
    R: Future<Output = anyhow::Result<Ended>>,
{
    while run(app).await? == Ended::BuildAgain {
        app = loop {
            match build(settings.clone(), stop.clone()).await {
                Ok(app) => break app,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "cannot be built of the changed plan; trying again");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
        };
    }
    Ok(())
}
