//! First writes that wait for a person's word.

use tonic::{Code, Request, Status};
use waybill_domain::Snapshot;
use waybill_proto::wire::{
    self, ApproveRequest, ListApprovalsRequest, RefuseRequest, Revision, deliveries_server::Deliveries as _,
    list_approvals_response::Approval,
};
use waybill_testkit::records::order;

use super::bench::Bench;
use crate::store::{
    claim,
    settle::{self, Back},
};

const OVER_500: &str = r#"approval = 'order.total > decimal("500")'"#;

fn dear(number: u64, revision: i64) -> Snapshot {
    let email = format!("{number}@example.com");
    order(number).paid().by(&email).with_line("TENT", revision, "600.00").at_revision(revision)
}

fn key(number: u64) -> Option<wire::RecordKey> {
    Some(wire::RecordKey { store: "main".to_owned(), kind: "order".to_owned(), id: number.to_string() })
}

impl Bench {
    async fn approvals(&self) -> Vec<Approval> {
        let request = Request::new(ListApprovalsRequest::default());
        self.people().list_approvals(request).await.unwrap().into_inner().approvals
    }

    async fn approve(&self, number: u64, seen: Option<i64>) -> Result<i64, Status> {
        let request = ApproveRequest {
            system: "erp".to_owned(),
            key: key(number),
            actor: "ada".to_owned(),
            reason: "known customer".to_owned(),
            seen: seen.map(|number| Revision { epoch: 1, number }),
        };
        Ok(self.people().approve(Request::new(request)).await?.into_inner().changed)
    }

    async fn refuse(&self, number: u64, reason: &str) -> Result<i64, Status> {
        let request = RefuseRequest {
            system: "erp".to_owned(),
            key: key(number),
            actor: "ada".to_owned(),
            reason: reason.to_owned(),
            seen: None,
        };
        Ok(self.people().refuse(Request::new(request)).await?.into_inner().changed)
    }
}

#[tokio::test]
async fn a_dear_order_waits_for_a_person_is_listed_with_its_total_and_goes_once_it_is_approved() {
    let bench = bench!();
    bench.obey(OVER_500, "");
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.hear(dear(2, 1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "waiting approval"]);
    let [approval] = &bench.approvals().await[..] else { panic!("one waits") };
    assert_eq!((approval.flow.as_str(), approval.total.as_str()), ("orders", "600.00 EUR"));
    assert_eq!(approval.condition, "order.total > decimal(\"500\")");
    assert_eq!(approval.delivery.as_ref().unwrap().name, "#2");
    assert!(approval.since.is_some());

    assert_eq!(bench.approve(2, Some(1)).await.unwrap(), 1);
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "applied"], "it is decided at once, not when it is looked at again");
    assert_eq!(bench.approvals().await, []);
    assert_eq!(bench.audited().await, ["approve"]);
    assert_eq!(bench.approve(2, None).await.unwrap(), 0, "it does not wait any more");
}

#[tokio::test]
async fn a_refused_order_ends_as_ignored_and_its_next_change_asks_again() {
    let bench = bench!();
    bench.obey(OVER_500, "");
    bench.hear(dear(1, 1)).await;
    bench.round().await;
    assert_eq!(bench.refuse(1, "").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(bench.refuse(1, "a fraud").await.unwrap(), 1);
    assert_eq!(bench.states().await, ["ignored refused"]);
    assert_eq!(bench.receipts().await, ["1..1 ignored"]);
    assert_eq!((bench.audited().await, bench.in_flight().await), (vec!["refuse".to_owned()], 0));
    bench.round().await;
    assert_eq!(bench.calls(), 0);

    bench.hear(dear(1, 2)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["waiting approval"]);
}

#[tokio::test]
async fn an_order_that_has_changed_since_it_was_seen_is_not_approved() {
    let bench = bench!();
    bench.obey(OVER_500, "");
    bench.hear(dear(1, 2)).await;
    bench.round().await;
    assert_eq!(bench.approve(1, Some(1)).await.unwrap_err().code(), Code::FailedPrecondition);
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["waiting approval".to_owned()], 0));
    assert_eq!(bench.approve(1, Some(2)).await.unwrap(), 1);
}

#[tokio::test]
async fn an_approval_while_the_order_is_decided_anew_is_not_lost() {
    let bench = bench!();
    bench.obey(OVER_500, "");
    bench.hear(dear(1, 1)).await;
    bench.round().await;
    bench.let_time_pass().await;
    // A worker holds it, has read it before the word came, and lets it wait on.
    let claim = claim::claim(bench.pool(), "erp", 1, 60.0).await.unwrap().remove(0);
    assert_eq!(bench.approve(1, None).await.unwrap(), 1);
    let back = Back::waiting(&claim, 30.0, "approval", String::new(), "");
    settle::put_back(&mut bench.pool().acquire().await.unwrap(), &back).await.unwrap();
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
}
