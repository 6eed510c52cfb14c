//! What people do to parked deliveries.

use reqwest::{StatusCode, header};

use crate::{
    browser::Desk,
    world::{World, order, parked},
};

fn three_parked() -> World {
    World::default()
        .with(parked("erp", "1001", "unknown_item", "SKU TEE-M"))
        .with(parked("erp", "1002", "unknown_item", "SKU TEE-L"))
        .with(parked("erp", "1003", "totals", "off by 0.01"))
}

#[tokio::test]
async fn retry_all_takes_one_system_and_code() {
    let desk = Desk::open(three_parked()).await;
    let fields = [("system", "erp"), ("code", "unknown_item")];
    let page = desk.submit("/parked", "/parked/retry", &fields).await;
    assert_eq!(page.header(header::LOCATION), "/parked?retried=2");
    desk.get("/parked?retried=2").await.must_say("2 deliveries tried again");
}

#[tokio::test]
async fn a_retry_says_who_for_the_audit() {
    let desk = Desk::open(three_parked()).await;
    desk.submit("/parked", "/parked/retry", &[("system", "erp"), ("code", "totals")]).await;
    let world = desk.services.world();
    assert!(world.retried[0].actor.starts_with("console:"), "{:?}", world.retried);
}

#[tokio::test]
async fn a_retry_of_everything_by_an_empty_form_is_refused() {
    let desk = Desk::open(three_parked()).await;
    let page = desk.submit("/parked", "/parked/retry", &[("system", "erp")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(desk.services.world().retried.is_empty());
}

#[tokio::test]
async fn a_discard_takes_one_record_with_its_reason() {
    let desk = Desk::open(three_parked()).await;
    let fields = [("system", "erp"), ("store", "main"), ("kind", "order"), ("id", "1001"), ("reason", "test order")];
    let page = desk.submit("/waybills/main/order/1001", "/parked/discard", &fields).await;
    assert_eq!(page.header(header::LOCATION), "/waybills/main/order/1001?discarded=1");
    let world = desk.services.world();
    let discarded = &world.discarded[0];
    assert_eq!((discarded.key.as_ref(), discarded.reason.as_str()), (Some(&order("1001")), "test order"));
}

#[tokio::test]
async fn a_discard_without_a_reason_is_refused() {
    let desk = Desk::open(three_parked()).await;
    let fields = [("system", "erp"), ("store", "main"), ("kind", "order"), ("id", "1001"), ("reason", " ")];
    let page = desk.submit("/waybills/main/order/1001", "/parked/discard", &fields).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(desk.services.world().discarded.is_empty());
}

#[tokio::test]
async fn an_edit_gives_one_value_with_its_reason_and_one_that_is_not_there_is_told() {
    let desk = Desk::open(three_parked()).await;
    let edit = |path| {
        let record =
            [("system", "erp"), ("store", "main"), ("kind", "order"), ("id", "1001"), ("reason", "typed wrong")];
        [record.as_slice(), &[("path", path), ("value", "ada@example.com"), ("epoch", "1"), ("number", "3")]].concat()
    };
    let page = desk.submit("/waybills/main/order/1001", "/parked/edit", &edit("customer.email")).await;
    assert_eq!(page.header(header::LOCATION), "/waybills/main/order/1001?edited=1");
    let edited = desk.services.world().edited.remove(0);
    assert_eq!((edited.key.as_ref(), edited.reason.as_str()), (Some(&order("1001")), "typed wrong"));
    assert_eq!((edited.values[0].value.as_str(), edited.seen.unwrap().number), ("ada@example.com", 3));
    for wrong in [&edit("customer.email")[..7], &[&edit("customer.email")[..], &[("clear", "yes")]].concat()] {
        let page = desk.submit("/waybills/main/order/1001", "/parked/edit", wrong).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "nothing was seen, or a value and nothing: {wrong:?}");
    }
    assert!(desk.services.world().edited.is_empty());
    let page = desk.submit("/waybills/main/order/1001", "/parked/edit", &edit("nothing")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    page.must_say("there is no one value of that name");
}

#[tokio::test]
async fn a_service_that_a_retry_does_not_reach_is_named() {
    let mut world = three_parked();
    world.elsewhere.insert("crm-sync", "http://127.0.0.1:1".to_owned());
    let desk = Desk::open(world).await;
    let page = desk.submit("/parked", "/parked/retry", &[("system", "erp"), ("code", "totals")]).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    page.must_say("crm-sync");
    page.must_say("1 retried");
}
