//! The console on its own.

use console::{App, DEFAULTS, SERVICE};
use waybill_runtime::Ended;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let build = |settings, stop| async { Ok((App::build(settings).await?, stop)) };
    let run = |(app, stop): (App, _)| async { app.run(stop).await.map(|()| Ended::Stopped) };
    waybill_runtime::run_alone(SERVICE, DEFAULTS, build, run).await
}
