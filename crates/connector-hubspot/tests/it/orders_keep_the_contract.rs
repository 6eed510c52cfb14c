//! The contract suite with orders.

use async_trait::async_trait;
use waybill_connector::{
    Sink,
    contract::{Bench, Trouble},
};
use waybill_domain::{Kind, RecordKey, document::OrderDocument};

use crate::account::{Account, field, order, property, record};

struct Orders(Account);

#[async_trait]
impl Bench<OrderDocument> for Orders {
    fn sink(&self) -> &dyn Sink<OrderDocument> {
        &self.0.hubspot
    }

    fn record(&self, n: usize) -> RecordKey {
        record(Kind::Order, n)
    }

    fn document(&self, n: usize) -> OrderDocument {
        order(n)
    }

    fn changed(&self, document: &OrderDocument) -> OrderDocument {
        let mut changed = document.clone();
        changed.fields.insert("hs_external_order_status".to_owned(), field("refunded"));
        changed
    }

    fn refused(&self, n: usize) -> Option<OrderDocument> {
        let mut refused = order(n);
        refused.fields.insert("hs_currency_code".to_owned(), field("XXQ"));
        Some(refused)
    }

    async fn objects(&self, document: &OrderDocument) -> usize {
        let all = self.0.all("orders", "waybill_key").await;
        all.iter().filter(|order| property(order, "waybill_key") == document.key.as_str()).count()
    }

    async fn holds(&self, document: &OrderDocument) -> bool {
        let all = self.0.all("orders", "waybill_key,hs_order_name,hs_total_price,hs_external_order_status").await;
        let Some(found) = all.iter().find(|order| property(order, "waybill_key") == document.key.as_str()) else {
            return false;
        };
        let contacts = self.0.all("contacts", "email").await;
        let buyer = found["associations"]["contacts"]["results"][0]["id"].clone();
        let buyer = contacts.iter().find(|contact| contact["id"] == buyer);
        buyer.is_some_and(|buyer| {
            Some(property(buyer, "email").as_str()) == document.customer.as_ref().map(|person| person.email.expose())
        }) && property(found, "hs_order_name") == document.name
            && ["hs_total_price", "hs_external_order_status"]
                .iter()
                .all(|name| property(found, name) == document.fields[*name].to_text())
    }

    async fn writes(&self) -> usize {
        self.0.running.journal.entries().len()
    }

    async fn lose(&self, document: &OrderDocument) {
        self.0.delete("orders", document.key.as_str()).await;
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.0.inject(trouble, skip);
    }

    async fn pending(&self) -> bool {
        self.0.running.faults.pending()
    }

    async fn clear(&self) {
        self.0.running.faults.clear();
    }
}

waybill_connector::contract_tests!(OrderDocument, Orders(Account::ready().await));
waybill_connector::contract_tests!(OrderDocument, Orders(Account::ready().await), [a_look_tells_what_was_lost]);
