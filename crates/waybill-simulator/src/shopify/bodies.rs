//! Webhook bodies: REST-shaped, with the fields of Shopify's documented samples.

mod order;

use serde_json::{Value, json};

use super::{
    order::{Fulfillment, Line, Order, Refund, Transaction},
    records::{Customer, Product, Variant},
    state::{About, State},
};

/// The body of an event; none if what it is about is gone.
pub(crate) fn of(state: &State, about: &About) -> Option<Value> {
    match about {
        About::Order(id) => state.orders.get(id).map(|order| order::body(state, order)),
        About::Customer(id) => state.customers.get(id).map(|customer| customer_body(customer, true)),
        About::Consent(id) => state.customers.get(id).map(|customer| consent_body(customer)),
        About::Product(id) => state.products.get(id).map(|product| product_body(state, product)),
        About::Deleted(id) => Some(json!({"id": id})),
        About::Level(item, location) => {
            let level = state.levels.get(&(*item, *location))?;
            Some(json!({
                "inventory_item_id": item,
                "location_id": location,
                "available": level.available,
                "updated_at": level.updated_at.local(),
                "admin_graphql_api_id": level_gid(*item, *location),
            }))
        }
        About::Refund(order, refund) => {
            let order = state.orders.get(order)?;
            Some(refund_body(order, order.refunds.iter().find(|one| one.id == *refund)?))
        }
        About::Fulfillment(order, id) => {
            let order = state.orders.get(order)?;
            let one = order.fulfillments.iter().find(|one| one.id == *id)?;
            let mut body = fulfillment_body(order, one);
            body["email"] = json!(order.email);
            body["destination"] = order.shipping.as_ref().map_or(Value::Null, |address| address.on_order());
            Some(body)
        }
        About::Edit(body) => Some(body.clone()),
    }
}

