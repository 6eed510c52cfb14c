//! The same order told by webhook and by API is the same order: built in both forms from one description.

mod described;

use proptest::{collection::vec, option, prelude::*};
use waybill_connector::Failure;
use waybill_domain::{Body, Kind};

use described::{Cents, Described, Line};

use crate::{
    body::{self, Parsed, Whole},
    reads,
    webhook::Topic,
    wire,
};

fn cents(presentment: &'static str) -> impl Strategy<Value = Cents> {
    (0..100_000_i64).prop_map(move |cents| (cents, if presentment == "EUR" { cents } else { cents * 108 / 100 + 1 }))
}

fn line(presentment: &'static str) -> impl Strategy<Value = Line> {
    (
        1..u64::MAX,
        1..100_i64,
        cents(presentment),
        vec(cents(presentment), 0..3),
        vec((0..1000_u32, cents(presentment)), 0..3),
        vec(cents(presentment), 0..2),
        option::of(1..u64::MAX),
        0..5000_i64,
    )
        .prop_map(|(id, quantity, price, discounts, taxes, duties, variant, grams)| Line {
            id,
            quantity,
            price,
            discounts,
            taxes,
            duties,
            variant,
            grams,
        })
}

fn described(presentment: &'static str) -> impl Strategy<Value = Described> {
    let one_currency = presentment == "EUR";
    let status = prop_oneof![
        Just(("UNFULFILLED", None)),
        Just(("FULFILLED", Some("fulfilled"))),
        Just(("PARTIALLY_FULFILLED", Some("partial"))),
        Just(("ON_HOLD", None)),
    ];
    let money =
        (vec(cents(presentment), 0..3), cents(presentment), option::of(cents(presentment)), option::of(0..9999_i64));
    (vec(line(presentment), 0..5), money, vec("[a-z]{1,8}", 0..4), status, any::<(bool, bool, bool)>()).prop_map(
        move |(
            lines,
            (shipping, tip, duties, refunded),
            tags,
            display_status,
            (taxes_included, cancelled, customer),
        )| {
            Described {
                presentment,
                taxes_included,
                tags,
                lines,
                shipping,
                // What webhooks do not carry of an order in two currencies.
                tip: if one_currency { tip } else { (0, 0) },
                refunded: refunded.map(|cents| if one_currency { cents } else { 0 }),
                duties,
                cancelled,
                customer,
                display_status,
            }
        },
    )
}

fn told_by_webhook(order: &Described) -> Whole {
    let body = order.webhook().to_string();
    match body::parse(Topic::parse("orders/updated"), body.as_bytes()) {
        Ok(Parsed::Whole(whole)) => *whole,
        other => panic!("{other:?}"),
    }
}

fn told_by_api(order: &Described) -> reads::Fetched {
    let data: wire::OrderData = serde_json::from_str(&order.answer().to_string()).unwrap();
    reads::order(data.order.unwrap()).unwrap()
}

/// The refund as its own webhook tells it.
fn told_alone(order: &Described, cents: i64) -> Body {
    let body = order.webhook_refund(cents).to_string();
    let parsed = body::parse(Topic::parse("refunds/create"), body.as_bytes());
    let Ok(Parsed::Several(parts)) = &parsed else { panic!("{parsed:?}") };
    let Parsed::Whole(whole) = &parts[0] else { panic!("{parsed:?}") };
    whole.body.clone()
}

/// The refunds within an order.
fn refunds_of(body: Body) -> Vec<Body> {
    let Body::Order(order) = body else { panic!("an order") };
    order.refunds.into_iter().map(Body::Refund).collect()
}

