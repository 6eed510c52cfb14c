//! The streams, who hears what, and who may say what.

use std::{fmt::Write as _, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{AckPolicy, pull},
    context::{ConsumerInfoErrorKind, GetStreamError, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use waybill_domain::Kind;

use crate::{BusError, subjects};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const ACK_WAIT: Duration = Duration::from_secs(30);

/// A stream of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Its name at the server.
    pub name: &'static str,
    /// What it keeps.
    pub subjects: &'static str,
    days: u32,
}

/// Every stream. Snapshots and receipts are kept 7 days, dead letters 30.
pub const STREAMS: [Stream; 6] = [
    Stream { name: "STORE", subjects: "store.v1.>", days: 7 },
    Stream { name: "SHIPMENT", subjects: "shipment.v1.>", days: 7 },
    Stream { name: "STOCK", subjects: "stock.v1.>", days: 7 },
    Stream { name: "CATALOG", subjects: "catalog.v1.>", days: 7 },
    Stream { name: "RECEIPT", subjects: "receipt.v1.>", days: 7 },
    Stream { name: "DEAD", subjects: "dead.v1.>", days: 30 },
];

/// One durable pull consumer. A consumer has one filter, as NATS 2.9 knows no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hears {
    /// The service.
    pub service: &'static str,
    /// The stream.
    pub stream: &'static str,
    /// The durable's name.
    pub durable: String,
    /// What it hears of the stream.
    pub filter: String,
}

fn kind(service: &'static str, kind: Kind) -> Hears {
    let stream = match subjects::domain(kind) {
        "store" => "STORE",
        "shipment" => "SHIPMENT",
        "catalog" => "CATALOG",
        _ => "STOCK",
    };
    Hears { service, stream, durable: format!("{service}-{kind}"), filter: subjects::snapshots_of(kind) }
}

fn all(service: &'static str, stream: &'static str, filter: &str) -> Hears {
    Hears { service, stream, durable: format!("{service}-{}", stream.to_lowercase()), filter: filter.to_owned() }
}

/// Who hears what.
pub fn hears() -> Vec<Hears> {
    vec![
        kind("crm-sync", Kind::Customer),
        kind("crm-sync", Kind::Order),
        kind("crm-sync", Kind::Shipment),
        kind("erp-sync", Kind::Order),
        kind("erp-sync", Kind::Customer),
        kind("erp-sync", Kind::Refund),
        kind("erp-sync", Kind::Product),
        kind("erp-sync", Kind::Price),
        kind("fulfilment-sync", Kind::Order),
        kind("fulfilment-sync", Kind::Shipment),
        all("crm-sync", "RECEIPT", "receipt.v1.>"),
        all("erp-sync", "RECEIPT", "receipt.v1.>"),
        all("fulfilment-sync", "RECEIPT", "receipt.v1.>"),
        all("inventory-router", "RECEIPT", "receipt.v1.>"),
        kind("inventory-router", Kind::Product),
        kind("inventory-router", Kind::Order),
        kind("inventory-router", Kind::StockLevel),
        all("alerter", "STORE", "store.v1.>"),
        all("alerter", "SHIPMENT", "shipment.v1.>"),
        all("alerter", "STOCK", "stock.v1.>"),
        all("alerter", "CATALOG", "catalog.v1.>"),
        all("alerter", "RECEIPT", "receipt.v1.>"),
        all("alerter", "DEAD", "dead.v1.>"),
    ]
}

/// Every service that has a user at the server.
pub const SERVICES: [&str; 6] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter"];

/// The service that repairs streams and consumers while everything runs, see [`ensure`].
pub const KEEPER: &str = "alerter";

