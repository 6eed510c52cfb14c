//! What happens to an order once it is placed: paid, edited, cancelled, refunded.

use rust_decimal::Decimal;
use serde_json::json;

use super::{
    clock::Moment,
    money::Pair,
    order::{Order, Refund, RefundLine, RefundShippingLine, Restock, Transaction, TransactionKind},
    placing::NewLine,
    state::{About, State},
};

impl State {
    fn transaction(&mut self, order: u64, kind: TransactionKind, amount: Pair) -> u64 {
        let id = self.ids.next("OrderTransaction");
        if let Some(order) = self.order_mut(order) {
            let parent = match kind {
                TransactionKind::Authorization | TransactionKind::Sale => None,
                _ => order.transactions.first().map(|first| first.id),
            };
            order.transactions.push(Transaction { id, kind, amount, parent, at: Moment::now() });
        }
        id
    }

    /// Reserves what is to be paid.
    pub(crate) fn authorize(&mut self, order: u64) {
        let Some(amount) = self.orders.get(&order).map(|order| order.outstanding()) else { return };
        self.transaction(order, TransactionKind::Authorization, amount);
        self.tell("orders/updated", About::Order(order));
    }

    /// Takes what is still to be paid: a capture no more than was reserved. Once all is paid, what needs no parcel is
    /// handed over.
    pub(crate) fn pay(&mut self, id: u64, kind: TransactionKind) {
        let Some(order) = self.orders.get(&id) else { return };
        let mut amount = order.outstanding();
        if kind == TransactionKind::Capture && amount.shop > order.capturable().shop {
            amount = order.capturable();
        }
        if amount.shop <= Decimal::ZERO {
            return;
        }
        self.transaction(id, kind, amount);
        if self.orders.get(&id).is_some_and(|order| order.outstanding().shop <= Decimal::ZERO) {
            self.tell("orders/paid", About::Order(id));
            self.hand_over(id);
        }
        self.tell("orders/updated", About::Order(id));
    }

    /// Edits an order: units taken off lines, and lines added. Nothing is paid or refunded by it.
    pub(crate) fn edit(&mut self, id: u64, removals: &[(u64, i64)], additions: Vec<NewLine>) {
        let Some(order) = self.orders.get(&id).cloned() else { return };
        let mut order = (*order).clone();
        let mut taken = Vec::new();
        for (line, units) in removals {
            let Some(one) = order.line_mut(*line) else { continue };
            let units = (*units).min(one.current() - one.fulfilled);
            if units > 0 {
                one.removed += units;
                self.unroute(&mut order, *line, units, true);
                taken.push(json!({"id": line, "delta": units}));
            }
        }
        let mut added = Vec::new();
        for line in additions {
            let (exchange, included) = (order.exchange.clone(), order.taxes_included);
            let line = self.new_line(usize::MAX, &line, &[], included, &exchange);
            added.push(json!({"id": line.id, "delta": line.quantity}));
            let units = line.quantity;
            order.lines.push(line);
            let last = order.lines.len() - 1;
            self.route(&mut order, last, units, true);
        }
        let now = Moment::now();
        order.edited = true;
        order.updated_at = now;
        self.orders.insert(id, std::sync::Arc::new(order));
        let edit = json!({"order_edit": {
            "id": self.ids.next("OrderEdit"),
            "app_id": null,
            "created_at": now.local(),
            "committed_at": now.local(),
            "notify_customer": false,
            "order_id": id,
            "staff_note": "",
            "user_id": null,
            "line_items": {"additions": added, "removals": taken},
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }});
        self.tell("orders/edited", About::Edit(edit));
        self.tell("orders/updated", About::Order(id));
    }

