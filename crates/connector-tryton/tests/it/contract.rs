//! The contract suite, on both Trytons.

mod adopting;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use waybill_connector::{
    Known, Sink,
    contract::{self, Trouble},
};
use waybill_domain::{
    document::{CustomerDocument, FieldValue, OrderDocument, RefundDocument},
    names::RecordKey,
};
use waybill_simulator::kit::{Fault, FaultKind};

use crate::{
    bench::Bench,
    documents::{customer, customer_record, order, order_record, refund, refund_record, with_comment},
};

fn fault(trouble: Trouble) -> Fault {
    let kind = match trouble {
        Trouble::TooManyRequests { retry_after_s } => FaultKind::TooManyRequests { retry_after_s },
        Trouble::Unauthorized => FaultKind::Unauthorized,
        Trouble::ServerError => FaultKind::ServerError,
        Trouble::CutBefore => FaultKind::CutBefore,
        Trouble::CutAfter => FaultKind::CutAfter,
        Trouble::ErrorAfter => FaultKind::ErrorAfter,
        Trouble::ErrorIn200 => FaultKind::ErrorIn200,
    };
    Fault { kind, times: 1, path: String::new(), body: String::new() }
}

impl Bench {
    /// A refused session is opened anew once, so that credentials are refused where the login is refused too.
    fn trouble(&self, trouble: Trouble, skip: usize) {
        self.faults().add_after(skip, fault(trouble));
        if trouble == Trouble::Unauthorized {
            self.faults().add(Fault { body: "common.db.login".to_owned(), ..fault(trouble) });
        }
    }

    fn troubled(&self) -> bool {
        self.faults().pending()
    }

    fn lift(&self) {
        self.faults().clear();
    }
}

/// Tryton states no wait; the kit's own is used.
const WAIT: Duration = Duration::from_secs(10);

#[async_trait]
impl contract::Bench<OrderDocument> for Bench {
    fn sink(&self) -> &dyn Sink<OrderDocument> {
        &self.connector
    }
    fn record(&self, n: usize) -> RecordKey {
        order_record(n)
    }
    fn document(&self, n: usize) -> OrderDocument {
        order(n)
    }
    fn changed(&self, document: &OrderDocument) -> OrderDocument {
        with_comment(document.clone(), "ring twice")
    }
    fn refused(&self, n: usize) -> Option<OrderDocument> {
        let mut order = order(n);
        order.lines[0].item = "NOBODY-SELLS-THIS".to_owned();
        Some(order)
    }
    async fn objects(&self, document: &OrderDocument) -> usize {
        self.sales(document).await.len()
    }
    async fn holds(&self, document: &OrderDocument) -> bool {
        let sale = &self.sales(document).await[0];
        let comment = document.fields["comment"].to_text();
        let total = sale["total_amount"]["decimal"].as_str().unwrap();
        sale["comment"] == json!(comment) && total == document.total.to_string() && sale["state"] == "processing"
    }
    async fn writes(&self) -> usize {
        self.journal().entries().len()
    }

    async fn lose(&self, document: &OrderDocument) {
        self.lose("sale.sale", document.key.as_str());
    }

    async fn double(&self, document: &OrderDocument) {
        self.copy(&self.sale(document).await, document.key.as_str()).await;
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.trouble(trouble, skip);
    }
    async fn pending(&self) -> bool {
        self.troubled()
    }
    async fn clear(&self) {
        self.lift();
    }
    fn stated_wait(&self, _retry_after_s: u64) -> Duration {
        WAIT
    }
}

#[async_trait]
impl contract::Bench<CustomerDocument> for Bench {
    fn sink(&self) -> &dyn Sink<CustomerDocument> {
        &self.connector
    }
    fn record(&self, n: usize) -> RecordKey {
        customer_record(n)
    }
    fn document(&self, n: usize) -> CustomerDocument {
        customer(n)
    }
    fn changed(&self, document: &CustomerDocument) -> CustomerDocument {
        CustomerDocument { last_name: "Doe".into(), email: "doe@example.com".into(), ..document.clone() }
    }
    fn refused(&self, n: usize) -> Option<CustomerDocument> {
        let mut customer = customer(n);
        customer.fields.insert("colour".to_owned(), FieldValue::Text("red".into()));
        Some(customer)
    }
    async fn objects(&self, document: &CustomerDocument) -> usize {
        self.parties(document).await.len()
    }
    async fn holds(&self, document: &CustomerDocument) -> bool {
        let party = &self.parties(document).await[0];
        party["name"] == json!(document.display_name().expose()) && party["email"] == json!(document.email.expose())
    }
    async fn writes(&self) -> usize {
        self.journal().entries().len()
    }

    async fn lose(&self, document: &CustomerDocument) {
        self.lose("party.party", document.key.as_str());
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.trouble(trouble, skip);
    }
    async fn pending(&self) -> bool {
        self.troubled()
    }
    async fn clear(&self) {
        self.lift();
    }
    fn stated_wait(&self, _retry_after_s: u64) -> Duration {
        WAIT
    }
}

/// One order in processing, whose refunds are written.
struct Refunded {
    bench: Bench,
    order: OrderDocument,
}

impl Refunded {
    async fn of(bench: Bench) -> Self {
        let order = order(1);
        bench.book(1, &order, Known::new()).await.unwrap();
        Self { bench, order }
    }
}

