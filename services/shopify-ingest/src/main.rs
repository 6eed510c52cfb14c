//! shopify-ingest on its own.

use shopify_ingest::{App, DEFAULTS, SERVICE};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    waybill_runtime::run_alone(SERVICE, DEFAULTS, App::build, App::run).await
}