fn without_weights(mut body: Body) -> Body {
    if let Body::Order(order) = &mut body {
        order.lines.iter_mut().for_each(|line| line.grams = 0);
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_order_is_the_same_by_webhook_and_by_api(order in prop_oneof![described("EUR"), described("USD")]) {
        let (webhook, api) = (told_by_webhook(&order), told_by_api(&order));
        prop_assert_eq!(webhook.source_updated_at, Some(api.source_updated_at));
        prop_assert_eq!(body::content_hash(&webhook.body), body::content_hash(&api.body));
        prop_assert_eq!(without_weights(webhook.body), without_weights(api.body));
    }

    #[test]
    fn a_refund_is_the_same_alone_within_its_orders_body_and_by_api(
        order in prop_oneof![described("EUR"), described("USD")],
        cents in 0..9999_i64,
    ) {
        let order = Described { refunded: Some(if order.presentment == "EUR" { cents } else { 0 }), ..order };
        let alone = vec![told_alone(&order, order.refunded.unwrap())];
        let within = refunds_of(told_by_webhook(&order).body);
        let by_api = refunds_of(told_by_api(&order).body);
        let hashes = |refunds: &[Body]| refunds.iter().map(body::content_hash).collect::<Vec<_>>();
        prop_assert_eq!(hashes(&alone), hashes(&within));
        prop_assert_eq!(hashes(&alone), hashes(&by_api));
        prop_assert_eq!(&alone, &within);
        prop_assert_eq!(alone, by_api);
    }

    #[test]
    fn amounts_have_the_same_text_on_both_ways(order in described("EUR")) {
        let text = |body: Body| serde_json::to_string(&without_weights(body)).unwrap();
        prop_assert_eq!(text(told_by_webhook(&order).body), text(told_by_api(&order).body));
    }
}

fn plain() -> Described {
    Described {
        presentment: "EUR",
        taxes_included: false,
        tags: vec!["b".to_owned(), "a".to_owned()],
        lines: vec![Line {
            id: 1,
            quantity: 2,
            price: (1000, 1000),
            discounts: Vec::new(),
            taxes: Vec::new(),
            duties: Vec::new(),
            variant: Some(5),
            grams: 100,
        }],
        shipping: Vec::new(),
        tip: (0, 0),
        duties: None,
        refunded: None,
        cancelled: false,
        customer: true,
        display_status: ("UNFULFILLED", None),
    }
}

#[test]
fn a_change_in_what_both_carry_changes_the_hash() {
    let (one, mut other) = (plain(), plain());
    other.lines[0].price = (1001, 1001);
    assert_ne!(body::content_hash(&told_by_webhook(&one).body), body::content_hash(&told_by_webhook(&other).body));
}

#[test]
fn a_tip_in_two_currencies_is_read_by_api() {
    let order = Described { presentment: "USD", tip: (100, 108), ..plain() };
    let id = "6108220031101".parse().unwrap();
    assert_eq!(
        body::parse(Topic::parse("orders/create"), order.webhook().to_string().as_bytes()),
        Ok(Parsed::Refetch { kind: Kind::Order, id })
    );
}

#[test]
fn a_refund_in_two_currencies_is_read_by_api() {
    let order = Described { presentment: "USD", refunded: Some(100), ..plain() };
    let parsed = body::parse(Topic::parse("orders/create"), order.webhook().to_string().as_bytes());
    assert!(matches!(parsed, Ok(Parsed::Refetch { .. })), "{parsed:?}");
}

#[test]
fn a_refunds_line_tells_what_it_was_of_the_order() {
    let mut order = plain();
    order.refunded = Some(150);
    order.lines[0].taxes = vec![(200, (400, 400))];
    let Body::Refund(refund) = told_alone(&order, 150) else { panic!("a refund") };
    let line = &refund.lines[0];
    assert_eq!((line.sku.as_str(), line.title.as_str()), ("TEE-1", "Tee"));
    assert_eq!((line.taxes[0].title.as_str(), line.taxes[0].rate.to_string().as_str()), ("VAT", "0.2"));
    assert_eq!(line.taxes[0].amount.shop.to_string(), "4.00 EUR");
}

#[test]
fn a_refund_that_leaves_out_what_came_back_is_read_by_api() {
    let order = plain();
    for field in ["sku", "title", "tax_lines"] {
        let mut body = order.webhook_refund(150);
        body["refund_line_items"][0]["line_item"].as_object_mut().unwrap().remove(field);
        let parsed = body::parse(Topic::parse("refunds/create"), body.to_string().as_bytes());
        assert!(matches!(parsed, Ok(Parsed::Refetch { kind: Kind::Order, .. })), "{field}: {parsed:?}");
    }
}

#[test]
fn a_refund_of_a_line_that_its_order_does_not_show_is_no_answer() {
    let order = Described { refunded: Some(150), ..plain() };
    let mut answer = order.answer();
    answer["order"]["refunds"][0]["lines"][0]["lineItem"]["id"] = "gid://shopify/LineItem/99".into();
    let data: wire::OrderData = serde_json::from_str(&answer.to_string()).unwrap();
    let read = reads::order(data.order.unwrap());
    assert!(matches!(read, Err(Failure::Malformed { .. })), "{read:?}");
}