/// Creates or repairs every stream and consumer, and says what was not as it should be. Can be run again at any time, by
/// the `admin` user or by the [`KEEPER`]. `replicas` is how many copies of each stream there are to be; without it,
/// those that are there stay as they are.
///
/// # Errors
/// If the server refuses, or is not reachable.
pub async fn ensure(context: &jetstream::Context, replicas: Option<usize>) -> Result<Vec<String>, BusError> {
    let mut repaired = Vec::new();
    for wanted in STREAMS {
        let there = match context.get_stream(wanted.name).await {
            Ok(stream) => Some(stream.cached_info().config.clone()),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(BusError::server(error)),
        };
        let mut config = config_of(wanted);
        config.num_replicas = replicas.or(there.as_ref().map(|there| there.num_replicas)).unwrap_or(1);
        match there {
            None => {
                context.create_stream(config).await.map_err(BusError::server)?;
                repaired.push(format!("stream {} was missing", wanted.name));
            }
            Some(there) if !is_alike(&there, &config) => {
                context.update_stream(config).await.map_err(BusError::server)?;
                repaired.push(format!("stream {} was set up otherwise", wanted.name));
            }
            Some(_) => {}
        }
    }
    for hears in hears() {
        let stream = context.get_stream_no_info(hears.stream).await.map_err(BusError::server)?;
        let there = match stream.consumer_info(&hears.durable).await {
            Ok(info) => Some(info.config),
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => None,
            Err(error) => return Err(BusError::server(error)),
        };
        let config = pull::Config {
            durable_name: Some(hears.durable.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: hears.filter,
            max_ack_pending: 10_000,
            ..pull::Config::default()
        };
        let problem = match there {
            None => "was missing",
            Some(there) if there.filter_subject != config.filter_subject || there.ack_wait != config.ack_wait => {
                "was set up otherwise"
            }
            Some(_) => continue,
        };
        stream.create_consumer(config).await.map_err(BusError::server)?;
        repaired.push(format!("consumer {} {problem}", hears.durable));
    }
    Ok(repaired)
}

/// Removes every message, as the `admin` user; streams and consumers stay. Gives how many went. What they said is at its
/// source and is said again where somebody lacks it.
///
/// # Errors
/// If the server refuses, or is not reachable.
pub async fn empty(context: &jetstream::Context) -> Result<u64, BusError> {
    let mut gone = 0;
    for stream in STREAMS {
        let stream = context.get_stream(stream.name).await.map_err(BusError::server)?;
        gone += stream.purge().await.map_err(BusError::server)?.purged;
    }
    Ok(gone)
}

fn config_of(stream: Stream) -> Config {
    Config {
        name: stream.name.to_owned(),
        subjects: vec![stream.subjects.to_owned()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_age: DAY * stream.days,
        duplicate_window: Duration::from_secs(120),
        ..Config::default()
    }
}

/// In all that we ask for; the server fills in the rest.
fn is_alike(one: &Config, other: &Config) -> bool {
    let asked = |of: &Config| {
        (of.subjects.clone(), of.retention, of.discard, of.storage, of.max_age, of.duplicate_window, of.num_replicas)
    };
    asked(one) == asked(other)
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// What one service may publish: its own subjects, requests to its own consumers, acknowledgements.
fn may_publish(service: &str) -> Vec<String> {
    let mut allowed: Vec<String> = match service {
        "shopify-ingest" => vec!["store.v1.>".to_owned()],
        "inventory-router" => vec!["stock.v1.>".to_owned()],
        "fulfilment-sync" => vec!["shipment.v1.>".to_owned()],
        "erp-sync" => vec!["catalog.v1.>".to_owned()],
        _ => Vec::new(),
    };
    allowed.push(format!("receipt.v1.{service}.>"));
    allowed.push(format!("dead.v1.{service}.>"));
    allowed.push(format!("control.v1.*.{service}"));
    allowed.push(subjects::plan_report(service));
    allowed.push("$JS.API.INFO".to_owned());
    for hears in hears().into_iter().filter(|hears| hears.service == service) {
        for call in ["CONSUMER.MSG.NEXT", "CONSUMER.INFO"] {
            allowed.push(format!("$JS.API.{call}.{}.{}", hears.stream, hears.durable));
        }
        allowed.push(format!("$JS.API.STREAM.INFO.{}", hears.stream));
        allowed.push(format!("$JS.ACK.{}.{}.>", hears.stream, hears.durable));
    }
    if service == KEEPER {
        // Making and repairing, never removing.
        for stream in STREAMS {
            let calls = ["STREAM.INFO.{}", "STREAM.CREATE.{}", "STREAM.UPDATE.{}", "CONSUMER.INFO.{}.*"];
            let calls = calls.into_iter().chain(["CONSUMER.CREATE.{}.>", "CONSUMER.DURABLE.CREATE.{}.*"]);
            allowed.extend(calls.map(|call| format!("$JS.API.{}", call.replace("{}", stream.name))));
        }
    }
    allowed.sort();
    allowed.dedup();
    allowed
}

/// What one service may hear outside its consumers: answers to its requests and systems' reports; the watch, plans too.
fn may_subscribe(service: &str) -> Vec<String> {
    let mut allowed = vec![format!("{}.>", inbox_prefix(service)), subjects::SYSTEM_REPORTS.to_owned()];
    if service == "alerter" {
        allowed.push(subjects::PLAN_REPORTS.to_owned());
    }
    allowed
}

/// The reply subjects of one service's requests, so that none can read another's answers.
pub fn inbox_prefix(service: &str) -> String {
    format!("_INBOX.{service}")
}

/// The `authorization` block of a server's configuration: an `admin` user and one user per service.
/// `password` gives each user's password or its bcrypt hash.
pub fn authorization(password: impl Fn(&str) -> String) -> String {
    let quoted = |list: &[String]| list.iter().map(|s| format!("\"{s}\"")).collect::<Vec<_>>().join(", ");
    let mut text = String::from("authorization {\n  users = [\n");
    let _ = writeln!(text, "    {{ user: admin, password: \"{}\" }}", password("admin"));
    for service in SERVICES {
        let _ = writeln!(
            text,
            "    {{ user: {service}, password: \"{}\", permissions: {{ publish: [{}], subscribe: [{}] }} }}",
            password(service),
            quoted(&may_publish(service)),
            quoted(&may_subscribe(service)),
        );
    }
    text.push_str("  ]\n}\n");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn durables_are_unique() {
        let mut seen = HashSet::new();
        for hears in super::hears() {
            assert!(seen.insert((hears.stream, hears.durable.clone())), "{} twice", hears.durable);
        }
    }

    #[test]
    fn no_service_may_say_what_another_says() {
        assert!(!super::may_publish("crm-sync").iter().any(|subject| subject.starts_with("store.")));
        assert!(!super::may_publish("crm-sync").contains(&"receipt.v1.erp-sync.>".to_owned()));
        let plans = super::may_publish("crm-sync").into_iter().filter(|subject| subject.starts_with("plan."));
        assert_eq!(plans.collect::<Vec<_>>(), ["plan.v1.crm-sync"]);
    }
}
