//! The fixed table: what the example plan expects of each system.
//!
//! It is written from the plan's text by hand and changes with it. One function a flow, named for it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    compare::{Wanted, Wish},
    found::{join_content, shipstation::Shipping, tryton::Books},
    records::{Address, Customer, Order, Records, Refund},
};
use crate::catalogue::{LOCATIONS, SHIPPING_ITEM};

/// What all systems should hold.
pub(super) fn everything(store: &Records, erp: &Books, shipping: &Shipping) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    wanted.extend(contacts(store));
    for order in &store.orders {
        wanted.extend(order_in_erp(store, order));
        wanted.extend(refunds_in_erp(store, order));
        wanted.extend(order_in_crm(store, order, shipping));
        wanted.extend(order_in_shipping(store, order));
        wanted.extend(parcels_in_store(order, shipping));
    }
    wanted.extend(stock_in_store(store, erp));
    wanted.extend(prices_in_store(store, erp));
    wanted
}

/// What the systems should hold of orders and their buyers.
pub(super) fn orders(store: &Records, shipping: &Shipping) -> Vec<Wanted> {
    let orders = store.orders.iter().flat_map(|order| {
        let in_erp = order_in_erp(store, order);
        [in_erp, order_in_crm(store, order, shipping), order_in_shipping(store, order)].into_iter().flatten()
    });
    contacts(store).into_iter().chain(orders).collect()
}

fn name_of(address: &Address) -> String {
    format!("{} {}", address.first_name, address.last_name).trim().to_owned()
}

/// Who bought: by e-mail one person, whether the store has a record of them or not.
fn buyer_email<'a>(store: &'a Records, order: &'a Order) -> &'a str {
    let customer = order.customer.as_ref().and_then(|id| store.customers.get(id));
    customer.map(|customer| customer.email.as_str()).filter(|email| !email.is_empty()).unwrap_or(&order.email)
}

/// `customers-to-crm`, and the buyer's contact of `orders-to-crm`.
fn contacts(store: &Records) -> Vec<Wanted> {
    let mut people: BTreeMap<String, (String, String, String)> = BTreeMap::new();
    // Guests first, the latest order's names last; a customer's record outdoes them.
    for order in store.orders.iter().filter(|order| order.customer.is_none() && !order.email.is_empty()) {
        if store.is_planted("order", &order.id, "crm") {
            continue;
        }
        let names = (order.billing.first_name.clone(), order.billing.last_name.clone(), order.phone.clone());
        people.insert(order.email.clone(), names);
    }
    for Customer { id, first_name, last_name, email, phone } in store.customers.values() {
        if !store.is_planted("customer", id, "crm") && !email.is_empty() {
            people.insert(email.clone(), (first_name.clone(), last_name.clone(), phone.clone()));
        }
    }
    people
        .into_iter()
        .map(|(email, (first_name, last_name, phone))| {
            // `counts = "order.captured and not order.cancelled"`; sums that do not hold count nowhere.
            let counted: Vec<&Order> = store
                .orders
                .iter()
                .filter(|order| buyer_email(store, order) == email && order.captured() && !order.cancelled)
                .filter(|order| !store.is_planted("order", &order.id, "crm"))
                .collect();
            let spent: Decimal = counted.iter().map(|order| order.current_total).sum();
            let last = counted.iter().map(|order| order.placed_at).max();
            // Nobody who only bought what was cancelled need be there: such an order may never have been written.
            let of_orders = store.orders.iter().filter(|order| buyer_email(store, order) == email);
            let optional = !store.customers.values().any(|customer| customer.email == email)
                && of_orders.clone().all(|order| order.cancelled);
            let wanted = Wanted::new("crm", "contact", &email)
                .with("email", Wish::text(&email))
                .with("firstname", Wish::text(first_name))
                .with("lastname", Wish::text(last_name))
                .with("phone", Wish::text(phone))
                .with("waybill_orders", Wish::Number(Decimal::from(counted.len())))
                .with("waybill_total_spent", Wish::Number(spent))
                .with("waybill_last_order", last.map_or(Wish::text(""), Wish::Instant));
            Wanted { optional, ..wanted }
        })
        .collect()
}

