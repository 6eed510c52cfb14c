//! Deliveries that were settled long ago give up their bodies, and are worked on again all the same.

use std::time::Duration;

use waybill_connector::Failure;
use waybill_domain::{
    Body, Kind, Revision, Snapshot,
    customer::{Customer, Person},
};
use waybill_runtime::{Metrics, database};
use waybill_testkit::records::{OrderBuilder, order, snapshot};

use super::bench::{Answer, Bench};
use crate::{
    Ledger, decide_anew,
    ledger::{Observed, Origin},
    pruning,
    store::bodies,
};

const A_DAY: Duration = Duration::from_secs(86_400);

fn one(number: u64) -> OrderBuilder {
    order(number).paid().by(&format!("buyer-{number}@example.com")).with_line("TEE", 1, "24.00")
}

/// The store's own record of a buyer.
pub(super) fn record_of(person: &Person) -> Snapshot {
    let customer = Customer {
        id: person.id.clone(),
        created_at: None,
        first_name: "Ada".into(),
        last_name: person.last_name.clone(),
        email: person.email.clone(),
        email_consent: String::new(),
        phone: person.phone.clone(),
        verified_email: true,
        state: "enabled".to_owned(),
        note: String::new().into(),
        tax_exempt: false,
        tags: Vec::new(),
        default_address: None,
    };
    snapshot(Kind::Customer, person.id.clone(), 1, Body::Customer(Box::new(customer)))
}

impl Bench {
    async fn let_a_hundred_days_pass(&self) {
        let earlier = "update delivery set changed_at = changed_at - interval '100 days'";
        sqlx::query(earlier).execute(self.pool()).await.unwrap();
    }

    /// What goes by age goes; gives what the metrics tell of it.
    async fn prune_bodies(&self) -> String {
        let metrics = Metrics::default();
        pruning::run(self.pool(), &metrics, 30 * A_DAY, 90 * A_DAY).await.unwrap();
        metrics.render()
    }

    /// Which deliveries have a body, by record.
    async fn bodies(&self) -> Vec<bool> {
        let is_there = "select octet_length(desired) > 0 from delivery order by record_id";
        sqlx::query_scalar(is_there).fetch_all(self.pool()).await.unwrap()
    }

    /// The store's ledger has it, and the engine hears of it.
    pub(super) async fn observe_and_hear(&self, snapshot: Snapshot) -> Snapshot {
        let said = self.observe(snapshot).await;
        self.hear(said.clone()).await;
        said
    }

    /// The store's ledger has it; gives what it says.
    pub(super) async fn observe(&self, snapshot: Snapshot) -> Snapshot {
        let now = self.engine().now();
        let observed = Observed {
            content_hash: snapshot.body.as_ref().unwrap().content_hash(),
            body: snapshot.body.clone(),
            key: snapshot.key.clone(),
            origin: Origin::Refetched { began_at: now, source_updated_at: None },
            traceparent: String::new(),
        };
        let mut transaction = database::begin(self.pool()).await.unwrap();
        let ledger = Ledger::new(self.pool().clone());
        ledger.observe(&mut transaction, &observed, now).await.unwrap();
        transaction.commit().await.unwrap();
        let (epoch, number): (i64, i64) = sqlx::query_as("select epoch, number from revision order by id desc limit 1")
            .fetch_one(self.pool())
            .await
            .unwrap();
        Snapshot { revision: Revision { epoch, number }, ..snapshot }
    }

    async fn wake(&self, snapshot: &Snapshot) {
        let mut connection = self.pool().acquire().await.unwrap();
        decide_anew(&mut connection, std::slice::from_ref(&snapshot.key), &["erp".to_owned()]).await.unwrap();
    }
}

#[tokio::test]
async fn only_what_was_settled_long_ago_gives_up_its_body_and_every_count_stays() {
    let bench = bench!();
    bench.hear(one(1).at_revision(3)).await;
    bench.round().await;
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(one(2).at_revision(1)).await;
    bench.round().await;
    bench.hear(one(3).at_revision(2)).await;
    bench.let_a_hundred_days_pass().await;
    bench.hear(one(4).cancelled().at_revision(1)).await;
    sqlx::query("update delivery set due_at = now() + interval '1 day' where record_id = '3'")
        .execute(bench.pool())
        .await
        .unwrap();
    bench.round().await;
    let (before, in_flight) = (bench.states().await, bench.in_flight().await);
    assert_eq!(before, ["applied", "parked unknown_item", "pending", "ignored cancelled-before-applied"]);
    let told = bench.prune_bodies().await;
    assert_eq!(bench.bodies().await, [false, true, true, true], "parked, in flight, young");
    assert!(told.contains("{table=\"delivery\"} 1\n") && told.contains("{table=\"step\"} 1\n"), "{told}");
    assert_eq!((bench.states().await, bench.in_flight().await), (before, in_flight));
}

