//! A colleague merges one party into another.

use waybill_connector::Known;

use crate::{
    bench::Bench,
    documents::{order, with_comment},
};

/// The next order and the next revision of the first one find the party that is left.
async fn a_merged_party_is_followed(mut bench: Bench) {
    let first = order(1);
    let known = bench.book(1, &first, Known::new()).await.unwrap();
    let code = bench.merge_party(&first).await;
    let mut second = order(2);
    second.customer = first.customer.clone();
    bench.book(2, &second, Known::new()).await.unwrap();
    assert_eq!(bench.sale(&second).await["party."]["code"], code);
    bench.book(1, &with_comment(first.clone(), "ring twice"), known).await.unwrap();
    let sale = bench.sale(&first).await;
    assert_eq!((sale["party."]["code"].as_str(), sale["comment"].as_str()), (Some(code), Some("ring twice")));
}

#[tokio::test]
async fn a_merged_party_is_followed_in_the_simulated_tryton() {
    a_merged_party_is_followed(Bench::simulated().await).await;
}

#[tokio::test]
async fn a_merged_party_is_followed_in_a_real_tryton() {
    if let Some(bench) = Bench::real().await {
        a_merged_party_is_followed(bench).await;
    }
}
