//! Since when a plan's flows are there for each store, and what follows a person to another address.

use jiff::Timestamp;
use waybill_domain::{Body, Snapshot, document::FieldValue};
use waybill_testkit::records::order;

use super::{bench::Bench, bodies::record_of};
use crate::store::{
    flows::{self, Way},
    sent,
};

fn way(flow: &str, store: &str) -> Way {
    Way { flow: flow.to_owned(), store: store.to_owned(), kind: "order".to_owned(), system: "erp".to_owned() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

impl Bench {
    /// Notes a plan's ways, and gives since when each is there: the second.
    async fn note(&self, ways: &[Way], second: i64) -> Vec<i64> {
        let mut db = self.pool().acquire().await.unwrap();
        flows::note(&mut db, ways, at(second)).await.unwrap();
        let all = flows::all(&mut db).await.unwrap();
        ways.iter().map(|way| all[&way.flow].active_since[&way.store].as_second() - at(0).as_second()).collect()
    }
}

#[tokio::test]
async fn another_store_of_a_flow_is_new_whatever_was_delivered_for_the_first() {
    let bench = bench!();
    bench.hear(order(1).paid().at_revision(1)).await;
    let two = [way("orders", "main"), way("orders", "wholesale")];
    assert_eq!(bench.note(&two, 2).await[1], 2);
    assert_eq!(bench.note(&[&two[..], &[way("more", "outlet")]].concat(), 3).await[1..], [2, 3]);
}

#[tokio::test]
async fn a_flow_with_another_name_goes_on_from_the_one_that_it_replaces() {
    let bench = bench!();
    assert_eq!(bench.note(&[way("o", "main")], 1).await, [1]);
    assert_eq!(bench.note(&[way("orders-to-erp", "main")], 2).await, [1]);
    assert_eq!(bench.note(&[way("o", "main")], 3).await, [1], "and is itself when it is back");
    assert_eq!(bench.note(&[way("outlets", "outlet")], 4).await, [4], "what did it for another store is not replaced");
}

#[tokio::test]
async fn what_was_kept_for_a_flow_alone_holds_for_the_stores_that_it_has_then() {
    let bench = bench!();
    sqlx::query("insert into flow_state (flow, active_since) values ('o', $1::timestamptz)")
        .bind(at(-5).to_string())
        .execute(bench.pool())
        .await
        .unwrap();
    assert_eq!(bench.note(&[way("o", "main")], 1).await, [-5]);
    assert_eq!(bench.note(&[way("o", "main"), way("o", "wholesale")], 2).await, [-5, 2]);
}

fn moved(email: &str, number: i64) -> Snapshot {
    let mut person = order(1).build().customer.unwrap();
    person.email = email.into();
    let mut snapshot = record_of(&person);
    snapshot.revision.number = number;
    snapshot
}

#[tokio::test]
async fn what_was_sent_of_a_person_goes_with_them_to_another_address() {
    let bench = bench!();
    bench.obey("\n[[flows]]\nname = \"customers\"\nkind = \"customer\"\nto = \"erp\"\n", "");
    bench.hear(moved("ada@example.com", 1)).await;
    let (old, new) = (key(&moved("ada@example.com", 1)), key(&moved("grace@example.com", 2)));
    let mut db = bench.pool().acquire().await.unwrap();
    let fields = [("tier".to_owned(), FieldValue::Text("gold".into()))].into();
    let kept = (old.clone(), "customer".to_owned(), fields);
    sent::keep(&mut db, "erp", &[&kept]).await.unwrap();
    bench.hear(moved("grace@example.com", 2)).await;
    let known = sent::of(&mut db, "erp", &[old.clone(), new.clone()]).await.unwrap();
    assert_eq!(known.get(&new), known.get(&old));
    assert!(known.contains_key(&new) && new != old);
}

fn key(snapshot: &Snapshot) -> String {
    assert!(matches!(snapshot.body, Some(Body::Customer(_))));
    waybill_plan::target_key(snapshot)
}
