//! What the store's own rules make of orders, money and stock.

use std::collections::HashSet;

use rust_decimal::Decimal;

use super::{decimal, five_off_the_first_line, line, paid_order, store};
use crate::shopify::{NewDiscount, NewOrder, Payment, Store, bodies, state::About};

fn level(store: &Store, sku: &str) -> (i64, i64, i64) {
    let state = store.state();
    let item = state.variant(|variant| variant.sku.as_deref() == Some(sku)).unwrap().1.inventory_item_id;
    let (_, level) = state.levels.iter().find(|((one, _), _)| *one == item).unwrap();
    (level.available, level.committed, level.on_hand())
}

/// Lines − discounts + shipping + tax (where it is not within) + duties + tip is the total, in both currencies.
fn sums_hold(store: &Store, order: u64) {
    let state = store.state();
    let body = bodies::of(&state, &About::Order(order)).unwrap();
    for money in ["shop_money", "presentment_money"] {
        let of = |name: &str| -> Decimal {
            let set = &body[format!("{name}_set")];
            if set.is_null() { Decimal::ZERO } else { set[money]["amount"].as_str().unwrap().parse().unwrap() }
        };
        let tax = if body["taxes_included"] == true { Decimal::ZERO } else { of("total_tax") };
        let tip =
            if money == "shop_money" { state.orders[&order].tip.shop } else { state.orders[&order].tip.presentment };
        let parts = of("total_line_items_price") - of("total_discounts")
            + of("total_shipping_price")
            + tax
            + of("original_total_duties")
            + tip;
        assert_eq!(parts, of("total_price"), "{money}");
    }
}

#[tokio::test]
async fn sums_hold_with_discounts_duties_tip_and_another_currency() {
    let store = store();
    let mut order = paid_order();
    order.presentment = Some(("JPY".into(), decimal("162.3")));
    order.discounts = vec![
        five_off_the_first_line(),
        NewDiscount {
            lines: Vec::new(),
            shipping: decimal("5.00"),
            name: "SHIPFREE".into(),
            ..five_off_the_first_line()
        },
    ];
    order.lines[1].duty = decimal("2.40");
    order.tip = decimal("3.00");
    let id = store.place(order);
    sums_hold(&store, id);
    let totals = store.state().orders[&id].totals();
    // 48.00 − 5.00 + 12.95 = 55.95; 20 % of it; 2.40 duty; 3.00 tip; shipping is free.
    assert_eq!(totals.total.shop, decimal("72.54"));
}

#[tokio::test]
async fn a_tax_within_the_price_is_not_added_to_the_total() {
    let store = store();
    let mut order = paid_order();
    order.taxes_included = true;
    order.lines.truncate(1);
    order.lines[0].price = decimal("28.80");
    order.shipping[0].price = decimal("6.00");
    let id = store.place(order);
    sums_hold(&store, id);
    let totals = store.state().orders[&id].totals();
    assert_eq!((totals.total.shop, totals.tax.shop), (decimal("63.60"), decimal("10.60")));
}

#[tokio::test]
async fn an_edit_leaves_the_total_and_lowers_what_is_current_as_recorded() {
    let store = store();
    let mut order = paid_order();
    order.lines.truncate(1);
    order.shipping.clear();
    let id = store.place(order);
    let first = store.order(id).unwrap().lines[0].id;
    store.edit(id, &[(first, 1)], Vec::new());
    let totals = store.state().orders[&id].totals();
    assert_eq!((totals.total.shop, totals.tax.shop), (decimal("57.60"), decimal("9.60")));
    assert_eq!((totals.current_total.shop, totals.current_tax.shop), (decimal("28.80"), decimal("4.80")));
    sums_hold(&store, id);
}

#[tokio::test]
async fn an_added_line_raises_the_total_and_is_paid_separately() {
    let store = store();
    let id = store.place(paid_order());
    store.edit(id, &[], vec![line("CAP-GREEN", 1)]);
    assert_eq!(store.order(id).unwrap().financial_status, "partially_paid");
    assert_eq!(store.outstanding(id), decimal("22.80"));
    store.pay(id);
    assert_eq!(store.order(id).unwrap().financial_status, "paid");
    sums_hold(&store, id);
}

#[tokio::test]
async fn selling_commits_and_sending_lowers_what_is_on_hand() {
    let store = store();
    let before = level(&store, "TEE-WHITE-M");
    let id = store.place(paid_order());
    assert_eq!(level(&store, "TEE-WHITE-M"), (before.0 - 2, 2, before.2));
    store.send_all();
    assert_eq!(level(&store, "TEE-WHITE-M"), (before.0 - 2, 0, before.2 - 2));
    assert_eq!(store.order(id).unwrap().fulfillment_status, Some("fulfilled"));
}

#[tokio::test]
async fn a_cancelled_order_gives_money_and_stock_back() {
    let store = store();
    let before = level(&store, "TEE-WHITE-M");
    let id = store.place(paid_order());
    store.cancel(id, "customer", false);
    let order = store.order(id).unwrap();
    assert_eq!((order.financial_status, order.cancelled), ("refunded", true));
    assert_eq!(order.current_total, Decimal::ZERO);
    assert_eq!(level(&store, "TEE-WHITE-M"), before);
    assert!(!store.state().orders[&id].fulfillable());
}

