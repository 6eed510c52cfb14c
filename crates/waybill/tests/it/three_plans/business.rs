//! A business that runs one of the plans: its stores tell the suite by webhooks what happens there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use waybill_proto::{
    convert::from_timestamp,
    wire::{Delivery, ListDeliveriesRequest, RecordKey, State, deliveries_client::DeliveriesClient},
};
use waybill_runtime::grpc::{self, PeerChannel};
use waybill_simulator::{
    catalogue,
    shopify::{Address, NewLine, NewOrder, NewShipping, Payment, Settings},
    tryton::Setup,
};
use waybill_testkit::{free_port, wait_for_async};

use crate::{
    deployment::{DEADLINE, Deployment, said},
    running::{Suite, Vendors, vendors},
};

/// Where a business is going to be.
pub(super) struct Premises {
    deployment: Deployment,
    /// Where the suite is going to receive webhooks.
    webhooks: String,
}

impl Premises {
    /// Servers on which nothing runs yet, and the plan's file; `None` after a skip line.
    pub(super) fn with_plan(plan: &str) -> Option<Self> {
        let deployment = Deployment::empty()?;
        std::fs::write(deployment.folder.path().join("plan.toml"), plan).unwrap();
        Some(Self { deployment, webhooks: format!("127.0.0.1:{}", free_port().unwrap()) })
    }

    /// Where the webhooks of a store of the plan go.
    pub(super) fn webhooks(&self, store: &str) -> Option<String> {
        Some(format!("http://{}/webhooks/{store}", self.webhooks))
    }

    /// Starts the suite beside these vendors, and has it make what it needs there.
    pub(super) async fn open(self, vendors: Vendors) -> Business {
        let suite = Suite::with(self.deployment, vendors, &["--webhooks", &self.webhooks], &[]).await;
        said(&suite.run(&["setup", "--plan", "plan.toml"]));
        Business::that_runs(suite, self.webhooks).await
    }
}

/// A business with a running suite.
pub(super) struct Business {
    pub(super) suite: Suite,
    services: BTreeMap<String, PeerChannel>,
    webhooks: String,
}

impl Business {
    async fn that_runs(suite: Suite, webhooks: String) -> Self {
        let token = suite.token().into();
        let services = suite.peers();
        let services =
            services.iter().map(|(service, address)| (service.clone(), grpc::peer(address, &token).unwrap())).collect();
        let business = Self { suite, services, webhooks };
        business.until_flows_are_active().await;
        business
    }

    /// Stops the suite, and starts it again once what happens meanwhile has happened. The vendors go on.
    pub(super) async fn closed_for(self, meanwhile: impl AsyncFnOnce(&mut Deployment, &Vendors)) -> Self {
        drop(self.services);
        let (mut deployment, vendors) = self.suite.leave().await;
        meanwhile(&mut deployment, &vendors).await;
        let suite = Suite::with(deployment, vendors, &["--webhooks", &self.webhooks], &[]).await;
        Self::that_runs(suite, self.webhooks).await
    }

    /// One with the store `main`; `None` after a skip line.
    pub(super) async fn with_plan(plan: &str, books: &Setup) -> Option<Self> {
        let premises = Premises::with_plan(plan)?;
        let store = Settings {
            domain: "waldgang.myshopify.com".to_owned(),
            webhooks_to: premises.webhooks("main"),
            ..Settings::default()
        };
        Some(premises.open(vendors(store, books).await).await)
    }

    /// Minutes pass for an order on its way to the shipping tool.
    pub(super) async fn pass(&self, minutes: u32, order: u64) {
        let earlier = "update fulfilment_sync.delivery
            set first_unapplied_at = first_unapplied_at - make_interval(mins => $1), due_at = now(), wake = wake + 1
            where system = 'shipping' and kind = 'order' and record_id = $2";
        let minutes = i32::try_from(minutes).unwrap();
        let mut database = self.database().await;
        sqlx::query(earlier).bind(minutes).bind(order.to_string()).execute(&mut database).await.unwrap();
    }

