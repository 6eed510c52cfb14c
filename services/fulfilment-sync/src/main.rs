//! fulfilment-sync on its own.

use fulfilment_sync::{App, DEFAULTS, SERVICE};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    waybill_runtime::run_alone(SERVICE, DEFAULTS, App::build, App::run).await
}
