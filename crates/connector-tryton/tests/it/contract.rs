//! The contract suite, on both Trytons.

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
    before_us::{counts, field, lines, matched_by, only_fields, recognised, rule},
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

/// Orders whose buyers and sales are in Tryton from before us, where the suite asks for them.
struct Adopting {
    bench: Bench,
    /// How many sales there are: no more may come.
    sales: i64,
    parties: i64,
    /// Whether only the comment is ours.
    only_comment: bool,
}

impl Adopting {
    async fn with(bench: Bench, only_comment: bool) -> Self {
        let numbers = [0..2, 400..445, 500..545, 600..645, 700..745, 1000..1015];
        let orders: Vec<OrderDocument> = numbers.into_iter().flatten().map(order).collect();
        let parties: Vec<_> = orders
            .iter()
            .map(|order| {
                let email = order.customer.as_ref().unwrap().email.expose();
                json!({"name": "By hand", "contact_mechanisms": [["create", [{"type": "email", "value": email}]]]})
            })
            .collect();
        let parties = bench.vendor.model("party.party.create", json!([parties])).await;
        let lines = lines(&bench, &orders[0]).await;
        let sales: Vec<_> = orders
            .iter()
            .zip(parties.as_array().unwrap())
            .map(|(order, party)| json!({"party": party, "description": order.name, "lines": [["create", [lines[0]]]]}))
            .collect();
        bench.vendor.model("sale.sale.create", json!([sales])).await;
        let [parties, _, _, sales] = counts(&bench).await;
        Self { bench, sales, parties, only_comment }
    }
}

#[async_trait]
impl contract::Bench<OrderDocument> for Adopting {
    fn sink(&self) -> &dyn Sink<OrderDocument> {
        self.bench.orders()
    }
    fn record(&self, n: usize) -> RecordKey {
        order_record(n)
    }
    fn document(&self, n: usize) -> OrderDocument {
        let order = recognised(order(n));
        if self.only_comment { only_fields(order, &["comment"]) } else { order }
    }
    fn changed(&self, document: &OrderDocument) -> OrderDocument {
        with_comment(document.clone(), "ring twice")
    }
    fn refused(&self, n: usize) -> Option<OrderDocument> {
        let mut order = self.document(n);
        order.policy = matched_by(vec![rule(field("colour"), "red")]);
        Some(order)
    }
    async fn objects(&self, document: &OrderDocument) -> usize {
        let [parties, _, _, sales] = counts(&self.bench).await;
        assert_eq!((parties, sales), (self.parties, self.sales), "parties and sales");
        self.bench.sales(document).await.len()
    }
    async fn holds(&self, document: &OrderDocument) -> bool {
        let sale = &self.bench.sales(document).await[0];
        let is_written = sale["lines."].as_array().unwrap().len() == 3 && sale["state"] == "processing";
        let is_left = sale["lines."].as_array().unwrap().len() == 1 && sale["state"] == "draft";
        let comment = document.fields["comment"].to_text();
        sale["comment"] == json!(comment) && if self.only_comment { is_left } else { is_written }
    }
    async fn writes(&self) -> usize {
        self.bench.journal().entries().len()
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
}

/// The rules that are about records that are there; the others make new ones.
macro_rules! adopting_tests {
    ($only_comment:literal $(, $more:ident)?) => {
        waybill_connector::contract_tests!(
            waybill_domain::document::OrderDocument,
            super::Adopting::with(crate::bench::Bench::simulated().await, $only_comment).await,
            [
                a_second_upsert_makes_no_second_object,
                an_update_changes_and_does_not_add,
                a_cut_before_acting_ends_in_one_object,
                a_cut_after_acting_ends_in_one_object,
                an_error_after_acting_ends_in_one_object,
                an_update_cut_after_acting_ends_in_one_changed_object,
                $($more,)?
            ]
        );
    };
}

mod adopted_orders {
    adopting_tests!(false, a_batch_answers_in_order);
}

/// A batch is looked up by documents alone, without what was remembered: the addresses, which were never to be made,
/// are not found.
mod adopted_orders_of_which_one_field_is_ours {
    adopting_tests!(true);
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
