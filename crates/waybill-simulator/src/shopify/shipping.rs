//! Sending an order: what each location has to send, and the parcels it sent.
//!
//! Rules and texts of `fulfillmentCreate` are those of recorded answers.

use super::{
    clock::Moment,
    order::{
        Fulfillment, FulfillmentLine, FulfillmentOrder, FulfillmentOrderLine, FulfillmentOrderStatus, Order, Tracking,
    },
    state::{About, State},
};

/// What is to be sent from one fulfilment order: all that is left, or some of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) fulfillment_order: u64,
    /// Fulfilment order lines and units.
    pub(crate) lines: Option<Vec<(u64, i64)>>,
}

/// A user error without a code: path and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) field: Vec<String>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(field: &[&str], message: impl Into<String>) -> Self {
        Self { field: field.iter().map(|&part| part.to_owned()).collect(), message: message.into() }
    }
}

impl State {
    /// Plans who sends units of a line: promises the stock and puts it on the location's fulfilment order.
    pub(crate) fn route(&mut self, order: &mut Order, line: usize, units: i64, new_orders: bool) {
        let now = Moment::now();
        let line = &order.lines[line];
        let fallback = self.locations.keys().next().copied().unwrap_or_default();
        let location = line.inventory_item_id.and_then(|item| self.source_of(item, units)).unwrap_or(fallback);
        if let (Some(item), true) = (line.inventory_item_id, line.requires_shipping) {
            self.commit_stock(item, location, units);
        }
        let id = self.ids.next("FulfillmentOrderLineItem");
        let entry = FulfillmentOrderLine { id, line: line.id, total: units, remaining: units };
        // An edit opens a fulfilment order of its own, as recorded.
        let known = order
            .fulfillment_orders
            .iter_mut()
            .find(|one| !new_orders && one.location == location && one.status == FulfillmentOrderStatus::Open);
        match known {
            Some(known) => known.lines.push(entry),
            None => order.fulfillment_orders.push(FulfillmentOrder {
                id: self.ids.next("FulfillmentOrder"),
                location,
                status: FulfillmentOrderStatus::Open,
                lines: vec![entry],
                created_at: now,
                updated_at: now,
            }),
        }
    }

    /// Takes units of a line off what is still to be sent, and gives the stock back if wanted. Returns the location.
    pub(crate) fn unroute(&mut self, order: &mut Order, line: u64, mut units: i64, restock: bool) -> Option<u64> {
        let item = order.line(line).and_then(|line| line.inventory_item_id);
        let mut at = None;
        for open in order.fulfillment_orders.iter_mut().filter(|one| one.status != FulfillmentOrderStatus::Closed) {
            for entry in open.lines.iter_mut().filter(|entry| entry.line == line) {
                let taken = entry.remaining.min(units);
                if taken == 0 {
                    continue;
                }
                entry.remaining -= taken;
                entry.total -= taken;
                units -= taken;
                at = Some(open.location);
                if let (Some(item), true) = (item, restock) {
                    self.commit_stock(item, open.location, -taken);
                }
            }
            open.updated_at = Moment::now();
            if open.lines.iter().all(|entry| entry.remaining == 0) {
                open.status = FulfillmentOrderStatus::Closed;
            }
        }
        at
    }

