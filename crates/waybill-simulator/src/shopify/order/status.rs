//! How far an order is paid and sent.

use super::{FulfillmentOrderStatus, Order, TransactionKind};
use crate::shopify::money::Pair;

impl Order {
    fn moved(&self, kinds: &[TransactionKind]) -> Pair {
        self.transactions.iter().filter(|one| kinds.contains(&one.kind)).map(|one| one.amount).sum()
    }

    /// Captured or paid at once.
    pub(crate) fn received(&self) -> Pair {
        self.moved(&[TransactionKind::Capture, TransactionKind::Sale])
    }

    /// Went back.
    pub(crate) fn refunded(&self) -> Pair {
        self.moved(&[TransactionKind::Refund])
    }

    /// Reserved and neither captured nor released.
    pub(crate) fn capturable(&self) -> Pair {
        if self.moved(&[TransactionKind::Void]).is_zero() {
            let open = self.moved(&[TransactionKind::Authorization]) - self.moved(&[TransactionKind::Capture]);
            if open.shop.is_sign_negative() { Pair::default() } else { open }
        } else {
            Pair::default()
        }
    }

    /// What is still to be paid; negative if the buyer is owed.
    pub(crate) fn outstanding(&self) -> Pair {
        self.totals().current_total - self.received() + self.refunded()
    }

    /// Shopify's financial status, as webhook bodies write it.
    pub(crate) fn financial_status(&self) -> &'static str {
        let (received, refunded) = (self.received().shop, self.refunded().shop);
        if received.is_zero() {
            let authorized = !self.moved(&[TransactionKind::Authorization]).is_zero();
            return match (authorized, self.capturable().is_zero()) {
                (true, false) => "authorized",
                (true, true) => "voided",
                (false, _) if self.cancelled.is_some() => "voided",
                (false, _) => "pending",
            };
        }
        if refunded >= received {
            "refunded"
        } else if !refunded.is_zero() {
            "partially_refunded"
        } else if self.outstanding().shop.is_sign_positive() && !self.outstanding().shop.is_zero() {
            "partially_paid"
        } else {
            "paid"
        }
    }

    /// Shopify's fulfilment status, as webhook bodies write it; none if nothing was sent.
    pub(crate) fn fulfillment_status(&self) -> Option<&'static str> {
        let sent: i64 = self.lines.iter().map(|line| line.fulfilled).sum();
        let to_send: i64 = self.lines.iter().map(|line| (line.current() - line.fulfilled).max(0)).sum();
        match (sent, to_send) {
            (0, _) => None,
            (_, 0) => Some("fulfilled"),
            _ => Some("partial"),
        }
    }

    /// Whether a location still has something to send.
    pub(crate) fn fulfillable(&self) -> bool {
        self.fulfillment_orders.iter().any(|order| order.status != FulfillmentOrderStatus::Closed)
    }

    /// Units of a line that are still to be sent.
    pub(crate) fn fulfillable_quantity(&self, line: u64) -> i64 {
        self.fulfillment_orders
            .iter()
            .filter(|order| order.status != FulfillmentOrderStatus::Closed)
            .flat_map(|order| &order.lines)
            .filter(|one| one.line == line)
            .map(|one| one.remaining)
            .sum()
    }

    /// Who moved the money; none if no money moved.
    pub(crate) fn payment_gateways(&self) -> Vec<&'static str> {
        if self.transactions.is_empty() { Vec::new() } else { vec!["shopify_payments"] }
    }
}