/// `orders-to-crm` and `parcels-to-crm`.
fn order_in_crm(store: &Records, order: &Order, shipping: &Shipping) -> Option<Wanted> {
    if store.is_planted("order", &order.id, "crm") {
        return None;
    }
    let mut wanted = Wanted::new("crm", "order", &order.name)
        .with("hs_currency_code", Wish::text(&order.currency))
        .with("hs_total_price", Wish::Number(order.current_total))
        .with("hs_external_order_status", Wish::text(&order.financial_status))
        .with("buyer", Wish::text(buyer_email(store, order)));
    let labels: Vec<String> = shipping.labels_of(order).map(|label| label.tracking.clone()).collect();
    if !labels.is_empty() {
        wanted = wanted
            .with("hs_fulfillment_status", Wish::text("Shipped"))
            .with("hs_shipping_tracking_number", Wish::OneOf(labels));
    }
    // Cancelled before it was ever written, it is left out.
    wanted.optional = order.cancelled;
    Some(wanted)
}

/// `orders-to-erp`: `when = "order.captured"`.
fn order_in_erp(store: &Records, order: &Order) -> Option<Wanted> {
    let is_planted = store.is_planted("order", &order.id, "erp");
    if !order.captured() || is_planted && !order.cancelled {
        return None;
    }
    if order.cancelled {
        // Cancelled before it was ever written, it is left out; written before, it is cancelled there. Planted is one
        // whose sale goes too far for that.
        let state = if is_planted { processed() } else { Wish::text("cancelled") };
        let wanted = Wanted::new("erp", "sale", &order.name).with("state", state);
        return Some(Wanted { optional: !is_planted, ..wanted });
    }
    let customer = order.customer.as_ref().and_then(|id| store.customers.get(id));
    let buyer = match customer {
        Some(customer) => format!("{} {}", customer.first_name, customer.last_name),
        None => name_of(&order.billing),
    };
    let mut wanted = Wanted::new("erp", "sale", &order.name)
        .with("description", Wish::text(&order.name))
        .with("state", processed())
        .with("currency", Wish::text(&order.currency))
        .with("total", Wish::Number(order.sold_total))
        .with("party", Wish::text(buyer.trim()))
        .with("e-mail", Wish::text(buyer_email(store, order)));
    let ship_to = order.shipping.as_ref().unwrap_or(&order.billing);
    for (role, address) in [("invoice", &order.billing), ("shipment", ship_to)] {
        let label = if address.company.is_empty() { name_of(address) } else { address.company.clone() };
        wanted = wanted
            .with(format!("{role} name"), Wish::text(label))
            .with(format!("{role} street"), Wish::Begins(address.address1.clone()))
            .with(format!("{role} city"), Wish::text(&address.city))
            .with(format!("{role} postal code"), Wish::text(&address.zip))
            .with(format!("{role} country"), Wish::text(&address.country_code));
    }
    let mut items: BTreeMap<&str, (i64, Decimal, String)> = BTreeMap::new();
    for line in order.lines.iter().filter(|line| line.sold > 0) {
        let item = items.entry(&line.sku).or_insert((0, Decimal::ZERO, line.taxes.join(" + ")));
        item.0 += line.sold;
        item.1 += line.net;
    }
    for (sku, (units, net, taxes)) in &items {
        wanted = wanted
            .with(format!("{sku} quantity"), Wish::Number(Decimal::from(*units)))
            .with(format!("{sku} amount"), Wish::Number(*net))
            .with(format!("{sku} taxes"), Wish::text(taxes));
    }
    if !order.shipping_net.is_zero() {
        wanted = wanted.with(format!("{SHIPPING_ITEM} amount"), Wish::Number(order.shipping_net));
    }
    // Nothing else may be on it; shipping that costs nothing may or may not be a line.
    let codes: Vec<&str> = items.keys().copied().collect();
    Some(wanted.with("items", Wish::text(codes.join(", "))))
}

