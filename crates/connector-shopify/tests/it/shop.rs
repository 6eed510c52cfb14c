//! The connector and a simulated shop beside each other.

use std::{collections::BTreeMap, time::Duration};

use connector_shopify::{Shopify, descriptor};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::Trouble,
    sink::{Applied, Step, StepCall},
};
use waybill_domain::{CallKey, ObjectKey};
use waybill_simulator::{
    kit::{Fault, FaultKind, Running, serve},
    shopify::{NewLine, NewOrder, Payment, Settings, Store},
};
use waybill_testkit::wait_for_async;

pub(crate) struct Shop {
    pub(crate) connector: Shopify,
    pub(crate) store: Store,
    pub(crate) vendor: Running,
}

/// A connector for a shop at `url`.
pub(crate) fn connector(url: &str, token: &str) -> Shopify {
    let values: BTreeMap<String, String> = [("shop", "waldgang-main.myshopify.com"), ("url", url)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let secrets = [("token".to_owned(), SecretString::from(token))].into();
    let settings = SystemSettings::new("store".parse().unwrap(), &descriptor(), values, secrets).unwrap();
    Shopify::new(&settings).unwrap()
}

impl Shop {
    /// Runs the step `set` of all documents in one batch.
    pub(crate) async fn together<D: Sync>(
        &self,
        role: &'static str,
        documents: &[D],
        key: fn(&D) -> &ObjectKey,
    ) -> Vec<Result<Applied, Failure>>
    where
        Shopify: Sink<D>,
    {
        let (step, known) = (Step::idempotent("set", role), Known::new());
        let call_keys: Vec<_> = documents.iter().map(|one| CallKey::new(key(one), "set", b"batch")).collect();
        let call = |(document, call_key)| StepCall {
            step: &step,
            document,
            object_key: key(document),
            call_key,
            known: &known,
            is_again: false,
        };
        let calls: Vec<_> = documents.iter().zip(&call_keys).map(call).collect();
        self.connector.apply(&calls).await
    }

    /// A shop that may be asked as often as a test likes.
    pub(crate) async fn open() -> Self {
        Self::with(Settings { bucket: 10_000_000, ..Settings::default() }).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let token = settings.token.clone();
        let store = Store::new(settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let vendor = serve(store.simulated(), listener).unwrap();
        Self { connector: connector(&vendor.url(), &token), store, vendor }
    }

    /// Places a paid order of so many units of each SKU.
    pub(crate) fn place(&self, lines: &[(&str, i64)]) -> u64 {
        self.store.place(NewOrder {
            email: Some("jo@example.com".to_owned()),
            lines: lines.iter().map(|(sku, quantity)| line(sku, *quantity)).collect(),
            payment: Payment::Paid,
            ..NewOrder::default()
        })
    }

    /// A record as the shop itself holds it, as webhook bodies show it.
    pub(crate) fn record(&self, kind: &str, id: &str) -> Value {
        let mut records = self.records(kind);
        records.retain(|record| record["id"] == id);
        assert_eq!(records.len(), 1, "{kind} {id}");
        records.remove(0)["body"].take()
    }

    /// All records of a kind.
    pub(crate) fn records(&self, kind: &str) -> Vec<Value> {
        let records = self.store.records();
        let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|record| record["kind"] == kind).collect()
    }

    /// An order's fulfilments that are not cancelled.
    pub(crate) fn fulfilments(&self, order: u64) -> Vec<Value> {
        let order = self.record("order", &order.to_string());
        let all = order["fulfillments"].as_array().unwrap().iter();
        all.filter(|one| one["status"] != "cancelled").cloned().collect()
    }

    /// Puts trouble in the way of one request that contains `body`, after letting some pass.
    pub(crate) fn inject(&self, kind: FaultKind, skip: usize, body: &str) {
        self.vendor.faults.add_after(skip, Fault { kind, times: 1, path: String::new(), body: body.to_owned() });
    }
}

/// So many units of an item, at a price of one.
pub(crate) fn line(sku: &str, quantity: i64) -> NewLine {
    NewLine {
        sku: Some(sku.to_owned()),
        title: "Item".to_owned(),
        quantity,
        price: Decimal::new(1995, 2),
        taxes: vec![("AT VAT".to_owned(), Decimal::new(2, 1))],
        duty: Decimal::ZERO,
    }
}

pub(crate) fn fault(trouble: Trouble) -> FaultKind {
    match trouble {
        Trouble::TooManyRequests { retry_after_s } => FaultKind::TooManyRequests { retry_after_s },
        Trouble::Unauthorized => FaultKind::Unauthorized,
        Trouble::ServerError => FaultKind::ServerError,
        Trouble::CutBefore => FaultKind::CutBefore,
        Trouble::CutAfter => FaultKind::CutAfter,
        Trouble::ErrorAfter => FaultKind::ErrorAfter,
        Trouble::ErrorIn200 => FaultKind::ErrorIn200,
    }
}

/// Waits until something holds, ten seconds at most.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    wait_for_async("what is to hold", Duration::from_secs(10), async || holds().then_some(())).await;
}
