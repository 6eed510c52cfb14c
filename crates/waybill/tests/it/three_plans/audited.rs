//! `waybill audit`: systems lose records, colleagues change and double them, and an audit says which.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waybill_simulator::{seeding, shopify::NewCustomer};
use waybill_testkit::wait_for_async;

use super::{
    business::{Business, order_of},
    colleagues::Books,
    written,
};
use crate::deployment::{DEADLINE, said};

const ADA: &str = "ada@waldgang.at";
const BOB: &str = "bob@waldgang.at";

/// Record, system, what, and of what.
type Found = BTreeSet<(String, String, String, String)>;

fn found(rows: &[(&str, &str, &str, &str)]) -> Found {
    rows.iter()
        .map(|(record, system, what, of)| {
            ((*record).to_owned(), (*system).to_owned(), (*what).to_owned(), (*of).to_owned())
        })
        .collect()
}

impl Business {
    /// Exit code and findings of an audit.
    fn audit(&self, options: &[&str]) -> (Option<i32>, Value) {
        let arguments: Vec<&str> = ["audit", "--json"].iter().chain(options).copied().collect();
        let output = self.suite.run(&arguments);
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// What an audit finds, once nothing is on its way any more.
    async fn audited(&self, code: i32) -> Found {
        let told = wait_for_async(&format!("an audit to end with {code}"), DEADLINE, async || {
            let (ended, told) = self.audit(&[]);
            (ended == Some(code) && told["in_flight"] == 0).then_some(told)
        })
        .await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |one: &Value| {
            let record = [&one["store"], &one["kind"], &one["id"]].map(text).join("/");
            let of = [&one["role"], &one["field"]].map(text).join(".");
            (record, text(&one["system"]), text(&one["what"]), of.trim_end_matches('.').to_owned())
        };
        told["found"].as_array().unwrap().iter().map(row).collect()
    }

    /// How often each vendor was written to.
    fn writes(&self) -> [usize; 4] {
        self.suite.vendors.journals().map(|(_, journal)| journal.entries().len())
    }

    async fn customer(&self, first_name: &str, email: &str) -> String {
        let customer = self.suite.vendors.store.add_customer(NewCustomer {
            first_name: Some(first_name.to_owned()),
            last_name: Some("Lind".to_owned()),
            email: Some(email.to_owned()),
            phone: None,
            ..NewCustomer::default()
        });
        let at = format!("main/customer/{customer}");
        self.until_applied("crm", &at, 1).await;
        at
    }

    async fn sold(&self) -> String {
        let at = format!("main/order/{}", self.suite.vendors.store.place(order_of("TEE-WHITE-S", 1)));
        for system in ["erp", "crm", "shipping"] {
            self.until_applied(system, &at, 1).await;
        }
        at
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_names_what_systems_lost_changed_and_doubled_and_heals_what_the_plan_lets_it() {
    let Some(shop) = Business::with_plan(&written("owned"), &seeding::erp()).await else { return };
    let (ada, bob) = (shop.customer("Ada", ADA).await, shop.customer("Bob", BOB).await);
    let (lost, doubled) = (shop.sold().await, shop.sold().await);
    assert_eq!(shop.audited(0).await, Found::new());

    // Behind our back: records vanish, colleagues change and copy what is there.
    let books = Books::open(&shop).await;
    let sales = books.sales().await;
    let key = |at: &str| {
        let name = shop.suite.vendors.store.order(at.rsplit('/').next().unwrap().parse().unwrap()).unwrap().name;
        sales.iter().find(|sale| sale.description == name).unwrap().clone()
    };
    let renamed = shop.delivery("crm", &doubled).await.unwrap().external_id;
    let name = shop.crm_order(&renamed, "hs_order_name").await["properties"]["hs_order_name"].clone();
    shop.delete_contact(ADA).await;
    shop.correct_contact(BOB, json!({"phone": "+436645550102"})).await;
    shop.correct_crm_order(&renamed, json!({"hs_order_name": "mine"})).await;
    shop.lose_sale(&key(&lost).reference).await;
    shop.lose_shipment(&key(&lost).reference).await;
    let of_doubled = key(&doubled);
    let copy = json!({"party": of_doubled.party_id, "reference": of_doubled.reference});
    let copy = books.create("sale.sale", vec![copy]).await.remove(0);

    let theirs = (bob.as_str(), "crm", "differs", "customer.phone");
    let twice = (doubled.as_str(), "erp", "doubled", "order");
    let everything = found(&[
        (&ada, "crm", "missing", "customer"),
        (&lost, "crm", "missing", "customer"),
        (&doubled, "crm", "missing", "customer"),
        (&doubled, "crm", "differs", "order.hs_order_name"),
        (&lost, "erp", "missing", "order"),
        (&lost, "shipping", "missing", "order"),
        theirs,
        twice,
    ]);
    let before = shop.writes();
    assert_eq!(shop.audited(1).await, everything);
    assert_eq!(shop.audit(&["--heal", "--dry-run"]).1["healed"], 0);
    assert_eq!(shop.writes(), before, "an audit writes nothing");

    assert_eq!(shop.audit(&["--heal", "--reason", "restored"]).1["healed"], 5);
    let rest = wait_for_async("only what a person has to mend to be left", DEADLINE, async || {
        let rest = shop.audited(1).await;
        (rest.len() == 2).then_some(rest)
    })
    .await;
    assert_eq!(rest, found(&[theirs, twice]));
    let booked = books.sales().await;
    assert_eq!(booked.iter().filter(|sale| sale.reference == key(&lost).reference).count(), 1);
    assert_eq!(booked.iter().filter(|sale| sale.reference == of_doubled.reference).count(), 2);
    assert_eq!((shop.shipments().await.len(), shop.crm_state().await["contacts"].clone()), (2, json!(2)));
    assert_eq!(shop.crm_order(&renamed, "hs_order_name").await["properties"]["hs_order_name"], name);
    assert_eq!(shop.contact(BOB, "phone").await["phone"], "+436645550102");
    shop.has_parked_nothing("erp-sync").await;

    // A person removes the copy; what is the CRM's own is no difference.
    books.delete("sale.sale", &copy).await;
    assert_eq!(shop.audited(0).await, found(&[theirs]));
    let told = said(&shop.suite.run(&["audit"]));
    assert!(told.contains("0 missing, 0 differ, 0 doubled"), "{told}");
    shop.close().await;
}
