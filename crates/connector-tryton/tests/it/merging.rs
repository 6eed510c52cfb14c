//! A colleague merges one party into another.

use serde_json::Value as Json;
use waybill_connector::Known;
use waybill_domain::document::OrderDocument;

use crate::{
    before_us::{party, recognised},
    bench::Bench,
    documents::{order, refund, with_comment},
};

async fn party_of(bench: &Bench, order: &OrderDocument) -> Json {
    bench.sale(order).await["party."]["id"].clone()
}

/// The next order, the next revision of the first one and its refund find the party that is left.
async fn a_merged_party_is_followed(bench: &mut Bench, first: OrderDocument) {
    let known = bench.book(1, &first, Known::new()).await.unwrap();
    let source = party_of(bench, &first).await;
    let code = bench.merge_party(&source).await;
    let mut second = order(2);
    second.customer = first.customer.clone();
    bench.book(2, &second, Known::new()).await.unwrap();
    assert_eq!(bench.sale(&second).await["party."]["code"], code);
    bench.book(1, &with_comment(first.clone(), "ring twice"), known).await.unwrap();
    let sale = bench.sale(&first).await;
    assert_eq!((sale["party."]["code"].as_str(), sale["comment"].as_str()), (Some(code), Some("ring twice")));
    let refund = refund(1, &first);
    bench.give_back(1, &refund, Known::new()).await.unwrap();
    let sale = bench.returned(&refund).await;
    assert_eq!((sale["party."]["code"].as_str(), sale["state"].as_str()), (Some(code), Some("processing")));
}

/// Our key is an identifier of the party, which sleeps at the party that is left.
async fn an_adopted_party_is_followed(bench: &mut Bench) {
    let order = recognised(order(1));
    let email = order.customer.as_ref().unwrap().email.expose();
    let id = party(bench, "J. Roe", &[("email", email)]).await;
    a_merged_party_is_followed(bench, order.clone()).await;
    assert_ne!(party_of(bench, &order).await, id);
}

#[tokio::test]
async fn a_merged_party_is_followed_in_the_simulated_tryton() {
    a_merged_party_is_followed(&mut Bench::simulated().await, order(1)).await;
}

#[tokio::test]
async fn a_merged_party_is_followed_in_a_real_tryton() {
    if let Some(mut bench) = Bench::real().await {
        a_merged_party_is_followed(&mut bench, order(1)).await;
    }
}

#[tokio::test]
async fn an_adopted_party_is_followed_in_the_simulated_tryton() {
    an_adopted_party_is_followed(&mut Bench::simulated().await).await;
}

#[tokio::test]
async fn an_adopted_party_is_followed_in_a_real_tryton() {
    if let Some(mut bench) = Bench::real().await {
        an_adopted_party_is_followed(&mut bench).await;
    }
}