    /// `fulfillmentCreate`.
    ///
    /// # Errors
    /// The user error that Shopify answers.
    pub(crate) fn fulfill(&mut self, portions: &[Portion], tracking: Tracking) -> Result<(u64, u64), Refusal> {
        let root = |message: &str| Refusal::new(&["fulfillment"], message);
        for (group, portion) in portions.iter().enumerate() {
            for (index, (_, units)) in portion.lines.iter().flatten().enumerate() {
                if *units <= 0 {
                    let (group, index) = (group.to_string(), index.to_string());
                    let field = [
                        "fulfillment",
                        "lineItemsByFulfillmentOrder",
                        &group,
                        "fulfillmentOrderLineItems",
                        &index,
                        "quantity",
                    ];
                    return Err(Refusal::new(&field, "Quantity must be greater than 0"));
                }
            }
        }
        let mut found = Vec::new();
        for portion in portions {
            let owner = self.orders.values().find_map(|order| {
                let one = order.fulfillment_orders.iter().find(|one| one.id == portion.fulfillment_order)?;
                Some((order.id, one.clone()))
            });
            found.push(owner.ok_or_else(|| root("Fulfillment order does not exist."))?);
        }
        let Some((order_id, first)) = found.first().cloned() else {
            return Err(root("At least one fulfillment order must be specified."));
        };
        let distinct = |values: Vec<u64>| {
            let mut values = values;
            values.dedup();
            values.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        };
        if found.iter().any(|(owner, _)| *owner != order_id) {
            let ids = distinct(found.iter().map(|(owner, _)| *owner).collect());
            return Err(root(&format!(
                "All fulfillment orders must belong to the same order. Multiple orders with ids [{ids}] were found."
            )));
        }
        if found.iter().any(|(_, one)| one.location != first.location) {
            let ids = distinct(found.iter().map(|(_, one)| one.location).collect());
            return Err(root(&format!(
                "All fulfillment orders must be assigned to a single location. Multiple locations with ids [{ids}] were found."
            )));
        }
        let mut taken = Vec::new();
        for (portion, (_, one)) in portions.iter().zip(&found) {
            if one.status == FulfillmentOrderStatus::Closed {
                return Err(root(&format!("Fulfillment order {} has an unfulfillable status= closed.", one.id)));
            }
            match &portion.lines {
                None => taken.extend(
                    one.lines
                        .iter()
                        .filter(|entry| entry.remaining > 0)
                        .map(|entry| (one.id, entry.id, entry.remaining)),
                ),
                Some(lines) => {
                    for (id, units) in lines {
                        let entry = one
                            .lines
                            .iter()
                            .find(|entry| entry.id == *id)
                            .ok_or_else(|| root("Fulfillment order line item does not exist."))?;
                        if *units > entry.remaining {
                            return Err(root("Invalid fulfillment order line item quantity requested."));
                        }
                        taken.push((one.id, *id, *units));
                    }
                }
            }
        }
        Ok((order_id, self.send(order_id, first.location, &taken, tracking)))
    }

    /// Sends units: fulfilment order, its line, units.
    fn send(&mut self, order_id: u64, location: u64, taken: &[(u64, u64, i64)], tracking: Tracking) -> u64 {
        let now = Moment::now();
        let id = self.ids.next("Fulfillment");
        let ids: Vec<u64> = taken.iter().map(|_| self.ids.next("FulfillmentLineItem")).collect();
        let mut sent = Vec::new();
        let Some(order) = self.order_mut(order_id) else { return id };
        let mut parts = Vec::new();
        for (part, (fulfillment_order, entry, units)) in ids.into_iter().zip(taken) {
            let Some(one) = order.fulfillment_orders.iter_mut().find(|one| one.id == *fulfillment_order) else {
                continue;
            };
            one.updated_at = now;
            let Some(entry) = one.lines.iter_mut().find(|one| one.id == *entry) else { continue };
            entry.remaining -= units;
            let line = entry.line;
            one.status = if one.lines.iter().all(|entry| entry.remaining == 0) {
                FulfillmentOrderStatus::Closed
            } else {
                FulfillmentOrderStatus::InProgress
            };
            parts.push(FulfillmentLine { id: part, line, fulfillment_order: *fulfillment_order, quantity: *units });
            if let Some(line) = order.line_mut(line) {
                line.fulfilled += units;
                if let (Some(item), true) = (line.inventory_item_id, line.requires_shipping) {
                    sent.push((item, *units));
                }
            }
        }
        order.fulfillments.push(Fulfillment {
            id,
            number: order.fulfillments.len() + 1,
            cancelled: false,
            location,
            tracking,
            lines: parts,
            created_at: now,
            updated_at: now,
        });
        let done = order.fulfillment_status() == Some("fulfilled");
        if done && order.closed_at.is_none() && order.financial_status() == "paid" {
            order.closed_at = Some(now);
        }
        for (item, units) in sent {
            self.send_stock(item, location, units);
        }
        self.tell("fulfillments/create", About::Fulfillment(order_id, id));
        self.tell("orders/updated", About::Order(order_id));
        if done {
            self.tell("orders/fulfilled", About::Order(order_id));
        }
        id
    }

