//! shopify-ingest on its own.

use tokio_util::sync::CancellationToken;
use waybill_runtime::{ServiceSettings, tasks, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = ServiceSettings::load(shopify_ingest::DEFAULTS)?;
    let telemetry = telemetry::start(shopify_ingest::SERVICE)?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    let app = shopify_ingest::App::build(settings, stop).await?;
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    let outcome = app.run().await;
    telemetry.flush();
    outcome
}
