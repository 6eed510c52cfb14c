//! Bodies that no store sends.

use connector_shopify::{
    body::{self, BodyError, Parsed, Problem},
    webhook::Topic,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use waybill_domain::{Body, order::Order};

const TOPICS: &[&str] = &[
    "orders/create",
    "orders/edited",
    "orders/delete",
    "customers/update",
    "customers/merge",
    "customers/redact",
    "customer.tags_added",
    "customers_email_marketing_consent/update",
    "products/update",
    "inventory_levels/update",
    "inventory_levels/disconnect",
    "fulfillments/create",
    "refunds/create",
    "shop/redact",
];

/// What must not appear in any error.
const PERSONAL: &str = "jo-doe-secret";

fn set(amount: &str) -> Value {
    json!({
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": amount, "currency_code": "EUR"},
    })
}

/// A body with a bit of everything, so that every reader finds something in it.
fn body() -> Value {
    let line = json!({
        "id": 11, "quantity": 2, "current_quantity": 2, "fulfillable_quantity": 2, "price": "10.00",
        "price_set": set("10.00"), "sku": "TEE-M", "title": "Tee", "grams": 100, "requires_shipping": true,
        "tax_lines": [{"title": "VAT", "rate": 0.19, "price": "3.80", "price_set": set("3.80")}],
        "duties": [{"price_set": set("1.00"), "tax_lines": []}],
        "discount_allocations": [{"amount": "1.00", "amount_set": set("1.00")}],
    });
    let address = json!({"first_name": PERSONAL, "address1": PERSONAL, "zip": 10115, "country_code": "DE"});
    let mut body = json!({
        "id": 1, "admin_graphql_api_id": "gid://shopify/Order/1", "order_id": 1, "name": "#1001",
        "created_at": "2026-07-01T10:00:00+02:00", "updated_at": "2026-07-01T10:00:00+02:00", "currency": "EUR",
        "presentment_currency": "EUR", "financial_status": "paid", "email": PERSONAL, "tags": "a, b",
        "customer": {"id": 7, "first_name": PERSONAL, "email": PERSONAL}, "billing_address": address,
        "default_address": address, "line_items": [line],
    });
    let more = json!({
        "shipping_lines": [{"id": 3, "title": "Standard", "price": "4.90", "price_set": set("4.90")}],
        "refunds": [{
            "id": 9, "created_at": "2026-07-01T10:00:00+02:00", "transactions": [
                {"kind": "refund", "status": "success", "amount": "1.00"},
            ],
            "refund_line_items": [{"line_item_id": 11, "quantity": 1, "subtotal_set": set("1.00")}],
        }],
        "refund_line_items": [{"line_item_id": 11, "quantity": 1, "subtotal_set": set("1.00")}], "transactions": [],
        "total_line_items_price": "20.00", "total_price": "28.70", "total_tip_received": "0.00",
        "variants": [{"id": 5, "price": "10.00", "inventory_item_id": 6}],
        "inventory_item_id": 6, "location_id": 8, "available": 3, "tracking_numbers": ["1Z"], "shop_id": 4,
        "orders_to_redact": [1], "customerId": "gid://shopify/Customer/7", "status": "completed",
        "order_edit": {"order_id": 1}, "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/7",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/8",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn order(change: impl FnOnce(&mut Value)) -> Result<Order, BodyError> {
    let mut body = body();
    change(&mut body);
    match body::parse(Topic::parse("orders/create"), body.to_string().as_bytes())? {
        Parsed::Whole(whole) => match whole.body {
            Body::Order(order) => Ok(*order),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| serde_json::Number::from_f64(float).map(Value::from)),
        Just(serde_json::from_str::<Value>("123456789012345678901234567890e99").unwrap()),
        ".{0,12}".prop_map(Value::from),
        Just(json!("79228162514264337593543950335")),
        Just(json!("2026-07-01T10:00:00+02:00")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{}], null, 1])),
    ]
}

/// The values of a body in depth-first order, the one at `at` replaced.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, at, with)),
        _ => {}
    }
}

