//! The console over made-up services, to look at its pages: `cargo run -p console --example look`.
//! The password is in `tests/it/password.txt`.

#[path = "../tests/it/fake.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests use all of it, and it panics as they do")]
mod fake;
#[path = "look/trading_day.rs"]
mod trading_day;
#[path = "../tests/it/world.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests use all of it, and it panics as they do")]
mod world;

use tokio_util::sync::CancellationToken;
use waybill_runtime::{ServiceSettings, tasks, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _telemetry = telemetry::start(console::SERVICE)?;
    let mut world = trading_day::world();
    if std::env::args().any(|argument| argument == "--silent") {
        world.elsewhere.insert("crm-sync", "http://127.0.0.1:1".to_owned());
    }
    let services = fake::FakeServices::start(world).await;
    let peers: Vec<_> = services.peers.iter().map(|(name, url)| format!("{name}={url}")).collect();
    let password = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/tests/it/password.txt");
    let defaults = console::DEFAULTS.replace("env:WAYBILL_CONSOLE_PASSWORD", password);
    let read = |name: &str| match name {
        "WAYBILL_GRPC_TOKEN" => Some(fake::TOKEN.to_owned()),
        "WAYBILL_PEERS" => Some(peers.join(",")),
        other => waybill_runtime::secret::environment(other),
    };
    let app = console::App::build(ServiceSettings::load_from(&defaults, &read)?).await?;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    tokio::spawn(async move {
        tasks::stop_requested().await;
        signal.cancel();
    });
    app.run(stop).await
}
