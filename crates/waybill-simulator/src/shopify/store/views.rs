//! The store as the day looks at it.

use std::collections::HashSet;

use rust_decimal::Decimal;

use super::Store;
use crate::shopify::order::Line;

/// A line of an order, as the day looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// The line's id.
    pub id: u64,
    /// The merchant's own code.
    pub sku: Option<String>,
    /// Units still on the order.
    pub current: i64,
    /// Whether it is sent in a parcel.
    pub requires_shipping: bool,
}

/// An order, as the day looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Its id.
    pub id: u64,
    /// What people call it.
    pub name: String,
    /// As webhook bodies write it.
    pub financial_status: &'static str,
    /// As webhook bodies write it.
    pub fulfillment_status: Option<&'static str>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Its lines.
    pub lines: Vec<LineView>,
    /// What was asked and not taken back, in the shop's currency.
    pub current_total: Decimal,
}

/// An order whose goods were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentOrder {
    /// Its id.
    pub id: u64,
    /// What people call it.
    pub name: String,
    /// What left: code of the place, SKU, units.
    pub content: Vec<(&'static str, String, i64)>,
}

impl Store {
    /// An order, if there is one.
    pub fn order(&self, id: u64) -> Option<OrderView> {
        let order = self.state().orders.get(&id)?.clone();
        Some(OrderView {
            id,
            name: order.name(),
            financial_status: order.financial_status(),
            fulfillment_status: order.fulfillment_status(),
            cancelled: order.cancelled.is_some(),
            lines: order
                .lines
                .iter()
                .map(|line| LineView {
                    id: line.id,
                    sku: line.sku.clone(),
                    current: line.current(),
                    requires_shipping: line.requires_shipping,
                })
                .collect(),
            current_total: order.totals().current_total.shop,
        })
    }

    /// Orders whose goods are all sent, except those given: what left from which place.
    pub fn sent_orders(&self, except: &HashSet<u64>) -> Vec<SentOrder> {
        let state = self.state();
        let mut sent = Vec::new();
        for order in state.orders.values().filter(|order| !except.contains(&order.id)) {
            let mut content: Vec<(&'static str, String, i64)> = Vec::new();
            for one in order.fulfillments.iter().filter(|one| !one.cancelled) {
                for part in &one.lines {
                    let Some(line) = order.line(part.line).filter(|line| line.requires_shipping) else { continue };
                    let (at, sku) = (state.place_code(one.location), line.sku.clone().unwrap_or_default());
                    match content.iter_mut().find(|(known, code, _)| *known == at && *code == sku) {
                        Some((_, _, units)) => *units += part.quantity,
                        None => content.push((at, sku, part.quantity)),
                    }
                }
            }
            let open = |line: &&Line| line.requires_shipping && line.fulfilled < line.current();
            if !content.is_empty() && !order.lines.iter().any(|line| open(&line)) {
                sent.push(SentOrder { id: order.id, name: order.name(), content });
            }
        }
        sent
    }

    /// How many orders must be shipped, and how many of those are: paid, not cancelled, with goods, and not among
    /// those given.
    pub fn shipping_state(&self, except: &HashSet<String>) -> (u64, u64) {
        let state = self.state();
        let (mut to_ship, mut shipped) = (0, 0);
        for order in state.orders.values() {
            let paid = ["paid", "partially_refunded", "refunded"].contains(&order.financial_status());
            // What was refunded was sold, and sent before.
            let sold = |line: &Line| line.quantity - line.removed;
            let goods: Vec<_> = order.lines.iter().filter(|line| line.requires_shipping && sold(line) > 0).collect();
            if !paid || order.cancelled.is_some() || goods.is_empty() || except.contains(&order.id.to_string()) {
                continue;
            }
            to_ship += 1;
            shipped += u64::from(goods.iter().all(|line| line.fulfilled >= sold(line)));
        }
        (to_ship, shipped)
    }
}
