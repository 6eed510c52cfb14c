//! All simulated vendors of the demo as one process, with a trading day in the store.

mod serving;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Parser;
use waybill_simulator::{
    day::{DaySettings, Sale},
    shopify::DeliverySettings,
};

/// Simulates the store and the systems around it: Shopify, HubSpot, Tryton, ShipStation, PagerDuty, Slack and a webhook
/// receiver. Each listens on 127.0.0.1; addresses, tokens and secrets are told as one line of JSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// Writes addresses, tokens and secrets to this file instead of standard output.
    #[arg(long)]
    ready: Option<PathBuf>,
    /// Where the store's webhooks go: `/webhooks/main` is appended. Without it, only to subscriptions made by API.
    #[arg(long)]
    webhooks_to: Option<String>,
    /// Begins the trading day at once, not at `POST /_control/start`.
    #[arg(long)]
    start: bool,
    /// Where `POST /_control/dump` writes journals and records as JSON lines.
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Good orders of the day.
    #[arg(long, default_value_t = 300)]
    orders: usize,
    /// Records planted of each flaw.
    #[arg(long, default_value_t = 1)]
    flaws: usize,
    /// Orders a second; 0 for as fast as possible.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// The same seed makes the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that the day waits for parcels that refunds follow.
    #[arg(long, default_value_t = 600)]
    patience: u64,
    /// Of a thousand webhooks, so many are delivered twice.
    #[arg(long, default_value_t = 20)]
    duplicates: u32,
    /// Of a thousand webhooks, so many come late, after later ones.
    #[arg(long, default_value_t = 20)]
    late: u32,
    /// Of a thousand webhooks, so many never come.
    #[arg(long, default_value_t = 0)]
    dropped: u32,
    /// Seconds in which all eight retries of a webhook fall. Shopify's are four hours.
    #[arg(long, default_value_t = 240)]
    retry_window: u64,
    /// Of a hundred shipments that can be split, so many are sent in two parcels.
    #[arg(long, default_value_t = 15)]
    split: u32,
    /// Points a second that the store's API restores. Shopify's plans: 100, 200, 1000, 2000.
    #[arg(long, default_value_t = 1000)]
    store_points: u32,
    /// Requests in ten seconds that the CRM takes. HubSpot's plans: 100, 190, 250 with the add-on.
    #[arg(long, default_value_t = 190)]
    crm_requests: usize,
    /// Requests a minute that the shipping system takes. ShipStation's: 200.
    #[arg(long, default_value_t = 200)]
    shipping_requests: usize,
    /// CRM accounts, alike; those after the first are told as `hubspot_2` and so on.
    #[arg(long, default_value_t = 1)]
    crm_accounts: usize,
    /// Orders of a sale that the store has taken before it listens, and tells nobody of.
    #[arg(long, default_value_t = 0, requires = "sale_file")]
    sale: usize,
    /// Where the sale's orders are written: a line for each, its id, a space and its webhook's body.
    #[arg(long)]
    sale_file: Option<PathBuf>,
    /// The sale's buyers say who they are, and get a parcel.
    #[arg(long)]
    sale_named: bool,
    /// A real ERP instead of the simulated one: a file with its `url`, `database`, `user` and `password` as JSON.
    #[arg(long)]
    erp: Option<PathBuf>,
    /// Ports, in the order Shopify, HubSpot, Tryton, ShipStation, PagerDuty, Slack, webhook; 0 for a free one.
    #[arg(long, value_delimiter = ',')]
    ports: Vec<u16>,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let day = DaySettings {
        orders: arguments.orders,
        seed: arguments.seed,
        rate: (arguments.rate > 0.0).then_some(arguments.rate),
        patience: Duration::from_secs(arguments.patience),
        flaws: arguments.flaws,
    };
    let deliveries = DeliverySettings {
        retry_window: Duration::from_secs(arguments.retry_window),
        duplicates_per_mille: arguments.duplicates,
        late_per_mille: arguments.late,
        dropped_per_mille: arguments.dropped,
        ..DeliverySettings::default()
    };
    let erp = arguments.erp.as_ref().map(|path| {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not what --erp takes", path.display()))
    });
    let world = serving::World {
        erp: erp.transpose()?,
        webhooks_to: arguments.webhooks_to,
        dump: arguments.dump,
        seed: arguments.seed,
        store_points: arguments.store_points,
        crm_requests: arguments.crm_requests,
        crm_accounts: arguments.crm_accounts,
        sale: arguments
            .sale_file
            .map(|file| (Sale { orders: arguments.sale, seed: arguments.seed, named: arguments.sale_named }, file)),
        shipping_requests: arguments.shipping_requests,
        split_percent: arguments.split,
        ports: arguments.ports,
    };
    let served = serving::serve(world, day, deliveries).await?;
    let line = format!("{}\n", served.ready);
    match &arguments.ready {
        Some(path) => {
            // Renamed into place, so that a reader never finds half of it.
            let part = path.with_extension("part");
            std::fs::write(&part, &line).with_context(|| format!("cannot write {}", part.display()))?;
            std::fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        None => {
            use std::io::Write;
            std::io::stdout().write_all(line.as_bytes())?;
            std::io::stdout().flush()?;
        }
    }
    if arguments.start {
        served.day.start();
    }
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
