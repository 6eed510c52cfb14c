//! alerter on its own.

use alerter::{App, DEFAULTS, SERVICE};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    waybill_runtime::run_alone(SERVICE, DEFAULTS, async |settings, stop| App::build(settings, stop).await?.run().await)
        .await
}
