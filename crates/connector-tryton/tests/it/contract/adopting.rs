//! The suite where orders' buyers and sales are in Tryton from before us.

use async_trait::async_trait;
use serde_json::json;
use waybill_connector::{
    Sink,
    contract::{self, Trouble},
};
use waybill_domain::{document::OrderDocument, names::RecordKey};

use crate::{
    before_us::{counts, field, lines, matched_by, only_fields, recognised, rule},
    bench::Bench,
    documents::{order, order_record, with_comment},
};

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
