//! A service as a process of its own.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::{ServiceSettings, tasks, telemetry};

/// Reads settings, starts telemetry and runs the service until SIGTERM or Ctrl-C; then sends what telemetry holds back.
///
/// # Errors
/// If a setting cannot be used, the service cannot be built, or a part of it ends early.
pub async fn run_alone<F, Run>(service: &'static str, defaults: &str, run: F) -> anyhow::Result<()>
where
    F: FnOnce(ServiceSettings, CancellationToken) -> Run,
    Run: Future<Output = anyhow::Result<()>>,
{
    let settings = ServiceSettings::load(defaults)?;
    let telemetry = telemetry::start(service)?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    let outcome = run(settings, stop).await;
    telemetry.flush();
    outcome
}
