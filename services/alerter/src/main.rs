//! alerter on its own.

use tokio_util::sync::CancellationToken;
use waybill_runtime::{ServiceSettings, tasks, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = ServiceSettings::load(alerter::DEFAULTS)?;
    let telemetry = telemetry::start(alerter::SERVICE)?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    let app = alerter::App::build(settings, stop).await?;
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    let outcome = app.run().await;
    telemetry.flush();
    outcome
}
