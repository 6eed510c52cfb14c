//! An order's refunds are records of their own, however the order came: a lost `refunds/create` loses nothing.

use waybill_domain::{Body, order::Refund};

/// The refunds that a record's state tells, by id: the order in which their rows are locked everywhere.
pub(crate) fn told_by(body: Option<&Body>) -> Vec<Refund> {
    let Some(Body::Order(order)) = body else { return Vec::new() };
    let mut refunds = order.refunds.clone();
    refunds.sort_by(|a, b| a.id.cmp(&b.id));
    refunds
}

#[cfg(test)]
mod tests {
    use waybill_domain::Body;
    use waybill_testkit::records::{order, refund_of};

    use super::told_by;

    #[test]
    fn refunds_come_in_one_order_whatever_their_orders() {
        let order = order(1001).with_line("TEE-M", 2, "24.00");
        let [late, early] = [9, 5].map(|id| refund_of(&order).numbered(id).of_line(0, 1).build());
        let order = order.with_refund(late).with_refund(early).build();
        let told = told_by(Some(&Body::Order(Box::new(order))));
        assert_eq!(told.iter().map(|refund| refund.id.as_str()).collect::<Vec<_>>(), ["5", "9"]);
        assert!(told_by(None).is_empty());
    }
}
