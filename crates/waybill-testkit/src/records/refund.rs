//! Refunds that read as prose: `refund_of(&order).of_line(0, 1).with_shipping("4.90").at_revision(1)`.

use std::borrow::Borrow;

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use waybill_domain::{
    Body, Kind, Money, MoneyPair, RecordId, Snapshot,
    order::{Order, Refund, RefundLine},
};

use super::{PLACED_AT, euro, snapshot};

/// A refund under construction: an hour after its order was placed, of nothing yet.
#[derive(Debug, Clone)]
pub struct RefundBuilder {
    order: Order,
    refund: Refund,
    shipping: Decimal,
    allowance: Decimal,
    pending: bool,
}

/// A refund of an order, built or still under construction: `refund_of(&order).of_line(0, 1).with_shipping("4.90")`.
pub fn refund_of(order: &impl Borrow<Order>) -> RefundBuilder {
    let order: &Order = order.borrow();
    RefundBuilder {
        refund: Refund {
            id: RecordId::from(500),
            order_id: order.id.clone(),
            created_at: Timestamp::from_second(PLACED_AT + 3600).expect("a time"),
            refunded: None,
            lines: Vec::new(),
            note: String::new(),
        },
        order: order.clone(),
        shipping: Decimal::ZERO,
        allowance: Decimal::ZERO,
        pending: false,
    }
}

impl RefundBuilder {
    /// Another id than 500.
    #[must_use]
    pub fn numbered(mut self, id: u64) -> Self {
        self.refund.id = RecordId::from(id);
        self
    }

    /// So many units of one of the order's lines, counted from 0, at what they cost with their share of its taxes.
    #[must_use]
    pub fn of_line(mut self, line: usize, units: i64) -> Self {
        let line = &self.order.lines[line];
        let share = |whole: Decimal| {
            let part = whole * Decimal::from(units) / Decimal::from(line.quantity);
            MoneyPair::same(Money::new(part.round_dp_with_strategy(2, MidpointAwayFromZero), euro()))
        };
        let value = line.unit_price.shop.amount * Decimal::from(line.quantity) - line.discount.shop.amount;
        self.refund.lines.push(RefundLine {
            line_id: line.id.clone(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            taxes: line.taxes.clone(),
            quantity: units,
            subtotal: share(value),
            tax: share(line.taxes.iter().map(|tax| tax.amount.shop.amount).sum()),
        });
        self
    }

    /// All units of all lines that are left on the order.
    #[must_use]
    pub fn of_everything(mut self) -> Self {
        for line in 0..self.order.lines.len() {
            let units = self.order.lines[line].current_quantity;
            if units > 0 {
                self = self.of_line(line, units);
            }
        }
        self
    }

    /// So much of the shipping price as well, tax included.
    #[must_use]
    pub fn with_shipping(mut self, amount: &str) -> Self {
        self.shipping += amount.parse::<Decimal>().expect("an amount");
        self
    }

    /// So much more for nothing that came back; a negative amount is kept back, such as a return fee.
    #[must_use]
    pub fn with_allowance(mut self, amount: &str) -> Self {
        self.allowance += amount.parse::<Decimal>().expect("an amount");
        self
    }

    /// The reason that staff wrote.
    #[must_use]
    pub fn noted(mut self, note: &str) -> Self {
        note.clone_into(&mut self.refund.note);
        self
    }

    /// The money is not back yet.
    #[must_use]
    pub fn still_pending(mut self) -> Self {
        self.pending = true;
        self
    }

    /// The refund.
    pub fn build(self) -> Refund {
        let included = self.order.taxes_included;
        let worth = |line: &RefundLine| {
            let tax = if included { Decimal::ZERO } else { line.tax.shop.amount };
            line.subtotal.shop.amount + tax
        };
        let back = self.refund.lines.iter().map(worth).sum::<Decimal>() + self.shipping + self.allowance;
        let refunded = (!self.pending && !back.is_zero()).then(|| MoneyPair::same(Money::new(back, euro())));
        Refund { refunded, ..self.refund }
    }

    /// Its snapshot at a revision of store `main`.
    pub fn at_revision(self, number: i64) -> Snapshot {
        let refund = self.build();
        snapshot(Kind::Refund, refund.id.clone(), number, Body::Refund(refund))
    }
}

#[cfg(test)]
mod tests {
    use waybill_domain::{Body, Kind};

    use super::refund_of;
    use crate::records::{OrderBuilder, order};

    fn taxed() -> OrderBuilder {
        order(1001).paid().with_line("TEE-M", 3, "10.00").discounted("1.00").taxed("VAT", "0.2", "5.80")
    }

    #[test]
    fn a_refund_is_worth_its_share_of_the_line_and_what_goes_back_beside_it() {
        let refund = refund_of(&taxed()).of_line(0, 1).with_shipping("4.90").with_allowance("-1.00").build();
        let line = &refund.lines[0];
        assert_eq!((line.sku.as_str(), line.taxes.len()), ("TEE-M", 1));
        assert_eq!((line.subtotal.shop.to_string(), line.tax.shop.to_string()), ("9.67 EUR".into(), "1.93 EUR".into()));
        assert_eq!(refund.refunded.unwrap().shop.to_string(), "15.50 EUR");
    }

    #[test]
    fn a_tax_within_the_price_goes_back_with_it() {
        let order = taxed().tax_included();
        assert_eq!(refund_of(&order).of_everything().build().refunded.unwrap().shop.to_string(), "29.00 EUR");
    }

    #[test]
    fn a_refund_on_its_order_takes_its_units_off() {
        let order = taxed();
        let refund = refund_of(&order).of_line(0, 2).build();
        let order = order.with_refund(refund).build();
        assert_eq!((order.lines[0].current_quantity, order.refunds.len()), (1, 1));
        assert_eq!(refund_of(&order).of_everything().build().lines[0].quantity, 1);
    }

    #[test]
    fn a_refund_whose_money_is_pending_has_none_yet() {
        assert_eq!(refund_of(&taxed()).of_line(0, 1).still_pending().build().refunded, None);
    }

    #[test]
    fn a_refund_is_a_record_of_its_own() {
        let snapshot = refund_of(&taxed()).numbered(7).noted("Too small").with_allowance("2.00").at_revision(3);
        assert_eq!((snapshot.key.kind, snapshot.key.id.as_str(), snapshot.revision.number), (Kind::Refund, "7", 3));
        let Some(Body::Refund(refund)) = snapshot.body else { panic!("a refund") };
        assert_eq!((refund.lines.len(), refund.note.as_str(), refund.order_id.as_str()), (0, "Too small", "1001"));
    }
}