fn says_nothing_personal(parsed: &Result<Parsed, BodyError>) -> bool {
    parsed.as_ref().err().is_none_or(|error| !error.to_string().contains(PERSONAL))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_replaced_value_is_read_or_refused_and_never_a_panic(at in 0..140_usize, with in any_value()) {
        let mut body = body();
        replace(&mut body, &mut at.clone(), &with);
        let bytes = body.to_string();
        for topic in TOPICS {
            let parsed = body::parse(Topic::parse(topic), bytes.as_bytes());
            if let Ok(Parsed::Whole(whole)) = &parsed {
                body::content_hash(&whole.body);
            }
            prop_assert!(says_nothing_personal(&parsed), "{topic}: {parsed:?}");
        }
    }

    #[test]
    fn cut_and_flipped_bytes_are_read_or_refused_and_never_a_panic(
        cut in 0..4000_usize,
        flips in vec((0..4000_usize, any::<u8>()), 0..4),
    ) {
        let mut bytes = body().to_string().into_bytes();
        bytes.truncate(bytes.len().min(cut + 1));
        for (at, byte) in flips {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        for topic in TOPICS {
            let parsed = body::parse(Topic::parse(topic), &bytes);
            prop_assert!(says_nothing_personal(&parsed), "{topic}: {parsed:?}");
            body::parse_start(Topic::parse(topic), &bytes);
        }
    }
}

#[test]
fn an_unknown_word_is_kept() {
    let order = order(|body| body["financial_status"] = json!("disputed")).unwrap();
    assert_eq!(order.financial_status.as_str(), "disputed");
}

#[test]
fn an_unknown_currency_of_three_letters_is_kept() {
    let order = order(|body| {
        let text = body.to_string().replace("EUR", "XQZ");
        *body = serde_json::from_str(&text).unwrap();
    });
    assert_eq!(order.unwrap().currency.as_str(), "XQZ");
}

#[test]
fn a_quantity_of_64_bits_is_kept_and_a_larger_one_is_named() {
    let most = order(|body| body["line_items"][0]["quantity"] = json!(i64::MAX)).unwrap();
    assert_eq!(most.lines[0].quantity, i64::MAX);
    let error = order(|body| body["line_items"][0]["quantity"] = json!(u64::MAX)).unwrap_err();
    assert_eq!(error.to_string(), "$.line_items[0].quantity is larger than a 64-bit number");
}

#[test]
fn an_id_past_2_53_keeps_its_digits() {
    let order = order(|body| {
        body["admin_graphql_api_id"] = Value::Null;
        body["id"] = json!(9_007_199_254_740_993_u64);
    });
    assert_eq!(order.unwrap().id.as_str(), "9007199254740993");
}

#[test]
fn null_absent_and_empty_mean_the_same() {
    let email = |value: Option<Value>| {
        order(|body| match value {
            Some(value) => body["email"] = value,
            None => drop(body.as_object_mut().unwrap().remove("email")),
        })
        .unwrap()
        .email
    };
    assert_eq!(email(None), email(Some(Value::Null)));
    assert_eq!(email(None), email(Some(json!(""))));
}

#[test]
fn a_plain_amount_stands_in_where_there_is_no_set() {
    let order = order(|body| drop(body["line_items"][0].as_object_mut().unwrap().remove("price_set"))).unwrap();
    assert_eq!(order.lines[0].unit_price.shop.to_string(), "10.00 EUR");
}

#[test]
fn a_line_without_allocations_has_its_own_discount() {
    let order = order(|body| {
        body["line_items"][0]["discount_allocations"] = json!([]);
        body["line_items"][0]["total_discount"] = json!("2.50");
    });
    assert_eq!(order.unwrap().lines[0].discount.shop.to_string(), "2.50 EUR");
}

#[test]
fn a_duty_may_hold_its_amounts_itself() {
    let order = order(|body| body["line_items"][0]["duties"] = json!([set("7.00")])).unwrap();
    assert_eq!(order.lines[0].duties[0].shop.to_string(), "7.00 EUR");
}

#[test]
fn a_refunds_line_without_its_item_is_told_by_its_orders_lines() {
    let order = order(|_| {}).unwrap();
    let line = &order.refunds[0].lines[0];
    assert_eq!((line.sku.as_str(), line.title.as_str()), ("TEE-M", "Tee"));
    assert_eq!(line.taxes, order.lines[0].taxes);
}

#[test]
fn a_refund_alone_without_its_items_is_read_by_api() {
    let parsed = body::parse(Topic::parse("refunds/create"), body().to_string().as_bytes());
    assert!(matches!(parsed, Ok(Parsed::Refetch { kind: waybill_domain::Kind::Order, .. })), "{parsed:?}");
}

#[test]
fn an_amount_that_cannot_be_exact_is_named_and_not_rounded() {
    let error = order(|body| body["total_price"] = json!("1e5")).unwrap_err();
    assert_eq!(error, BodyError::Field { path: "$.total_price".to_owned(), problem: Problem::NotAnAmount });
}

#[test]
fn a_product_whose_body_leaves_variants_out_is_read_by_api() {
    let mut body = body();
    body["variant_gids"] = json!([{}, {}]);
    let parsed = body::parse(Topic::parse("products/update"), body.to_string().as_bytes());
    assert!(matches!(parsed, Ok(Parsed::Refetch { .. })), "{parsed:?}");
}

#[test]
fn tags_that_a_body_lacks_are_carried_over() {
    let read = |tags: Option<&str>| {
        let mut body = body();
        body.as_object_mut().unwrap().remove("tags");
        if let Some(tags) = tags {
            body["tags"] = json!(tags);
        }
        let parsed = body::parse(Topic::parse("customers/update"), body.to_string().as_bytes());
        let Ok(Parsed::Whole(whole)) = parsed else { panic!("{parsed:?}") };
        *whole
    };
    let (before, mut now) = (read(Some("vip, b2b")), read(None));
    now.carry_over(&before.body);
    assert_eq!(now.body, before.body);
    assert_eq!(body::content_hash(&now.body), body::content_hash(&before.body));
    assert_ne!(body::content_hash(&read(Some("vip")).body), body::content_hash(&before.body));
}

#[test]
fn a_consent_that_a_body_lacks_is_carried_over() {
    let read = |consent: Option<&str>| {
        let mut body = body();
        if let Some(state) = consent {
            body["email_marketing_consent"] = json!({"state": state, "opt_in_level": null});
        }
        let parsed = body::parse(Topic::parse("customers/update"), body.to_string().as_bytes());
        let Ok(Parsed::Whole(whole)) = parsed else { panic!("{parsed:?}") };
        *whole
    };
    let (before, mut now) = (read(Some("SUBSCRIBED")), read(None));
    let Body::Customer(customer) = &before.body else { panic!("a customer") };
    assert_eq!(customer.email_consent, "subscribed");
    assert_eq!(now.lacks, ["email_consent"]);
    now.carry_over(&before.body);
    assert_eq!(now.body, before.body);
    assert_ne!(body::content_hash(&read(Some("unsubscribed")).body), body::content_hash(&before.body));
}

#[test]
fn a_consent_that_a_body_carries_is_not_overwritten() {
    let read = |state: &str| {
        let mut body = body();
        body["email_marketing_consent"] = json!({"state": state});
        let parsed = body::parse(Topic::parse("customers/update"), body.to_string().as_bytes());
        let Ok(Parsed::Whole(whole)) = parsed else { panic!("{parsed:?}") };
        *whole
    };
    let (before, mut now) = (read("subscribed"), read("unsubscribed"));
    now.carry_over(&before.body);
    let Body::Customer(customer) = now.body else { panic!("a customer") };
    assert_eq!(customer.email_consent, "unsubscribed");
}

#[test]
fn a_body_too_large_to_hold_still_names_its_order() {
    let start =
        br##"{"id":820982911946154500,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","name":"#1"##;
    let id = "820982911946154508".parse().unwrap();
    assert_eq!(
        body::parse_start(Topic::parse("orders/updated"), start),
        Some(Parsed::Refetch { kind: waybill_domain::Kind::Order, id })
    );
}