    /// A connection as the database's owner.
    pub(super) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.suite.deployment.database.url().expose()).await.unwrap()
    }

    /// What came to be before its flows are there is none of their business.
    async fn until_flows_are_active(&self) {
        let are_active = "select exists (select from crm_sync.flow_state) and exists (select from erp_sync.flow_state)
            and exists (select from fulfilment_sync.flow_state) and exists (select from inventory_router.flow_state)";
        let mut database = self.database().await;
        wait_for_async("every service's flows to be active", DEADLINE, async || {
            let are_active: bool = sqlx::query_scalar(are_active).fetch_one(&mut database).await.unwrap();
            are_active.then_some(())
        })
        .await;
    }

    /// Where a record stands on its way to a system; `None` if the service has not heard of it.
    pub(super) async fn delivery(&self, system: &str, record: &str) -> Option<Delivery> {
        let mut parts = record.split('/').map(str::to_owned);
        let mut next = || parts.next().unwrap();
        let key = RecordKey { store: next(), kind: next(), id: next() };
        let service = match (system, key.kind.as_str()) {
            ("crm", _) => "crm-sync",
            ("erp" | "erp-wholesale", _) => "erp-sync",
            ("shop" | "b2b-shop", "stock-level") => "inventory-router",
            ("shop" | "b2b-shop", "price") => "erp-sync",
            _ => "fulfilment-sync",
        };
        let request = ListDeliveriesRequest { system: system.to_owned(), key: Some(key), ..Default::default() };
        let listed = DeliveriesClient::new(self.services[service].clone()).list(request).await.unwrap().into_inner();
        listed.deliveries.into_iter().next()
    }

    /// Waits until something holds of a record's delivery to a system, and gives the delivery.
    pub(super) async fn until(
        &self,
        what: &str,
        system: &str,
        record: &str,
        holds: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        wait_for_async(&format!("{record} at {system} to be {what}"), DEADLINE, async || {
            self.delivery(system, record).await.filter(|delivery| holds(delivery))
        })
        .await
    }

    /// The same for a state of its revision, or of a later one.
    pub(super) async fn until_state(&self, state: State, system: &str, record: &str, revision: i64) -> Delivery {
        let is_there = |delivery: &Delivery| wanted(delivery) >= revision && delivery.state() == state;
        self.until(&format!("{} at revision {revision}", state.as_str_name()), system, record, is_there).await
    }

    pub(super) async fn until_applied(&self, system: &str, record: &str, revision: i64) -> Delivery {
        self.until_state(State::Applied, system, record, revision).await
    }

    /// The accounting's lines of which something is in flight or missing.
    pub(super) fn open_lines(&self) -> Vec<Value> {
        let status: Value = serde_json::from_slice(&self.suite.run(&["status", "--json"]).stdout).unwrap();
        let lines = status["accounting"].as_array().unwrap();
        assert!(!lines.is_empty(), "{status}");
        lines.iter().filter(|line| line["in_flight"] != 0 || line["gap"] != 0).cloned().collect()
    }

    /// Whether every accepted revision has its receipt: none is on the road.
    pub(super) fn all_is_settled(&self) -> bool {
        self.open_lines().is_empty()
    }

    /// Whether at least so many records of a kind, and all that were told, have reached a system, by the accounting.
    pub(super) fn has_settled(&self, kind: &str, system: &str, at_least: usize) -> Option<()> {
        let status: Value = serde_json::from_slice(&self.suite.run(&["status", "--json"]).stdout).unwrap();
        let line =
            status["accounting"].as_array()?.iter().find(|line| line["kind"] == kind && line["system"] == system)?;
        let count = |name: &str| line[name].as_u64().unwrap_or_default();
        let ended = count("applied") + count("superseded");
        (line["gap"] == 0 && count("accepted") == ended && ended >= at_least as u64).then_some(())
    }

    /// Nothing of what a service has heard so far needs a person.
    pub(super) async fn has_parked_nothing(&self, service: &str) {
        let request = ListDeliveriesRequest { state: State::Parked.into(), ..Default::default() };
        let listed = DeliveriesClient::new(self.services[service].clone()).list(request).await.unwrap().into_inner();
        assert!(listed.deliveries.is_empty(), "{:?}", listed.deliveries);
    }

    pub(super) async fn close(self) {
        drop(self.services);
        assert_eq!(self.suite.stop().await, Some(0));
    }
}

/// The revision that a delivery is to bring.
pub(super) fn wanted(delivery: &Delivery) -> i64 {
    delivery.desired.as_ref().map_or(0, |revision| revision.number)
}

/// When a delivery is due.
pub(super) fn due(delivery: &Delivery) -> Timestamp {
    from_timestamp("due_at", delivery.due_at.as_ref().unwrap()).unwrap()
}

/// When the first change was heard that the system does not have yet.
pub(super) fn first_change(delivery: &Delivery) -> Timestamp {
    from_timestamp("first_unapplied_at", delivery.first_unapplied_at.as_ref().unwrap()).unwrap()
}

/// A tax as the store names it, with its rate in per cent.
pub(super) fn tax(title: &str, percent: i64) -> (String, Decimal) {
    (title.to_owned(), Decimal::new(percent, 2))
}

/// A paid order of some of an item by Ada Lind in Vienna, with the tax of her country, sent for 5.00.
pub(super) fn order_of(sku: &str, quantity: i64) -> NewOrder {
    let address = Address {
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lind".to_owned()),
        address1: "Ring 1".to_owned(),
        city: "Wien".to_owned(),
        zip: "1010".to_owned(),
        country: "Austria".to_owned(),
        country_code: "AT".to_owned(),
        phone: Some("+43 1 5550101".to_owned()),
        ..Address::default()
    };
    NewOrder {
        email: Some("ada@waldgang.at".to_owned()),
        billing: Some(address.clone()),
        shipping_address: Some(address),
        lines: vec![line_of(sku, quantity)],
        shipping: vec![NewShipping {
            title: "Standard".to_owned(),
            code: "standard".to_owned(),
            price: Decimal::new(5_00, 2),
            taxes: vec![tax("AT VAT", 20)],
        }],
        payment: Payment::Paid,
        ..NewOrder::default()
    }
}

/// Some of an item of the catalogue.
pub(super) fn line_of(sku: &str, quantity: i64) -> NewLine {
    NewLine {
        sku: Some(sku.to_owned()),
        title: String::new(),
        quantity,
        price: catalogue::find(sku).unwrap().price(),
        taxes: vec![tax("AT VAT", 20)],
        duty: Decimal::ZERO,
    }
}
