//! The body of the order topics.

use serde_json::{Value, json};

use super::{customer_body, fulfillment_body, number, refund_body};
use crate::shopify::{
    money::rest,
    order::{Allocation, DiscountApplication, DiscountKind, DiscountValue, Line, Order, ShippingLine, TaxLine},
    state::State,
};

/// The whole order.
pub(super) fn body(state: &State, order: &Order) -> Value {
    let totals = order.totals();
    let exchange = &order.exchange;
    let set = |pair| exchange.rest(pair);
    let amount = |pair: crate::shopify::money::Pair| rest(pair.shop, &exchange.shop);
    let with_duties = |pair: crate::shopify::money::Pair| {
        if order.lines.iter().all(|line| line.duties.is_empty()) { Value::Null } else { set(pair) }
    };
    let customer = order.customer.and_then(|id| state.customers.get(&id));
    let (billing, shipping) = (order.billing.as_ref(), order.shipping.as_ref());
    let mut body = json!({
        "id": order.id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.id),
        "app_id": 580_111,
        "browser_ip": null,
        "buyer_accepts_marketing": false,
        "cancel_reason": order.cancelled.map(|(_, reason)| reason),
        "cancelled_at": order.cancelled.map(|(at, _)| at.local()),
        "cart_token": null,
        "checkout_token": order.token,
        "client_details": null,
        "closed_at": order.closed_at.map(|at| at.local()),
        "confirmation_number": order.confirmation,
        "confirmed": true,
        "contact_email": order.email,
        "created_at": order.created_at.local(),
        "currency": exchange.shop,
        "current_shipping_price_set": set(totals.current_shipping),
        "current_subtotal_price": amount(totals.current_subtotal),
        "current_subtotal_price_set": set(totals.current_subtotal),
        "current_total_additional_fees_set": null,
        "current_total_discounts": amount(totals.current_discounts),
        "current_total_discounts_set": set(totals.current_discounts),
        "current_total_duties_set": with_duties(totals.current_duties),
        "current_total_price": amount(totals.current_total),
        "current_total_price_set": set(totals.current_total),
        "current_total_tax": amount(totals.current_tax),
        "current_total_tax_set": set(totals.current_tax),
        "customer_locale": order.locale,
        "device_id": null,
        "discount_codes": order.discounts.iter().enumerate().filter(|(_, one)| one.kind == DiscountKind::Code)
            .map(|(index, one)| discount_code(order, index, one)).collect::<Vec<_>>(),
    });
    let rest_of = json!({
        "duties_included": false,
        "email": order.email,
        "estimated_taxes": false,
        "financial_status": order.financial_status(),
        "fulfillment_status": order.fulfillment_status(),
        "landing_site": null,
        "landing_site_ref": null,
        "location_id": null,
        "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
        "merchant_of_record_app_id": null,
        "name": order.name(),
        "note": order.note,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": format!("https://waldgang.example/orders/{}/authenticate", order.token),
        "original_total_additional_fees_set": null,
        "original_total_duties_set": with_duties(totals.duties),
        "payment_gateway_names": order.payment_gateways(),
        "phone": order.phone,
        "po_number": null,
        "presentment_currency": exchange.presentment,
        "processed_at": order.created_at.local(),
        "reference": null,
        "referring_site": null,
        "source_identifier": null,
        "source_name": "web",
        "source_url": null,
    });
    let more = json!({
        "subtotal_price": amount(totals.subtotal),
        "subtotal_price_set": set(totals.subtotal),
        "tags": order.tags.join(", "),
        "tax_exempt": false,
        "tax_lines": tax_lines(order, &order.tax_lines(false)),
        "taxes_included": order.taxes_included,
        "test": false,
        "token": order.token,
        "total_cash_rounding_payment_adjustment_set": set(Default::default()),
        "total_cash_rounding_refund_adjustment_set": set(Default::default()),
        "total_discounts": amount(totals.discounts),
        "total_discounts_set": set(totals.discounts),
        "total_line_items_price": amount(totals.lines),
        "total_line_items_price_set": set(totals.lines),
        "total_outstanding": amount(order.outstanding()),
        "total_price": amount(totals.total),
        "total_price_set": set(totals.total),
        "total_shipping_price_set": set(totals.shipping),
        "total_tax": amount(totals.tax),
        "total_tax_set": set(totals.tax),
        "total_tip_received": amount(order.tip),
        "total_weight": order.grams(false),
        "updated_at": order.updated_at.local(),
        "user_id": null,
        "billing_address": billing.map_or(Value::Null, |address| address.on_order()),
        "customer": customer.map_or(Value::Null, |customer| customer_body(customer, false)),
        "discount_applications": order.discounts.iter().map(application).collect::<Vec<_>>(),
        "fulfillments": order.fulfillments.iter().map(|one| fulfillment_body(order, one)).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(|one| line(order, one)).collect::<Vec<_>>(),
        "payment_terms": null,
        "refunds": order.refunds.iter().map(|one| refund_body(order, one)).collect::<Vec<_>>(),
        "shipping_address": shipping.map_or(Value::Null, |address| address.on_order()),
        "shipping_lines": order.shipping_lines.iter().map(|one| shipping_line(order, one)).collect::<Vec<_>>(),
        "returns": [],
        "line_item_groups": [],
    });
    // In parts: the macro's recursion has a limit.
    for part in [rest_of, more] {
        if let (Some(body), Value::Object(part)) = (body.as_object_mut(), part) {
            body.extend(part);
        }
    }
    body
}

