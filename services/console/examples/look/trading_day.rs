//! A day with some trouble.

use jiff::{SignedDuration, Timestamp};
use waybill_domain::Clock as _;
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        AccountingLine, Delivery, DeliveryDetail, Incident, Order, Person, RecordKey, Replica, Revision, Snapshot,
        State, SystemReport, delivery_detail::Step, inbox_count_response::Count, inbox_list_response::Webhook,
        snapshot::Body, system_report::Condition,
    },
};
use waybill_runtime::SystemClock;

use crate::world::{World, obeying};

struct Day {
    now: Timestamp,
    details: Vec<DeliveryDetail>,
}

fn key(kind: &str, id: String) -> RecordKey {
    RecordKey { store: "main".to_owned(), kind: kind.to_owned(), id }
}

impl Day {
    fn ago(&self, seconds: i64) -> Timestamp {
        self.now - SignedDuration::from_secs(seconds)
    }

    fn add(
        &mut self,
        service: &str,
        system: &str,
        key: RecordKey,
        name: &str,
        state: State,
        seconds: i64,
    ) -> &mut Delivery {
        let steps = ["party", "order", "confirm"].into_iter().enumerate().map(|(index, role)| {
            let started = self.ago(seconds) - SignedDuration::from_millis(900 - 300 * index as i64);
            Step {
                name: if role == "confirm" { "process" } else { "create" }.to_owned(),
                role: role.to_owned(),
                call_key: format!("wk3v7n2q5xzj4m6{role:a>6.6}"),
                state: "done".to_owned(),
                message: String::new(),
                started_at: Some(to_timestamp(started)),
                finished_at: Some(to_timestamp(started + SignedDuration::from_millis(212))),
            }
        });
        let steps: Vec<_> = steps.collect::<Vec<_>>().into_iter().rev().collect();
        let external_id = format!("{}", 40_000 + self.details.len());
        self.details.push(DeliveryDetail {
            delivery: Some(Delivery {
                service: service.to_owned(),
                system: system.to_owned(),
                name: name.to_owned(),
                state: state.into(),
                desired: Some(Revision { epoch: 1, number: 4 }),
                settled: if matches!(state, State::Applied | State::Parked | State::Ignored) { 4 } else { 3 },
                external_id: external_id.clone(),
                attempts: 1,
                changed_at: Some(to_timestamp(self.ago(seconds))),
                key: Some(key),
                ..Delivery::default()
            }),
            steps,
            known: [("party".to_owned(), "2210".to_owned()), ("order".to_owned(), external_id)].into(),
            edits: Vec::new(),
        });
        self.details.last_mut().and_then(|detail| detail.delivery.as_mut()).expect("just pushed")
    }

    fn park(&mut self, service: &str, system: &str, order: i64, why: [&str; 3], seconds: i64) {
        let [code, field, message] = why;
        let at = key("order", (820_982_911_946_154_000_i64 + order).to_string());
        let delivery = self.add(service, system, at, &format!("#{order}"), State::Parked, seconds);
        delivery.code = code.to_owned();
        delivery.field = field.to_owned();
        delivery.message = message.to_owned();
        delivery.external_id = String::new();
        let detail = self.details.last_mut().expect("just added");
        detail.steps[0].state = "failed".to_owned();
        detail.steps[0].message = message.to_owned();
    }
}

pub(crate) fn world() -> World {
    let mut day = Day { now: SystemClock.now(), details: Vec::new() };
    for order in 1001..1061 {
        let at = || key("order", (820_982_911_946_154_000_i64 + order).to_string());
        let name = format!("#{order}");
        let age = (1061 - order) * 47;
        match order {
            1007 | 1019 => day.park(
                "erp-sync",
                "erp",
                order,
                ["unknown_item", "lines[1].sku", "no product has the code 'MUG-GREEN-XL'"],
                age,
            ),
            1023 => day.park(
                "erp-sync",
                "erp",
                order,
                ["unmapped", "tax_lines[0].title", "'VAT 21%' is not in the table 'tax_codes'"],
                age,
            ),
            _ => {
                day.add("erp-sync", "erp", at(), &name, State::Applied, age);
            }
        }
        match order {
            1031 => day.park(
                "crm-sync",
                "hubspot",
                order,
                ["invalid_email", "email", "Email address [redacted] is invalid"],
                age,
            ),
            1059 | 1060 => {
                day.add("crm-sync", "hubspot", at(), &name, State::Pending, age);
            }
            _ => {
                day.add("crm-sync", "hubspot", at(), &name, State::Applied, age);
            }
        }
        if order == 1007 {
            day.add("erp-sync", "shipstation", at(), &name, State::Waiting, age).code = "after".to_owned();
        } else if order % 9 == 0 {
            day.add("erp-sync", "shipstation", at(), &name, State::Ignored, age).code = "not_paid".to_owned();
        } else {
            day.add("erp-sync", "shipstation", at(), &name, State::Applied, age);
        }
        day.add(
            "crm-sync",
            "hubspot",
            key("customer", (6_940_095_564_000_i64 + order).to_string()),
            &format!("{}", 6_940_095_564_000_i64 + order),
            State::Applied,
            age,
        );
    }
    let shipment = key("shipment", "se-28529731".to_owned());
    day.add("crm-sync", "hubspot", shipment, "#1007", State::Applied, 400);
    let snapshot = Snapshot {
        key: Some(key("order", "820982911946155007".to_owned())),
        body: Some(Body::Order(Order {
            customer: Some(Person { id: "6940095565007".to_owned(), ..Person::default() }),
            ..Order::default()
        })),
        ..Snapshot::default()
    };
    World {
        accounting: lines(),
        incidents: incidents(&day),
        slowest_page_ms: Some(4_310),
        snapshots: vec![snapshot],
        systems: systems(&day),
        replicas: replicas(&day),
        webhook_counts: [("new", 412), ("echo", 88), ("refetched", 12), ("unknown", 3), ("unreadable", 1)]
            .map(|(outcome, webhooks)| Count {
                store: "main".to_owned(),
                topic: "orders/updated".to_owned(),
                outcome: outcome.to_owned(),
                webhooks,
            })
            .into(),
        webhooks: webhooks(&day),
        details: day.details,
        ..World::default()
    }
}

