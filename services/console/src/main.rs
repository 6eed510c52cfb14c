//! The console on its own.

use tokio_util::sync::CancellationToken;
use waybill_runtime::{ServiceSettings, tasks, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = ServiceSettings::load(console::DEFAULTS)?;
    let telemetry = telemetry::start(console::SERVICE)?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    let app = console::App::build(settings).await?;
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    let outcome = app.run(stop).await;
    telemetry.flush();
    outcome
}
