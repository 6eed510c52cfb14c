//! A customer's consent to marketing by e-mail, which no customer's webhook carries.

use serde_json::{Value, json};
use waybill_domain::{Body, customer::Customer};
use waybill_simulator::shopify::{EmailConsent, NewCustomer};

use crate::{bench::Bench, webhook::webhook};

impl Bench {
    /// A customer of the simulated store, which sends no webhook of it: id, and the body that its webhook has.
    fn subscriber(&self) -> (u64, Value) {
        let email = Some("jo@example.com".to_owned());
        let id = self.shop.add_customer(NewCustomer { email, ..NewCustomer::default() });
        self.shop.set_email_consent(id, EmailConsent::Subscribed);
        let (records, wanted) = (self.shop.records(), id.to_string());
        let mut records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let body = records.find(|record| record["kind"] == "customer" && record["id"] == wanted).unwrap();
        (id, body["body"].clone())
    }

    /// The customer's record and its revision, once all work is done.
    async fn customer(&self, id: u64) -> (Customer, i64) {
        self.settled().await;
        let snapshot = self.record("main", "customer", &id.to_string()).await.expect("the customer's record");
        let Some(Body::Customer(customer)) = snapshot.body else { panic!("a customer") };
        (*customer, snapshot.revision.number)
    }
}

fn consent_of(customer: u64) -> Value {
    let consent = json!({"state": "subscribed", "opt_in_level": null, "consent_updated_at": null});
    json!({"customer_id": customer, "email_address": "jo@example.com", "email_marketing_consent": consent})
}

#[tokio::test]
async fn a_new_customers_consent_is_read_before_its_first_revision() {
    let Some(bench) = Bench::open().await else { return };
    let (id, body) = bench.subscriber();
    assert_eq!(bench.taken(&webhook("customers/create", &body)).await.0, "refetch");
    let (customer, revision) = bench.customer(id).await;
    assert_eq!((customer.email_consent.as_str(), revision), ("subscribed", 1));
    bench.close().await;
}

#[tokio::test]
async fn a_change_of_consent_is_read_by_api() {
    let Some(bench) = Bench::open().await else { return };
    let (id, body) = bench.subscriber();
    bench.taken(&webhook("customers/create", &body)).await;
    bench.settled().await;
    bench.shop.set_email_consent(id, EmailConsent::Unsubscribed);
    let changed = webhook("customers_email_marketing_consent/update", &consent_of(id));
    assert_eq!(bench.taken(&changed).await.0, "refetch");
    let (customer, revision) = bench.customer(id).await;
    assert_eq!((customer.email_consent.as_str(), revision), ("unsubscribed", 2));
    bench.close().await;
}

#[tokio::test]
async fn a_webhook_that_lacks_the_consent_does_not_clear_it() {
    let Some(bench) = Bench::open().await else { return };
    let (id, mut body) = bench.subscriber();
    bench.taken(&webhook("customers_email_marketing_consent/update", &consent_of(id))).await;
    bench.settled().await;
    body["last_name"] = json!("Lind");
    body["updated_at"] = json!("2099-01-01T00:00:00Z");
    assert_eq!(bench.taken(&webhook("customers/update", &body)).await.0, "applied");
    let (customer, revision) = bench.customer(id).await;
    assert_eq!((customer.last_name.expose(), customer.email_consent.as_str(), revision), ("Lind", "subscribed", 2));
    bench.close().await;
}
