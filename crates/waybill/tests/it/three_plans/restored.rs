//! PostgreSQL is lost and restored from a backup, as the README says. What happened after the backup is known to the
//! store and to the systems alone.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use waybill_proto::wire::State;
use waybill_simulator::{
    seeding,
    shopify::{NewCustomer, NewOrder},
};
use waybill_testkit::{TestDatabase, find_program, wait_for_async};

use super::{
    MINUTES,
    business::{Business, order_of, wanted},
    colleagues::{Books, tracking_numbers},
    written,
};
use crate::deployment::{Deployment, said};

const BEFORE: &str = "+4315550101";
const LOST: &str = "+4315550202";

/// As an operator runs it.
fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(find_program(program).unwrap()).args(arguments).output().unwrap()
}

fn back_up(deployment: &Deployment, file: &Path) {
    let url = deployment.database.url().expose();
    said(&run("pg_dump", &["--format=custom", "--file", file.to_str().unwrap(), &url]));
}

/// The machine is gone; the backup is read into a cluster that was never used.
fn restore(deployment: &mut Deployment, file: &Path) {
    deployment.database = TestDatabase::in_own_cluster().unwrap();
    let url = deployment.database.url().expose();
    let arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--dbname", &url, file.to_str().unwrap()];
    said(&run("pg_restore", &arguments));
}

impl Business {
    /// What was created at each vendor, and how often.
    fn created(&self) -> BTreeMap<(&'static str, String, String), usize> {
        let mut counts = BTreeMap::new();
        for (vendor, journal) in self.suite.vendors.journals() {
            // What `setup` makes at the CRM is no record, and one association is there however often it is asked for.
            let is_record = |object: &str| !object.starts_with("property") && object != "association";
            let entries = journal.entries().into_iter();
            for entry in entries.filter(|entry| entry.action == "create" && is_record(&entry.object)) {
                // A parcel in the store has no key of ours.
                let what = if entry.reference.is_empty() { entry.body.to_string() } else { entry.reference };
                *counts.entry((vendor, entry.object, what)).or_default() += 1;
            }
        }
        counts
    }

    /// Waits until the CRM holds a revision of a customer, and this phone. Gives the revision.
    async fn until_phone_is(&self, phone: &str, customer: u64, revision: i64) -> i64 {
        let delivery = self.until_applied("crm", &format!("main/customer/{customer}"), revision).await;
        assert_eq!(self.contact("ada@waldgang.at", "phone").await["phone"], phone);
        wanted(&delivery)
    }

    /// Sells something, and waits until it is where it has to be.
    async fn sell_and_hand_over(&self, customer: u64) -> u64 {
        let order = self.suite.vendors.store.place(bought_by(customer));
        for system in ["erp", "crm", "shipping"] {
            self.until_applied(system, &format!("main/order/{order}"), 1).await;
        }
        order
    }
}

fn bought_by(customer: u64) -> NewOrder {
    NewOrder { customer: Some(customer), ..order_of("TEE-WHITE-S", 2) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restored_from_a_backup_doubles_nothing_and_loses_nothing() {
    let Some(shop) = Business::with_plan(&written("example"), &seeding::erp()).await else { return };
    let store = &shop.suite.vendors.store;
    let ada = store.add_customer(NewCustomer {
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lind".to_owned()),
        email: Some("ada@waldgang.at".to_owned()),
        phone: Some(BEFORE.to_owned()),
        ..NewCustomer::default()
    });
    let before = shop.sell_and_hand_over(ada).await;
    let known = shop.until_phone_is(BEFORE, ada, 1).await;
    let backup = shop.suite.deployment.folder.path().join("backup.dump");
    back_up(&shop.suite.deployment, &backup);

    // Of this the backup knows nothing.
    let sent = shop.sell_and_hand_over(ada).await;
    let numbers = shop.ship().await;
    wait_for_async("the parcels in the store", MINUTES, async || {
        [before, sent].iter().all(|order| !tracking_numbers(store, *order).is_empty()).then_some(())
    })
    .await;
    let lost = shop.sell_and_hand_over(ada).await;
    store.update_customer(ada, None, Some(LOST));
    shop.until_phone_is(LOST, ada, known + 1).await;
    wait_for_async("an end of all work", MINUTES, async || shop.all_is_settled().then_some(())).await;
    let running = shop.suite.run(&["restored", "--confirm"]);
    assert!(String::from_utf8_lossy(&running.stderr).contains("stop the services first"), "{running:?}");

    let mut new = 0;
    let shop = shop
        .closed_for(async |deployment, vendors| {
            // The store's own life goes on.
            vendors.store.update_customer(ada, None, Some(BEFORE));
            vendors.store.cancel(lost, "customer", true);
            new = vendors.store.place(bought_by(ada));
            restore(deployment, &backup);
            assert_eq!(deployment.run(&["restored"]).status.code(), Some(1), "not confirmed");
            let told = said(&deployment.run(&["restored", "--confirm"]));
            assert!(told.contains("schema shopify_ingest begins epoch"), "{told}");
        })
        .await;
    said(&shop.suite.run(&["reconcile"]));
    for system in ["erp", "crm", "shipping"] {
        for order in [sent, new] {
            shop.until_applied(system, &format!("main/order/{order}"), 1).await;
        }
    }
    shop.until_applied("crm", &format!("main/order/{lost}"), 1).await;
    // All hold it and are told: what the ERP has begun to process, a person has to take back.
    shop.until_applied("shipping", &format!("main/order/{lost}"), 1).await;
    shop.until_state(State::Parked, "erp", &format!("main/order/{lost}"), 1).await;
    shop.until_phone_is(BEFORE, ada, known + 1).await;
    wait_for_async("an end of all work", MINUTES, async || {
        // What was paid back for the cancelled order waits for what a person makes of that order in the ERP.
        let open = shop.open_lines();
        let waits = |line: &Value| line["kind"] == "refund" && line["in_flight"] == 1 && line["gap"] == 0;
        open.iter().all(waits).then_some(())
    })
    .await;

    // Nothing is missing, doubled or otherwise at any system.
    said(&shop.suite.run(&["audit"]));
    let twice: Vec<_> = shop.created().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(Books::open(&shop).await.sales().await.len(), 4);
    assert_eq!(shop.shipments().await.len(), 4);
    let store = &shop.suite.vendors.store;
    let shown: Vec<String> = [before, sent].iter().flat_map(|order| tracking_numbers(store, *order)).collect();
    assert_eq!(shown.len(), numbers.len(), "{shown:?}");
    shop.close().await;
}