fn lines() -> Vec<AccountingLine> {
    let line = |kind: &str, system: &str, [accepted, applied, superseded, ignored, parked, in_flight]: [i64; 6]| {
        AccountingLine {
            store: "main".to_owned(),
            kind: kind.to_owned(),
            system: system.to_owned(),
            accepted,
            applied,
            superseded,
            ignored,
            parked,
            in_flight,
            gap: accepted - applied - superseded - ignored - parked - in_flight,
        }
    };
    vec![
        line("customer", "hubspot", [61, 60, 1, 0, 0, 0]),
        line("order", "erp", [240, 57, 180, 0, 3, 0]),
        line("order", "hubspot", [240, 57, 179, 0, 1, 2]),
        line("order", "shipstation", [240, 53, 180, 6, 0, 1]),
        line("shipment", "hubspot", [1, 1, 0, 0, 0, 0]),
    ]
}

fn systems(day: &Day) -> Vec<SystemReport> {
    let report = |service: &str, system: &str, condition: Condition, message: &str| SystemReport {
        service: service.to_owned(),
        system: system.to_owned(),
        condition: condition.into(),
        message: message.to_owned(),
        at: Some(to_timestamp(day.ago(7))),
        ..SystemReport::default()
    };
    vec![
        report("erp-sync", "erp", Condition::Serving, ""),
        report("crm-sync", "hubspot", Condition::Unauthorized, "401: the access token has expired"),
    ]
}

fn replicas(day: &Day) -> Vec<Replica> {
    let mut replicas =
        ["alerter", "crm-sync", "erp-sync", "shopify-ingest"].map(|service| obeying(service, "5f2a9c01d7e4"));
    for replica in &mut replicas {
        replica.heard_at = Some(to_timestamp(day.ago(3)));
        if let Some(plan) = &mut replica.plan {
            plan.obeyed_since = Some(to_timestamp(day.ago(7_000)));
        }
    }
    if let Some(plan) = &mut replicas[2].plan {
        plan.problem =
            "the plan /etc/waybill/plan.toml: WB-P003 line 41, flows[2].to: there is no system 'epr'".to_owned();
        plan.refused_since = Some(to_timestamp(day.ago(320)));
    }
    replicas.into()
}

fn incidents(day: &Day) -> Vec<Incident> {
    let incident = |id: i64, system: &str, code: &str, orders: &[i64], seconds: i64| {
        let why = console::words::explain(code);
        Incident {
            id,
            system: system.to_owned(),
            code: code.to_owned(),
            severity: "error".to_owned(),
            title: why.title.to_owned(),
            meaning: why.meaning.to_owned(),
            action: why.action.to_owned(),
            detail: String::new(),
            count: orders.len() as i64,
            records: orders
                .iter()
                .map(|order| key("order", (820_982_911_946_154_000_i64 + order).to_string()))
                .collect(),
            opened_at: Some(to_timestamp(day.ago(seconds))),
            resolved_at: None,
            paged_at: Some(to_timestamp(day.ago(seconds - 4))),
        }
    };
    let mut resolved = incident(1, "erp", "unavailable", &[], 9_000);
    resolved.resolved_at = Some(to_timestamp(day.ago(8_100)));
    vec![
        incident(4, "hubspot", "unauthorized", &[], 95),
        incident(3, "erp", "unknown_item", &[1007, 1019], 2_600),
        incident(2, "erp", "unmapped", &[1023], 1_800),
        resolved,
    ]
}

fn webhooks(day: &Day) -> Vec<Webhook> {
    let webhook = |id: i64, topic: &str, outcome: &str, message: &str, body_bytes: i64| Webhook {
        id,
        store: "main".to_owned(),
        topic: topic.to_owned(),
        webhook_id: format!("b54557e4-bdd9-4b37-8a5f-bf7d70bcd0{id:02}"),
        received_at: Some(to_timestamp(day.ago(id * 611))),
        outcome: outcome.to_owned(),
        message: message.to_owned(),
        body_bytes,
    };
    vec![
        webhook(1, "orders/updated", "unreadable", "not JSON: the body ends at byte 2048", 2_048),
        webhook(2, "themes/publish", "unknown", "", 512),
        webhook(3, "carts/update", "unknown", "", 1_120),
        webhook(4, "carts/update", "unknown", "", 1_310),
    ]
}