#[tokio::test]
async fn what_changes_after_its_body_went_is_written_once_and_numbered_on() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.let_a_hundred_days_pass().await;
    bench.prune_bodies().await;
    bench.hear(one(1).with_line("CAP", 1, "9.00").at_revision(2)).await;
    bench.round().await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.bodies().await), (2, vec![true]));
    assert_eq!(bench.receipts().await, ["1..1 applied", "2..2 applied"]);
}

#[tokio::test]
async fn what_is_decided_anew_has_its_body_fetched_from_its_source() {
    let Some(bench) = Bench::with_source().await else { return };
    let said = bench.observe_and_hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.let_a_hundred_days_pass().await;
    bench.prune_bodies().await;
    bench.wake(&said).await;
    bench.round().await;
    assert_eq!((bench.states().await, bench.bodies().await), (vec!["applied".to_owned()], vec![true]));
    assert_eq!(bench.calls(), 1, "it is as it was");
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_asked_again() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.let_a_hundred_days_pass().await;
    bench.prune_bodies().await;
    bench.wake(&one(1).at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["waiting source"]);
}

#[tokio::test]
async fn an_order_waits_for_what_its_buyers_own_record_says() {
    let bench = bench!();
    bench.obey("", "[[flows]]\nname = \"customers\"\nkind = \"customer\"\nto = \"erp\"");
    let bought = one(1).at_revision(1);
    let Some(Body::Order(order)) = &bought.body else { panic!("an order") };
    bench.hear(record_of(order.customer.as_ref().unwrap())).await;
    sqlx::query("update delivery set state = 'applied', desired = '', body_removed_at = now()")
        .execute(bench.pool())
        .await
        .unwrap();
    bench.hear(bought).await;
    sqlx::query(
        "with edited as (update delivery set edited = true where kind = 'order' returning id)
         insert into edit (delivery_id, path, value, instead_of, was, was_error, epoch, number, actor, reason)
         select id, 'customer.first_name', '{\"text\": \"Ada\"}', 'her own record', 'Eda', false, 1, 1, 'ada', 'typed wrong' from edited",
    )
    .execute(bench.pool())
    .await
    .unwrap();
    bench.round().await;
    let lapsed: i64 = sqlx::query_scalar("select count(*) from edit where lapsed_at is not null")
        .fetch_one(bench.pool())
        .await
        .unwrap();
    assert_eq!(lapsed, 0, "what the plan comes to is not known without that record");
    let states = bench.states().await;
    assert!(states.contains(&"waiting source".to_owned()) && states.contains(&"applied".to_owned()), "{states:?}");
    assert_eq!(bench.calls(), 0, "an old name would be written over a newer one");
}

#[tokio::test]
async fn what_its_source_has_no_more_ends_as_it_stood() {
    let Some(bench) = Bench::with_source().await else { return };
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.let_a_hundred_days_pass().await;
    bench.prune_bodies().await;
    bench.wake(&one(1).at_revision(1)).await;
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["applied".to_owned()], 1));
}

#[tokio::test]
async fn replicas_that_prune_at_once_do_not_wait_for_each_other() {
    let bench = bench!();
    for number in [1, 2] {
        bench.hear(one(number).at_revision(1)).await;
    }
    bench.round().await;
    bench.let_a_hundred_days_pass().await;
    let mut other = database::begin(bench.pool()).await.unwrap();
    sqlx::query("select from delivery where record_id = '1' for update").execute(&mut *other).await.unwrap();
    let removed = tokio::time::timeout(Duration::from_secs(10), bodies::remove(bench.pool(), 90 * A_DAY, 10));
    assert_eq!(removed.await.expect("no wait").unwrap().0, 1);
    assert_eq!(bench.bodies().await, [true, false]);
}
