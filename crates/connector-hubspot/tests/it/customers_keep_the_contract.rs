//! The contract suite with customers.

use async_trait::async_trait;
use waybill_connector::{
    Sink,
    contract::{Bench, Trouble},
};
use waybill_domain::{Kind, Personal, RecordKey, document::CustomerDocument};
use waybill_simulator::hubspot::Settings;

use crate::account::{Account, field, person, property, record};

struct Customers(Account);

#[async_trait]
impl Bench<CustomerDocument> for Customers {
    fn sink(&self) -> &dyn Sink<CustomerDocument> {
        &self.0.hubspot
    }

    fn record(&self, n: usize) -> RecordKey {
        record(Kind::Customer, n)
    }

    fn document(&self, n: usize) -> CustomerDocument {
        person(n)
    }

    fn changed(&self, document: &CustomerDocument) -> CustomerDocument {
        let mut changed = document.clone();
        changed.fields.insert("firstname".to_owned(), field("Joanna"));
        changed
    }

    fn refused(&self, n: usize) -> Option<CustomerDocument> {
        Some(CustomerDocument { email: Personal::new(format!("person{n}@example.con")), ..person(n) })
    }

    async fn objects(&self, document: &CustomerDocument) -> usize {
        let all = self.0.all("contacts", "email").await;
        all.iter().filter(|contact| property(contact, "email") == document.email.expose()).count()
    }

    async fn holds(&self, document: &CustomerDocument) -> bool {
        let all = self.0.all("contacts", "email,firstname,lastname,waybill_key").await;
        let found = all.iter().find(|contact| property(contact, "waybill_key") == document.key.as_str());
        found.is_some_and(|contact| {
            property(contact, "email") == document.email.expose()
                && document.fields.iter().all(|(name, value)| property(contact, name) == value.to_text())
        })
    }

    async fn writes(&self) -> usize {
        self.0.running.journal.entries().len()
    }

    async fn lose(&self, document: &CustomerDocument) {
        self.0.delete("contacts", document.key.as_str()).await;
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

waybill_connector::contract_tests!(CustomerDocument, Customers(Account::ready().await));
waybill_connector::contract_tests!(CustomerDocument, Customers(Account::ready().await), [a_look_tells_what_was_lost]);

/// The suite on an account that answers upserts by e-mail per input.
mod where_upserts_by_email_are_partial {
    use super::*;

    waybill_connector::contract_tests!(
        CustomerDocument,
        Customers(Account::ready_with(Settings { partial_by_email: true, ..Settings::default() }).await),
        [a_refused_document_is_rejected, a_batch_answers_in_order]
    );
}