/// A line of an order.
pub(super) fn line(order: &Order, line: &Line) -> Value {
    let exchange = &order.exchange;
    let variant_title = line.variant_title.as_deref();
    let name = variant_title.map_or_else(|| line.title.clone(), |variant| format!("{} - {variant}", line.title));
    // Order-level discounts are in the allocations only; `total_discount` holds the line's own.
    let own = line.allocations.iter().filter(|one| order.discounts.get(one.application).is_some_and(|of| !of.across));
    let own: crate::shopify::money::Pair = own.map(|one| one.amount).sum();
    let status = match line.fulfilled {
        0 => None,
        sent if sent >= line.current() => Some("fulfilled"),
        _ => Some("partial"),
    };
    json!({
        "id": line.id,
        "admin_graphql_api_id": format!("gid://shopify/LineItem/{}", line.id),
        "attributed_staffs": [],
        "current_quantity": line.current(),
        "fulfillable_quantity": order.fulfillable_quantity(line.id),
        "fulfillment_service": if line.gift_card { "gift_card" } else { "manual" },
        "fulfillment_status": status,
        "gift_card": line.gift_card,
        "grams": line.grams,
        "name": name,
        "price": rest(line.price.shop, &exchange.shop),
        "price_set": exchange.rest(line.price),
        "product_exists": line.product_id.is_some(),
        "product_id": line.product_id,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": line.requires_shipping,
        "sales_line_item_group_id": null,
        "sku": line.sku,
        "taxable": line.taxable,
        "title": line.title,
        "total_discount": rest(own.shop, &exchange.shop),
        "total_discount_set": exchange.rest(own),
        "variant_id": line.variant_id,
        "variant_inventory_management": line.requires_shipping.then_some("shopify"),
        "variant_title": line.variant_title,
        "vendor": line.vendor,
        "tax_lines": tax_lines(order, &line.taxes),
        "duties": line.duties.iter().map(|duty| json!({
            "id": duty.id,
            "harmonized_system_code": duty.harmonized_system_code,
            "country_code_of_origin": duty.country,
            "price_set": exchange.rest(duty.price),
            "tax_lines": [],
            "admin_graphql_api_id": format!("gid://shopify/Duty/{}", duty.id),
        })).collect::<Vec<_>>(),
        "discount_allocations": allocations(order, &line.allocations),
    })
}

/// A charge for shipping.
pub(super) fn shipping_line(order: &Order, line: &ShippingLine) -> Value {
    let exchange = &order.exchange;
    let discounted = line.price - line.discount();
    json!({
        "id": line.id,
        "carrier_identifier": null,
        "code": line.code,
        "current_discounted_price_set": exchange.rest(order.current_price(line)),
        "discounted_price": rest(discounted.shop, &exchange.shop),
        "discounted_price_set": exchange.rest(discounted),
        "is_removed": false,
        "phone": null,
        "price": rest(line.price.shop, &exchange.shop),
        "price_set": exchange.rest(line.price),
        "requested_fulfillment_service_id": null,
        "source": "shopify",
        "title": line.title,
        "tax_lines": tax_lines(order, &line.taxes),
        "discount_allocations": allocations(order, &line.allocations),
    })
}

fn tax_lines(order: &Order, taxes: &[TaxLine]) -> Value {
    taxes
        .iter()
        .map(|tax| {
            json!({
                "channel_liable": false,
                "price": rest(tax.price.shop, &order.exchange.shop),
                "price_set": order.exchange.rest(tax.price),
                "rate": number(tax.rate),
                "title": tax.title,
            })
        })
        .collect()
}

fn allocations(order: &Order, allocations: &[Allocation]) -> Value {
    allocations
        .iter()
        .map(|one| {
            json!({
                "amount": rest(one.amount.shop, &order.exchange.shop),
                "discount_application_index": one.application,
                "amount_set": order.exchange.rest(one.amount),
            })
        })
        .collect()
}

fn value(discount: &DiscountApplication) -> (String, &'static str) {
    match discount.value {
        DiscountValue::Percentage(percent) => (format!("{percent:.1}"), "percentage"),
        DiscountValue::Fixed(amount) => (format!("{amount:.2}"), "fixed_amount"),
    }
}

fn application(discount: &DiscountApplication) -> Value {
    let (amount, value_type) = value(discount);
    let (kind, named) = match discount.kind {
        DiscountKind::Code => ("discount_code", "code"),
        DiscountKind::Manual => ("manual", "title"),
        DiscountKind::Automatic => ("automatic", "title"),
    };
    let mut body = json!({
        "target_type": if discount.on_shipping { "shipping_line" } else { "line_item" },
        "type": kind,
        "value": amount,
        "value_type": value_type,
        "allocation_method": if discount.across { "across" } else { "each" },
        "target_selection": if discount.across || discount.on_shipping { "all" } else { "entitled" },
    });
    body[named] = json!(discount.name);
    body
}

fn discount_code(order: &Order, index: usize, discount: &DiscountApplication) -> Value {
    let on_lines = order.lines.iter().flat_map(|line| &line.allocations);
    let on_shipping = order.shipping_lines.iter().flat_map(|line| &line.allocations);
    let amount: crate::shopify::money::Pair =
        on_lines.chain(on_shipping).filter(|one| one.application == index).map(|one| one.amount).sum();
    let (_, value_type) = value(discount);
    json!({
        "code": discount.name,
        "amount": rest(amount.shop, &order.exchange.shop),
        "type": if discount.on_shipping { "shipping" } else { value_type },
    })
}