#[tokio::test]
async fn a_cancelled_reservation_is_released_not_refunded() {
    let store = store();
    let id = store.place(NewOrder { payment: Payment::Authorized, ..paid_order() });
    assert_eq!(store.order(id).unwrap().financial_status, "authorized");
    store.cancel(id, "customer", false);
    assert_eq!(store.order(id).unwrap().financial_status, "voided");
    assert!(store.state().orders[&id].refunded().is_zero());
}

#[tokio::test]
async fn money_back_without_goods_is_a_discrepancy_and_changes_no_line() {
    let store = store();
    let id = store.place(paid_order());
    store.refund_money(id, decimal("2.00"), "Arrived late");
    let state = store.state();
    let order = &state.orders[&id];
    assert_eq!(order.financial_status(), "partially_refunded");
    assert_eq!(order.refunds[0].discrepancy.unwrap().1.shop, decimal("-2.00"));
    assert!(order.lines.iter().all(|line| line.current() == line.quantity));
}

#[tokio::test]
async fn all_of_an_order_back_is_all_of_its_money_and_puts_the_goods_on_the_shelf() {
    let store = store();
    let before = level(&store, "TEE-WHITE-M");
    let mut order = paid_order();
    order.lines.push(line("GIFT-50", 1));
    let id = store.place(order);
    store.refund_all(id, "Not as expected");
    assert!(store.state().orders[&id].refunds.is_empty(), "nothing was sent yet: it is cancelled instead");
    store.send_all();
    let first = store.order(id).unwrap().lines[0].id;
    store.refund_units(id, first, 1, "Too small");
    assert_eq!(level(&store, "TEE-WHITE-M"), (before.0 - 2, 0, before.2 - 2), "what is too small is no stock");
    store.refund_all(id, "Not as expected");
    assert_eq!(level(&store, "TEE-WHITE-M"), (before.0 - 1, 0, before.2 - 1));
    let seen = store.order(id).unwrap();
    assert_eq!((seen.financial_status, seen.current_total), ("refunded", Decimal::ZERO));
    let state = store.state();
    let refund = &state.orders[&id].refunds[1];
    let restocked: Vec<&str> = refund.lines.iter().map(|line| line.restock.word()).collect();
    // A gift card has no shelf.
    assert_eq!(restocked, ["return", "return", "no_restock"]);
    assert!(refund.discrepancy.is_none(), "{refund:?}");
}

#[tokio::test]
async fn shipping_goes_back_once_with_its_tax() {
    let store = store();
    let id = store.place(paid_order());
    assert!(store.refund_shipping(id, "Arrived late"));
    assert!(!store.refund_shipping(id, "Arrived late"), "it went back already");
    let state = store.state();
    let order = &state.orders[&id];
    assert_eq!((order.refunds.len(), order.refunds[0].discrepancy), (1, None));
    assert_eq!(order.refunded().shop, decimal("6.00"));
    let totals = order.totals();
    assert_eq!((totals.current_shipping.shop, totals.current_total.shop), (Decimal::ZERO, decimal("73.14")));
    assert_eq!(order.outstanding().shop, Decimal::ZERO);
}

#[tokio::test]
async fn what_came_back_to_the_shelf_is_told_by_place() {
    let store = store();
    let mut order = paid_order();
    order.lines.push(line("PRINT-A2", 1));
    let id = store.place(order);
    store.send_all();
    store.refund_all(id, "Not as expected");
    let back = store.returned_goods(&HashSet::new());
    let content = vec![
        ("vienna", "TEE-WHITE-M".to_owned(), 2),
        ("vienna", "MUG-300".to_owned(), 1),
        ("graz", "PRINT-A2".to_owned(), 1),
    ];
    assert_eq!(back.iter().map(|goods| (goods.order, goods.content.clone())).collect::<Vec<_>>(), [(id, content)]);
    assert!(store.returned_goods(&HashSet::from([back[0].refund])).is_empty());
}

#[tokio::test]
async fn an_item_of_the_second_place_makes_a_second_fulfilment_order() {
    let store = store();
    let mut order = paid_order();
    order.lines.push(line("PRINT-A2", 1));
    let id = store.place(order);
    let state = store.state();
    let places: Vec<u64> = state.orders[&id].fulfillment_orders.iter().map(|one| one.location).collect();
    assert_eq!(places, state.locations.keys().copied().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_needs_no_parcel_is_handed_over_when_it_is_paid() {
    let store = store();
    let mut order = paid_order();
    order.payment = Payment::Authorized;
    order.lines.push(line("GIFT-50", 1));
    let id = store.place(order);
    assert_eq!(store.order(id).unwrap().fulfillment_status, None);
    store.capture(id);
    let order = store.order(id).unwrap();
    assert_eq!((order.financial_status, order.fulfillment_status), ("paid", Some("partial")));
    assert_eq!(store.state().orders[&id].fulfillments.len(), 1);
}

#[tokio::test]
async fn an_order_with_wrong_sums_states_more_than_its_parts() {
    let store = store();
    let id = store.place(NewOrder { skew: decimal("1.00"), ..paid_order() });
    let body = bodies::of(&store.state(), &About::Order(id)).unwrap();
    assert_eq!(body["total_price"], "80.14");
    assert_eq!(body["subtotal_price"], "60.95");
}