    /// Cancels an order that was not sent: all units are taken off, reserved money is released, paid money goes back.
    pub(crate) fn cancel(&mut self, id: u64, reason: &'static str) {
        let Some(order) = self.orders.get(&id) else { return };
        if order.cancelled.is_some() || order.lines.iter().any(|line| line.fulfilled > 0) {
            return;
        }
        let paid = order.received() - order.refunded();
        let lines: Vec<(u64, i64)> = order.lines.iter().map(|line| (line.id, line.current())).collect();
        if !order.capturable().is_zero() {
            let reserved = order.capturable();
            self.transaction(id, TransactionKind::Void, reserved);
        }
        self.refund(id, &lines, Restock::Cancel, true, paid, None);
        let now = Moment::now();
        if let Some(order) = self.order_mut(id) {
            order.cancelled = Some((now, reason));
            order.closed_at = Some(now);
        }
        self.tell("orders/cancelled", About::Order(id));
        self.tell("orders/updated", About::Order(id));
    }

    /// Takes back units and shipping and pays money back. Money beyond or short of that is a discrepancy.
    pub(crate) fn refund(
        &mut self,
        id: u64,
        units: &[(u64, i64)],
        restock: Restock,
        shipping: bool,
        money: Pair,
        note: Option<&str>,
    ) {
        let Some(order) = self.orders.get(&id).cloned() else { return };
        let mut order = (*order).clone();
        let now = Moment::now();
        let mut lines = Vec::new();
        for (line, units) in units.iter().filter(|(_, units)| *units > 0) {
            let Some(one) = order.line_mut(*line) else { continue };
            let units = (*units).min(one.current());
            one.refunded += units;
            let one = one.clone();
            let (subtotal, tax) = one.worth(units, &order.exchange);
            // What has no stock cannot be put back.
            let restock = if restock == Restock::Return && !one.requires_shipping { Restock::No } else { restock };
            let location = match restock {
                Restock::No => None,
                Restock::Cancel => self.unroute(&mut order, one.id, units, true),
                Restock::Return => self.put_back(&order, one.id, units),
            };
            let refund_line = self.ids.next("RefundLineItem");
            lines.push(RefundLine { id: refund_line, line: one.id, quantity: units, restock, location, subtotal, tax });
        }
        let shipping = if shipping { self.shipping_back(&order) } else { Vec::new() };
        let on_top = |tax: Pair| if order.taxes_included { Pair::default() } else { tax };
        let suggested: Pair = lines.iter().map(|line| line.subtotal + on_top(line.tax)).sum::<Pair>()
            + shipping.iter().map(|line| line.subtotal + on_top(line.tax)).sum::<Pair>();
        let mut transactions = Vec::new();
        let refund_id = self.ids.next("Refund");
        let discrepancy =
            (!money.is_zero() && money != suggested).then(|| (self.ids.next("OrderAdjustment"), suggested - money));
        order.updated_at = now;
        self.orders.insert(id, std::sync::Arc::new(order));
        if !money.is_zero() {
            transactions.push(self.transaction(id, TransactionKind::Refund, money));
        }
        let note = note.map(str::to_owned);
        let refund = Refund { id: refund_id, at: now, note, lines, shipping, discrepancy, transactions };
        if let Some(order) = self.order_mut(id) {
            order.refunds.push(refund);
        }
        self.tell("refunds/create", About::Refund(id, refund_id));
        self.tell("orders/updated", About::Order(id));
    }

    /// The charges for shipping that were not given back yet.
    fn shipping_back(&mut self, order: &Order) -> Vec<RefundShippingLine> {
        let open = order.shipping_lines.iter().filter(|line| !order.current_price(line).is_zero());
        open.map(|line| RefundShippingLine {
            id: self.ids.next("RefundShippingLine"),
            line: line.id,
            subtotal: order.current_price(line),
            tax: line.tax(),
        })
        .collect()
    }

    /// Puts units that came back on the shelf of the place that sent them. Returns the location.
    fn put_back(&mut self, order: &Order, line: u64, units: i64) -> Option<u64> {
        let sent =
            order.fulfillments.iter().find(|one| !one.cancelled && one.lines.iter().any(|part| part.line == line));
        let (location, item) = (sent?.location, order.line(line)?.inventory_item_id?);
        self.restock(item, location, units);
        Some(location)
    }
}
