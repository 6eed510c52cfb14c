//! One order's way through the pure core: its webhook is read, becomes a snapshot, travels, and is decided for each
//! system of the example plan.

use std::hint::black_box;

use connector_shopify::{
    body::{self, content_hash},
    webhook::Topic,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use prost::Message as _;
use waybill_domain::{Kind, RecordKey, Revision, Snapshot};
use waybill_plan::{Connectors, DeliveryFacts, Facts, Plan, Remote, decide};
use waybill_proto::wire;
use waybill_simulator::{
    day::{Sale, sell},
    shopify::{Settings, Store},
};

const PLAN: &str = include_str!("../../examples/plans/example.toml");

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// A webhook's body as the store sends it: 8 KB, two lines, two addresses.
fn webhook() -> Vec<u8> {
    let mut told = Vec::new();
    let store = Store::new(Settings::default());
    sell(&store, Sale { orders: 1, seed: 1, named: true }, now(), &mut told).expect("memory can be written");
    let from = told.iter().position(|byte| *byte == b' ').expect("an id and a body") + 1;
    told.split_off(from)
}

fn plan() -> Plan {
    let connectors = [
        connector_shopify::descriptor(),
        connector_hubspot::descriptor().clone(),
        connector_tryton::descriptor().clone(),
        connector_shipstation::descriptor(),
        connector_pagerduty::descriptor(),
        connector_slack::descriptor(),
        connector_webhook::descriptor(),
    ];
    Plan::parse(PLAN, Connectors::All(&connectors)).expect("the example plan passes")
}

fn snapshot(webhook: &[u8]) -> Snapshot {
    let parsed = body::parse(Topic::parse("orders/create"), webhook).expect("an order's body");
    let body::Parsed::Whole(whole) = parsed else { panic!("an order is a record") };
    Snapshot {
        key: RecordKey { store: "main".parse().expect("a name"), kind: Kind::Order, id: whole.id.clone() },
        revision: Revision { epoch: 1, number: 1 },
        observed_at: now(),
        body: Some(whole.body),
    }
}

fn an_order(criterion: &mut Criterion) {
    let webhook = webhook();
    let snapshot = snapshot(&webhook);
    let encoded = wire::Snapshot::from(&snapshot).encode_to_vec();
    let plan = plan();
    let mut group = criterion.benchmark_group("order");
    group.throughput(Throughput::Bytes(webhook.len() as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| body::parse(Topic::parse("orders/create"), black_box(&webhook)).expect("an order's body"));
    });
    group.throughput(Throughput::Elements(1));
    let whole = snapshot.body.as_ref().expect("an order");
    group.bench_function("content hash", |bencher| bencher.iter(|| content_hash(black_box(whole))));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| wire::Snapshot::from(black_box(&snapshot)).encode_to_vec());
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let read = wire::Snapshot::decode(black_box(encoded.as_slice())).expect("a snapshot");
            Snapshot::try_from(read).expect("a snapshot")
        });
    });
    let facts = Facts { now: now(), ..Facts::default() };
    for system in ["erp", "crm", "shipping"] {
        let system = system.parse().expect("a name");
        let flow = plan.flow(&snapshot.key.store, Kind::Order, &system).expect("a flow of orders");
        group.bench_function(format!("decide for {system}"), |bencher| {
            let delivery = DeliveryFacts::default();
            bencher.iter(|| decide(&plan, flow, black_box(&snapshot), &delivery, &facts, &Remote::NotRead));
        });
    }
    group.finish();
}

criterion_group!(benches, an_order);
criterion_main!(benches);