/// The text of a body, in Shopify's order: a record's id, its global id, its own fields, and then what is nested in it.
pub(crate) fn text(body: &Value) -> String {
    let mut text = String::new();
    write(body, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut ordered: Vec<(&String, &Value)> = fields.iter().collect();
            let rank = |(name, value): &(&String, &Value)| match name.as_str() {
                "id" => 0,
                "admin_graphql_api_id" => 1,
                name if name.ends_with("_set") || name.ends_with("_money") => 2,
                _ if value.is_object() || value.is_array() => 3,
                _ => 2,
            };
            ordered.sort_by_key(rank);
            text.push('{');
            for (at, (name, value)) in ordered.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// The global id of a stock level.
pub(crate) fn level_gid(item: u64, location: u64) -> String {
    format!("gid://shopify/InventoryLevel/{location}?inventory_item_id={item}")
}

/// A customer: with the address book as a topic of its own, without it on an order.
pub(crate) fn customer_body(customer: &Customer, with_book: bool) -> Value {
    let mut body = json!({
        "id": customer.id,
        "created_at": customer.created_at.local(),
        "updated_at": customer.updated_at.local(),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": customer.state,
        "note": customer.note,
        "verified_email": customer.verified_email,
        "multipass_identifier": null,
        "tax_exempt": customer.tax_exempt,
        "email": customer.email,
        "phone": customer.phone,
        "currency": crate::catalogue::CURRENCY,
        "tax_exemptions": [],
        "admin_graphql_api_id": format!("gid://shopify/Customer/{}", customer.id),
    });
    if let Some((id, address)) = customer.addresses.first() {
        body["default_address"] = address.in_book(*id, customer.id, true);
    }
    if with_book {
        body["addresses"] = customer
            .addresses
            .iter()
            .enumerate()
            .map(|(index, (id, address))| address.in_book(*id, customer.id, index == 0))
            .collect();
    }
    body
}

fn consent_body(customer: &Customer) -> Value {
    json!({
        "customer_id": customer.id,
        "email_address": customer.email,
        "email_marketing_consent": {
            "state": customer.email_consent.word(),
            "opt_in_level": null,
            "consent_updated_at": customer.email_consent_at.map(|at| at.local()),
        },
    })
}

fn product_body(state: &State, product: &Product) -> Value {
    let variant = |variant: &Variant| {
        let levels = state.levels.iter().filter(|((item, _), _)| *item == variant.inventory_item_id);
        let units: i64 = levels.map(|(_, level)| level.available).sum();
        json!({
            "admin_graphql_api_id": format!("gid://shopify/ProductVariant/{}", variant.id),
            "barcode": null,
            "compare_at_price": null,
            "created_at": product.created_at.local(),
            "id": variant.id,
            "inventory_policy": "deny",
            "position": variant.position,
            "price": super::money::rest(variant.price, crate::catalogue::CURRENCY),
            "product_id": product.id,
            "sku": variant.sku,
            "taxable": variant.taxable,
            "title": variant.title,
            "updated_at": product.updated_at.local(),
            "option1": variant.title,
            "option2": null,
            "option3": null,
            "image_id": null,
            "inventory_item_id": variant.inventory_item_id,
            "inventory_quantity": units,
            "old_inventory_quantity": units,
        })
    };
    json!({
        "admin_graphql_api_id": format!("gid://shopify/Product/{}", product.id),
        "body_html": "",
        "created_at": product.created_at.local(),
        "handle": product.handle,
        "id": product.id,
        "product_type": product.product_type,
        "published_at": product.created_at.local(),
        "template_suffix": null,
        "title": product.title,
        "updated_at": product.updated_at.local(),
        "vendor": product.vendor,
        "status": product.status,
        "published_scope": "web",
        "tags": product.tags.join(", "),
        "variants": product.variants.iter().map(variant).collect::<Vec<_>>(),
        "options": [],
        "images": [],
        "image": null,
        "media": [],
        "variant_gids": product.variants.iter().map(|variant| json!({
            "admin_graphql_api_id": format!("gid://shopify/ProductVariant/{}", variant.id),
            "updated_at": product.updated_at.utc(),
        })).collect::<Vec<_>>(),
        "has_variants_that_requires_components": false,
        "category": null,
    })
}

/// A line as refunds and fulfilments carry it.
fn short_line(order: &Order, line: &Line) -> Value {
    let mut body = order::line(order, line);
    if let Some(body) = body.as_object_mut() {
        for field in ["attributed_staffs", "current_quantity", "sales_line_item_group_id"] {
            body.remove(field);
        }
    }
    body
}

/// A parcel, as it is on its order.
fn fulfillment_body(order: &Order, one: &Fulfillment) -> Value {
    let lines: Vec<Value> = one
        .lines
        .iter()
        .filter_map(|part| {
            let mut line = short_line(order, order.line(part.line)?);
            line["quantity"] = json!(part.quantity);
            Some(line)
        })
        .collect();
    json!({
        "id": one.id,
        "order_id": order.id,
        "status": if one.cancelled { "cancelled" } else { "success" },
        "created_at": one.created_at.local(),
        "service": "manual",
        "updated_at": one.updated_at.local(),
        "tracking_company": one.tracking.company,
        "shipment_status": null,
        "location_id": one.location,
        "origin_address": null,
        "line_items": lines,
        "tracking_number": one.tracking.numbers.first(),
        "tracking_numbers": one.tracking.numbers,
        "tracking_url": one.tracking.urls.first(),
        "tracking_urls": one.tracking.urls,
        "receipt": {},
        "name": format!("{}.{}", order.name(), one.number),
        "admin_graphql_api_id": format!("gid://shopify/Fulfillment/{}", one.id),
    })
}

fn transaction_body(order: &Order, one: &Transaction) -> Value {
    let nothing = json!({"amount": "0.0", "currency": order.exchange.presentment});
    json!({
        "id": one.id,
        "order_id": order.id,
        "kind": one.kind.word(),
        "gateway": "shopify_payments",
        "status": "success",
        "message": "Transaction approved",
        "created_at": one.at.local(),
        "test": false,
        "authorization": null,
        "location_id": null,
        "user_id": null,
        "parent_id": one.parent,
        "processed_at": one.at.local(),
        "device_id": null,
        "error_code": null,
        "source_name": "web",
        "receipt": {},
        // In the buyer's currency, as everything that is charged.
        "amount": super::money::rest(one.amount.presentment, &order.exchange.presentment),
        "currency": order.exchange.presentment,
        "payment_id": format!("{}.{}", order.name(), one.id % 100),
        "total_unsettled_set": {"presentment_money": nothing, "shop_money": {"amount": "0.0", "currency": order.exchange.shop}},
        "manual_payment_gateway": false,
        "amount_rounding": null,
        "admin_graphql_api_id": format!("gid://shopify/OrderTransaction/{}", one.id),
    })
}

fn refund_body(order: &Order, refund: &Refund) -> Value {
    let exchange = &order.exchange;
    let lines: Vec<Value> = refund
        .lines
        .iter()
        .filter_map(|one| {
            let line = order.line(one.line)?;
            Some(json!({
                "id": one.id,
                "quantity": one.quantity,
                "line_item_id": one.line,
                "location_id": one.location,
                "restock_type": one.restock.word(),
                "subtotal": number(one.subtotal.shop),
                "total_tax": number(one.tax.shop),
                "subtotal_set": exchange.rest(one.subtotal),
                "total_tax_set": exchange.rest(one.tax),
                "line_item": short_line(order, line),
            }))
        })
        .collect();
    let shipping: Vec<Value> = refund
        .shipping
        .iter()
        .filter_map(|one| {
            let line = order.shipping_lines.iter().find(|line| line.id == one.line)?;
            Some(json!({
                "id": one.id,
                "shipping_line": order::shipping_line(order, line),
                "subtotal_amount_set": exchange.rest(one.subtotal),
                "tax_amount_set": exchange.rest(one.tax),
            }))
        })
        .collect();
    let adjustments: Vec<Value> = refund
        .discrepancy
        .iter()
        .map(|(id, amount)| {
            json!({
                "id": id,
                "order_id": order.id,
                "refund_id": refund.id,
                "kind": "refund_discrepancy",
                "reason": "Refund discrepancy",
                "amount": super::money::rest(amount.shop, &exchange.shop),
                "tax_amount": "0.00",
                "amount_set": exchange.rest(*amount),
                "tax_amount_set": exchange.rest(Default::default()),
            })
        })
        .collect();
    json!({
        "id": refund.id,
        "order_id": order.id,
        "created_at": refund.at.local(),
        "note": refund.note,
        "user_id": 548_380_009,
        "processed_at": refund.at.local(),
        "duties": [],
        "total_duties_set": exchange.rest(Default::default()),
        "return": null,
        "restock": refund.lines.iter().any(|line| line.location.is_some()),
        "refund_shipping_lines": shipping,
        "admin_graphql_api_id": format!("gid://shopify/Refund/{}", refund.id),
        "order_adjustments": adjustments,
        "refund_line_items": lines,
        "transactions": order
            .transactions
            .iter()
            .filter(|one| refund.transactions.contains(&one.id))
            .map(|one| transaction_body(order, one))
            .collect::<Vec<_>>(),
    })
}

/// An amount as a JSON number with the digits that it has.
fn number(amount: rust_decimal::Decimal) -> Value {
    serde_json::from_str(&amount.to_string()).unwrap_or(Value::Null)
}