/// A sale as far as the plan takes it; the ERP takes it to its end.
fn processed() -> Wish {
    Wish::OneOf(vec!["processing".into(), "done".into()])
}

/// `refunds-to-erp`: each a return of its own, for orders that the ERP has.
fn refunds_in_erp(store: &Records, order: &Order) -> Vec<Wanted> {
    let is_planted = store.is_planted("order", &order.id, "erp");
    if !order.captured() || is_planted && !order.cancelled {
        return Vec::new();
    }
    let one = |refund: &Refund| {
        let mut wanted = Wanted::new("erp", "sale", format!("Refund {}", refund.id))
            .with("state", processed())
            .with("currency", Wish::text(&order.currency));
        if let Some(total) = refund.total {
            wanted = wanted.with("total", Wish::Number(-total));
        }
        let mut items: BTreeMap<&str, i64> = BTreeMap::new();
        for (sku, units) in &refund.content {
            *items.entry(sku).or_default() += units;
        }
        for (sku, units) in items {
            wanted = wanted.with(format!("{sku} quantity"), Wish::Number(-Decimal::from(units)));
        }
        // An order that was cancelled before it was ever written has no refund there either.
        Wanted { optional: order.cancelled && !is_planted, ..wanted }
    };
    order.refunds.iter().map(one).collect()
}

/// `orders-to-shipping`: `when = "order.captured and order.requires_shipping"`, `after = ["erp"]`.
fn order_in_shipping(store: &Records, order: &Order) -> Option<Wanted> {
    let planted = ["erp", "shipping"].iter().any(|system| store.is_planted("order", &order.id, system));
    // A shipment that is cancelled there counts as none.
    if planted || order.cancelled || !order.captured() || !order.requires_shipping() {
        return None;
    }
    let ship_to = order.shipping.clone().unwrap_or_default();
    let content: Vec<(String, i64)> = order
        .lines
        .iter()
        .filter(|line| line.requires_shipping && line.sold > 0)
        .map(|line| (line.sku.clone(), line.sold))
        .collect();
    Some(
        Wanted::new("shipping", "shipment", &order.name)
            .with("name", Wish::text(name_of(&ship_to)))
            .with("company_name", Wish::text(&ship_to.company))
            .with("address_line1", Wish::text(&ship_to.address1))
            .with("city_locality", Wish::text(&ship_to.city))
            .with("postal_code", Wish::text(&ship_to.zip))
            .with("country_code", Wish::text(&ship_to.country_code))
            .with("items", Wish::text(join_content(&content))),
    )
}

/// `parcels-to-store`: each parcel that the shipping system sent, with its number and content.
fn parcels_in_store(order: &Order, shipping: &Shipping) -> Vec<Wanted> {
    shipping
        .labels_of(order)
        .map(|label| {
            let key = format!("{} {}", order.name, label.tracking);
            Wanted::new("shop", "parcel", key).with("content", Wish::text(join_content(&label.content)))
        })
        .collect()
}

/// `stock-to-store`: what the ERP holds is what the store has on hand.
fn stock_in_store(store: &Records, erp: &Books) -> Vec<Wanted> {
    let code = |name: &str| LOCATIONS.iter().find(|place| place.name == name).map(|place| place.code);
    store
        .levels
        .iter()
        .filter_map(|level| {
            let units = erp.stock.get(&(level.sku.clone(), code(&level.location)?.to_owned()))?;
            let key = format!("{} at {}", level.sku, level.location);
            Some(Wanted::new("shop", "level", key).with("on_hand", Wish::Number(*units)))
        })
        .collect()
}

/// `prices-to-store`: `price = "round(price.amount, 2)"`.
fn prices_in_store(store: &Records, erp: &Books) -> Vec<Wanted> {
    let wanted = |sku: &String| {
        let price = erp.prices.get(sku)?.round_dp(2);
        Some(Wanted::new("shop", "price", sku).with("price", Wish::Number(price)))
    };
    store.prices.iter().filter_map(|one| wanted(&one.sku)).collect()
}
