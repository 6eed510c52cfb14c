//! The console on its own.

use console::{App, DEFAULTS, SERVICE};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    waybill_runtime::run_alone(SERVICE, DEFAULTS, async |settings, stop| App::build(settings).await?.run(stop).await)
        .await
}