#[async_trait]
impl contract::Bench<RefundDocument> for Refunded {
    fn sink(&self) -> &dyn Sink<RefundDocument> {
        self.bench.refunds()
    }
    fn record(&self, n: usize) -> RecordKey {
        refund_record(n)
    }
    fn document(&self, n: usize) -> RefundDocument {
        refund(n, &self.order)
    }
    fn changed(&self, document: &RefundDocument) -> RefundDocument {
        let mut changed = document.clone();
        changed.fields.insert("comment".to_owned(), FieldValue::Text("torn".into()));
        changed
    }
    fn refused(&self, n: usize) -> Option<RefundDocument> {
        let mut refund = refund(n, &self.order);
        refund.lines[0].item = "NOBODY-SELLS-THIS".to_owned();
        Some(refund)
    }
    async fn objects(&self, document: &RefundDocument) -> usize {
        self.bench.returns(document).await.len()
    }
    async fn holds(&self, document: &RefundDocument) -> bool {
        let sale = &self.bench.returns(document).await[0];
        let comment = document.fields["comment"].to_text();
        let total = sale["total_amount"]["decimal"].as_str().unwrap();
        sale["comment"] == json!(comment) && total == (-document.total).to_string() && sale["state"] == "processing"
    }
    async fn writes(&self) -> usize {
        self.bench.journal().entries().len()
    }

    async fn lose(&self, document: &RefundDocument) {
        self.bench.lose("sale.sale", document.key.as_str());
    }

    async fn double(&self, document: &RefundDocument) {
        self.bench.copy(&self.bench.returned(document).await, document.key.as_str()).await;
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.bench.trouble(trouble, skip);
    }
    async fn pending(&self) -> bool {
        self.bench.troubled()
    }
    async fn clear(&self) {
        self.bench.lift();
    }
    fn stated_wait(&self, _retry_after_s: u64) -> Duration {
        WAIT
    }
}

mod refunds {
    use waybill_domain::document::RefundDocument;

    waybill_connector::contract_tests!(
        RefundDocument,
        super::Refunded::of(crate::bench::Bench::simulated().await).await
    );
    waybill_connector::contract_tests!(
        RefundDocument,
        super::Refunded::of(crate::bench::Bench::simulated().await).await,
        [a_look_tells_what_was_lost, a_look_tells_of_two_and_leaves_both]
    );
}

mod orders {
    use waybill_domain::document::OrderDocument;

    waybill_connector::contract_tests!(OrderDocument, crate::bench::Bench::simulated().await);
    waybill_connector::contract_tests!(
        OrderDocument,
        crate::bench::Bench::simulated().await,
        [a_look_tells_what_was_lost, a_look_tells_of_two_and_leaves_both]
    );
}

mod customers {
    use waybill_domain::document::CustomerDocument;

    waybill_connector::contract_tests!(CustomerDocument, crate::bench::Bench::simulated().await);
    waybill_connector::contract_tests!(
        CustomerDocument,
        crate::bench::Bench::simulated().await,
        [a_look_tells_what_was_lost]
    );
}

/// The same rules, where there is a real Tryton.
macro_rules! real_contract_tests {
    ($document:ty, $prepared:expr, [$($rule:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $rule() {
                if let Some(bench) = crate::bench::Bench::real().await {
                    waybill_connector::contract::rules::$rule::<$document>(&$prepared(bench).await).await;
                }
            }
        )+
    };
}

mod real_orders {
    use waybill_domain::document::OrderDocument;

    real_contract_tests!(
        OrderDocument,
        std::future::ready,
        [
            a_second_upsert_makes_no_second_object,
            an_update_changes_and_does_not_add,
            a_limit_is_reported_with_the_vendors_wait,
            refused_credentials_are_unauthorized,
            a_server_error_is_transient_or_ambiguous,
            a_cut_before_acting_ends_in_one_object,
            a_cut_after_acting_ends_in_one_object,
            an_error_after_acting_ends_in_one_object,
            an_update_cut_after_acting_ends_in_one_changed_object,
            an_error_body_in_a_200_is_never_success,
            a_refused_document_is_rejected,
            a_batch_answers_in_order,
            an_unknown_key_is_not_found,
        ]
    );
}

mod real_customers {
    use waybill_domain::document::CustomerDocument;

    real_contract_tests!(
        CustomerDocument,
        std::future::ready,
        [
            a_second_upsert_makes_no_second_object,
            an_update_changes_and_does_not_add,
            a_cut_after_acting_ends_in_one_object,
            an_update_cut_after_acting_ends_in_one_changed_object,
            a_refused_document_is_rejected,
            a_batch_answers_in_order,
            an_unknown_key_is_not_found,
        ]
    );
}

mod real_refunds {
    use waybill_domain::document::RefundDocument;

    real_contract_tests!(
        RefundDocument,
        super::Refunded::of,
        [
            a_second_upsert_makes_no_second_object,
            an_update_changes_and_does_not_add,
            a_cut_after_acting_ends_in_one_object,
            an_update_cut_after_acting_ends_in_one_changed_object,
            a_refused_document_is_rejected,
            a_batch_answers_in_order,
            an_unknown_key_is_not_found,
        ]
    );
}
