//! Refunds, as staff make them, and what they bring back to the shelves.

use std::collections::HashSet;

use rust_decimal::Decimal;

use super::{
    money::Pair,
    order::{Order, Restock},
    store::Store,
};

/// Goods of one refund that were put back on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedGoods {
    /// The refund's id.
    pub refund: u64,
    /// The order's id.
    pub order: u64,
    /// What came back: code of the place, SKU, units.
    pub content: Vec<(&'static str, String, i64)>,
}

impl Store {
    /// Pays money back without taking goods back.
    pub fn refund_money(&self, order: u64, amount: Decimal, note: &str) {
        self.change(|state| {
            let Some(exchange) = state.orders.get(&order).map(|order| order.exchange.clone()) else { return };
            state.refund(order, &[], Restock::No, false, exchange.pair(amount), Some(note));
        });
    }

    /// Takes units of a line back and pays their worth. What was sent stays off the shelf.
    pub fn refund_units(&self, order: u64, line: u64, units: i64, note: &str) {
        self.change(|state| {
            let Some(known) = state.orders.get(&order).cloned() else { return };
            let Some(one) = known.line(line) else { return };
            let (value, tax) = one.worth(units.min(one.current()), &known.exchange);
            let sent = one.fulfilled > 0;
            let restock = if sent { Restock::No } else { Restock::Cancel };
            state.refund(order, &[(line, units)], restock, false, with_tax(&known, value, tax), Some(note));
        });
    }

    /// Pays back what is left of the shipping price. False if nothing is: then nothing happens.
    pub fn refund_shipping(&self, order: u64, note: &str) -> bool {
        self.change(|state| {
            let Some(known) = state.orders.get(&order).cloned() else { return false };
            let open = known.shipping_lines.iter().filter(|line| !known.current_price(line).is_zero());
            let money: Pair = open.map(|line| with_tax(&known, known.current_price(line), line.tax())).sum();
            if money.is_zero() {
                return false;
            }
            state.refund(order, &[], Restock::No, true, money, Some(note));
            true
        })
    }

    /// Takes back all that is left of an order that was sent, puts it on the shelf again, and pays back all that is
    /// left of the money, shipping included.
    pub fn refund_all(&self, order: u64, note: &str) {
        self.change(|state| {
            let Some(known) = state.orders.get(&order).cloned() else { return };
            if known.fulfillment_status() != Some("fulfilled") {
                return;
            }
            let lines: Vec<(u64, i64)> = known.lines.iter().map(|line| (line.id, line.current())).collect();
            let money = known.received() - known.refunded();
            state.refund(order, &lines, Restock::Return, true, money, Some(note));
        });
    }

    /// What sent goods were put back on the shelf by refunds, except by those given.
    pub fn returned_goods(&self, except: &HashSet<u64>) -> Vec<ReturnedGoods> {
        let state = self.state();
        let mut returned = Vec::new();
        for order in state.orders.values() {
            for refund in order.refunds.iter().filter(|refund| !except.contains(&refund.id)) {
                let back = refund.lines.iter().filter(|line| line.restock == Restock::Return);
                let content: Vec<_> = back
                    .filter_map(|line| {
                        let sku = order.line(line.line)?.sku.clone()?;
                        Some((state.place_code(line.location?), sku, line.quantity))
                    })
                    .collect();
                if !content.is_empty() {
                    returned.push(ReturnedGoods { refund: refund.id, order: order.id, content });
                }
            }
        }
        returned
    }
}

fn with_tax(order: &Order, value: Pair, tax: Pair) -> Pair {
    if order.taxes_included { value } else { value + tax }
}