    /// Hands over what needs no parcel: digital goods, and gift cards once paid.
    pub(crate) fn hand_over(&mut self, order_id: u64) {
        let Some(order) = self.orders.get(&order_id) else { return };
        let mut taken: Vec<(u64, u64, u64, i64)> = Vec::new();
        for one in order.fulfillment_orders.iter().filter(|one| one.status != FulfillmentOrderStatus::Closed) {
            for entry in one.lines.iter().filter(|entry| entry.remaining > 0) {
                if order.line(entry.line).is_some_and(|line| !line.requires_shipping) {
                    taken.push((one.location, one.id, entry.id, entry.remaining));
                }
            }
        }
        if let Some((location, ..)) = taken.first().copied() {
            let parts: Vec<_> = taken.into_iter().map(|(_, order, entry, units)| (order, entry, units)).collect();
            self.send(order_id, location, &parts, Tracking::default());
        }
    }

    /// `fulfillmentTrackingInfoUpdate`. Cancelled fulfilments take it too, as recorded.
    ///
    /// # Errors
    /// The user error that Shopify answers for an unknown fulfilment.
    pub(crate) fn retrack(&mut self, id: u64, tracking: Tracking) -> Result<(u64, u64), Refusal> {
        let order_id = self.order_of_fulfillment(id)?;
        if let Some(order) = self.order_mut(order_id) {
            for one in order.fulfillments.iter_mut().filter(|one| one.id == id) {
                one.tracking = tracking.clone();
                one.updated_at = Moment::now();
            }
        }
        self.tell("fulfillments/update", About::Fulfillment(order_id, id));
        self.tell("orders/updated", About::Order(order_id));
        Ok((order_id, id))
    }

    /// `fulfillmentCancel`. A second one is a success, as recorded.
    ///
    /// # Errors
    /// The user error that Shopify answers for an unknown fulfilment.
    pub(crate) fn cancel_fulfillment(&mut self, id: u64) -> Result<(u64, u64), Refusal> {
        let order_id = self.order_of_fulfillment(id)?;
        let now = Moment::now();
        let mut back = Vec::new();
        let mut again = Vec::new();
        if let Some(order) = self.order_mut(order_id) {
            let Some(at) = order.fulfillments.iter().position(|one| one.id == id && !one.cancelled) else {
                return Ok((order_id, id));
            };
            order.fulfillments[at].cancelled = true;
            order.fulfillments[at].updated_at = now;
            let (location, parts) = (order.fulfillments[at].location, order.fulfillments[at].lines.clone());
            for part in parts {
                if let Some(line) = order.line_mut(part.line) {
                    line.fulfilled -= part.quantity;
                    if let (Some(item), true) = (line.inventory_item_id, line.requires_shipping) {
                        back.push((item, location, part.quantity));
                    }
                }
                again.push((part.line, location, part.quantity));
            }
            order.closed_at = None;
        }
        for (item, location, units) in back {
            self.send_stock(item, location, -units);
        }
        self.reopen(order_id, &again, now);
        self.tell("fulfillments/update", About::Fulfillment(order_id, id));
        self.tell("orders/updated", About::Order(order_id));
        Ok((order_id, id))
    }

    /// A new fulfilment order takes over what a cancelled parcel held.
    fn reopen(&mut self, order_id: u64, lines: &[(u64, u64, i64)], now: Moment) {
        let Some((_, location, _)) = lines.first().copied() else { return };
        let id = self.ids.next("FulfillmentOrder");
        let entries = lines
            .iter()
            .map(|(line, _, units)| FulfillmentOrderLine {
                id: self.ids.next("FulfillmentOrderLineItem"),
                line: *line,
                total: *units,
                remaining: *units,
            })
            .collect();
        if let Some(order) = self.order_mut(order_id) {
            order.fulfillment_orders.push(FulfillmentOrder {
                id,
                location,
                status: FulfillmentOrderStatus::Open,
                lines: entries,
                created_at: now,
                updated_at: now,
            });
        }
    }

    fn order_of_fulfillment(&self, id: u64) -> Result<u64, Refusal> {
        self.orders
            .values()
            .find(|order| order.fulfillments.iter().any(|one| one.id == id))
            .map(|order| order.id)
            .ok_or_else(|| Refusal { field: Vec::new(), message: "Fulfillment does not exist.".into() })
    }
}
