//! What systems hold, compared with what was brought there.

use std::time::{Duration, Instant};

use tonic::{Code, Request, Status};
use waybill_connector::Failure;
use waybill_domain::{Kind, RecordKey, Snapshot};
use waybill_proto::wire::{AuditRequest, AuditResponse, audit_finding::What, deliveries_server::Deliveries as _};
use waybill_testkit::records::order;

use super::bench::Bench;

const BY_NAME: &str = "fields = { description = \"order.name\" }";

fn bought(number: u64) -> Snapshot {
    let email = format!("{number}@example.com");
    order(number).paid().by(&email).with_line("TEE", 1, "24.00").at_revision(1)
}

fn look() -> AuditRequest {
    AuditRequest::default()
}

fn heal() -> AuditRequest {
    AuditRequest { heal: true, actor: "ada".to_owned(), reason: "a backup".to_owned(), ..look() }
}

impl Bench {
    async fn audit(&self, request: AuditRequest) -> Result<AuditResponse, Status> {
        self.people().audit(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// Whether the first order is there, as a refund of it is decided.
    async fn holds_the_order_of_a_refund(&self) -> bool {
        let key = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
        let mut connection = self.pool().acquire().await.unwrap();
        crate::store::facts::others(&mut connection, "erp", &[key]).await.unwrap()[0].applied_once
    }

    /// One that holds these orders.
    async fn hold(&self, orders: u64) {
        self.obey(BY_NAME, "");
        for number in 1..=orders {
            self.hear(bought(number)).await;
        }
        self.round().await;
    }
}

/// Record, what and field of each finding.
fn findings(answer: &AuditResponse) -> Vec<(String, What, String)> {
    let name = |finding: &waybill_proto::wire::AuditFinding| finding.delivery.as_ref().unwrap().name.clone();
    answer.findings.iter().map(|finding| (name(finding), finding.what(), finding.field.clone())).collect()
}

fn missing(name: &str) -> (String, What, String) {
    (name.to_owned(), What::Missing, String::new())
}

#[tokio::test]
async fn what_the_system_lost_is_named_and_nothing_is_written() {
    let bench = bench!();
    bench.hold(3).await;
    let clean = bench.audit(look()).await.unwrap();
    assert_eq!((clean.compared, findings(&clean)), (3, Vec::new()));
    bench.lose("#2");
    let answer = bench.audit(look()).await.unwrap();
    assert_eq!((answer.compared, findings(&answer)), (3, vec![missing("#2")]));
    bench.round().await;
    assert_eq!((bench.calls(), bench.audited().await), (3, Vec::<String>::new()));
}

#[tokio::test]
async fn a_page_of_a_slow_system_ends_early_and_the_next_ones_go_on_where_it_ended() {
    let bench = bench!();
    bench.hold(20).await;
    bench.lose("#1");
    bench.lose("#20");
    bench.look_slowly(Duration::from_millis(300));
    let since = Instant::now();
    let mut pages = vec![bench.audit(look()).await.unwrap()];
    assert!(since.elapsed() < Duration::from_secs(6), "a page took {:?}", since.elapsed());
    while pages.last().unwrap().more {
        let after = pages.last().unwrap().cursor.clone();
        pages.push(bench.audit(AuditRequest { after, ..look() }).await.unwrap());
    }
    let compared: Vec<i64> = pages.iter().map(|page| page.compared).collect();
    assert!(compared[0] < 20, "{compared:?}");
    assert_eq!(compared.iter().sum::<i64>(), 20, "{compared:?}");
    assert_eq!(pages.iter().flat_map(findings).collect::<Vec<_>>(), [missing("#1"), missing("#20")]);
}

#[tokio::test]
async fn what_the_system_lost_is_written_again_once_and_the_next_audit_is_clean() {
    let bench = bench!();
    bench.hold(2).await;
    bench.lose("#2");
    let healed = bench.audit(heal()).await.unwrap();
    assert_eq!((healed.healed, healed.findings[0].healed), (1, true));
    bench.round().await;
    assert_eq!((bench.created(), bench.calls(), bench.looks()), (vec!["#1".to_owned(), "#2".to_owned()], 3, 1));
    assert_eq!(bench.states().await, ["applied", "applied"]);
    assert_eq!(bench.audited().await, ["heal"]);
    assert_eq!(findings(&bench.audit(heal()).await.unwrap()), []);
    assert_eq!(bench.audited().await, ["heal"]);
}

#[tokio::test]
async fn what_came_back_before_it_is_written_again_is_found_and_not_made_a_second_time() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.audit(heal()).await.unwrap();
    bench.put_back(1);
    bench.round().await;
    assert_eq!((bench.created(), bench.states().await), (vec!["#1".to_owned()], vec!["applied".to_owned()]));
}

#[tokio::test]
async fn what_is_lost_is_written_whatever_the_plan_says_of_edits_and_times() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.obey(&format!("on_edit = \"park\"\ntiming = {{ hold_minutes = 10 }}\n{BY_NAME}"), "");
    bench.audit(heal()).await.unwrap();
    bench.round().await;
    assert_eq!((bench.created(), bench.states().await), (vec!["#1".to_owned()], vec!["applied".to_owned()]));
}

#[tokio::test]
async fn what_is_lost_past_the_point_of_no_return_is_for_a_person() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.obey(&format!("point_of_no_return = \"order.captured\"\n{BY_NAME}"), "");
    let answer = bench.audit(heal()).await.unwrap();
    assert_eq!((findings(&answer), answer.healed), (vec![missing("#1")], 0));
    assert_eq!(answer.findings[0].message, "for a person: the plan's point of no return is past");
    bench.round().await;
    assert_eq!((bench.created(), bench.audited().await), (Vec::<String>::new(), Vec::<String>::new()));
}

#[tokio::test]
async fn what_belongs_to_a_lost_order_waits_until_it_is_back() {
    let bench = bench!();
    bench.hold(1).await;
    assert!(bench.holds_the_order_of_a_refund().await);
    bench.lose("#1");
    bench.audit(heal()).await.unwrap();
    assert!(!bench.holds_the_order_of_a_refund().await);
    bench.round().await;
    assert!(bench.holds_the_order_of_a_refund().await);
}

#[tokio::test]
async fn a_lost_record_that_parks_on_its_way_back_is_still_lost() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.audit(heal()).await.unwrap();
    bench.answer(super::Answer::Fail(Failure::rejected("x", "", "no")));
    bench.round().await;
    assert_eq!(bench.states().await, ["parked x"]);
    assert_eq!(bench.retry().await, 1);
    bench.round().await;
    assert_eq!((bench.created(), bench.states().await), (vec!["#1".to_owned()], vec!["applied".to_owned()]));
}

#[tokio::test]
async fn a_colleagues_value_in_a_field_of_the_store_is_set_back_and_told_only_if_asked_for() {
    let bench = bench!();
    bench.hold(1).await;
    bench.edit("#1", "description", "mine");
    let answer = bench.audit(look()).await.unwrap();
    assert_eq!(findings(&answer), [("#1".to_owned(), What::Differs, "description".to_owned())]);
    let finding = &answer.findings[0];
    assert_eq!((finding.owner.as_str(), finding.heals, &finding.there), ("store", true, &None));
    let told = bench.audit(AuditRequest { values: true, ..heal() }).await.unwrap();
    let finding = &told.findings[0];
    assert_eq!((finding.sent.as_deref(), finding.there.as_deref()), (Some("#1"), Some("mine")));
    bench.round().await;
    assert_eq!(bench.shown("#1", "description"), "#1");
    assert_eq!(findings(&bench.audit(look()).await.unwrap()), []);
}

#[tokio::test]
async fn a_colleagues_value_in_a_field_of_the_system_is_left() {
    let bench = bench!();
    bench.obey(BY_NAME, "[kinds.order]\nowner = \"store\"\nfields = { name = \"erp\" }");
    bench.hear(bought(1)).await;
    bench.round().await;
    bench.edit("#1", "description", "theirs");
    let answer = bench.audit(heal()).await.unwrap();
    let finding = &answer.findings[0];
    assert_eq!((finding.owner.as_str(), finding.heals, answer.healed), ("erp", false, 0));
    assert_eq!(finding.stands(), waybill_proto::wire::audit_finding::Stands::Theirs);
    bench.round().await;
    assert_eq!((bench.shown("#1", "description"), bench.calls()), ("theirs".to_owned(), 1));
}

#[tokio::test]
async fn two_objects_with_one_key_are_both_named_and_neither_is_touched() {
    let bench = bench!();
    bench.hold(1).await;
    bench.double("#1");
    let answer = bench.audit(heal()).await.unwrap();
    let finding = &answer.findings[0];
    assert_eq!((finding.what(), finding.ids.as_slice()), (What::Doubled, ["7".to_owned(), "8".to_owned()].as_slice()));
    assert_eq!((answer.healed, bench.created().len()), (0, 2));
}

#[tokio::test]
async fn what_is_on_its_way_is_counted_and_not_compared() {
    let bench = bench!();
    bench.hold(2).await;
    bench.lose("#1");
    bench.hear(order(1).paid().by("1@example.com").with_line("TEE", 2, "24.00").at_revision(2)).await;
    let answer = bench.audit(look()).await.unwrap();
    assert_eq!((answer.compared, answer.in_flight, findings(&answer)), (1, 1, Vec::new()));
}

#[tokio::test]
async fn what_changes_during_a_look_is_not_told_of() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.look_slowly(Duration::from_millis(300));
    let newer = order(1).paid().by("1@example.com").with_line("TEE", 2, "24.00").at_revision(2);
    let meanwhile = async {
        bench.until_an_audit_looks().await;
        bench.hear(newer).await;
    };
    let (answer, ()) = tokio::join!(bench.audit(heal()), meanwhile);
    let answer = answer.unwrap();
    assert_eq!((answer.compared, answer.in_flight, answer.healed), (0, 1, 0));
    assert_eq!((findings(&answer), bench.audited().await), (Vec::new(), Vec::<String>::new()));
}

#[tokio::test]
async fn a_system_that_is_held_is_not_asked_and_refused_credentials_hold_it() {
    let bench = bench!();
    bench.hold(1).await;
    bench.fail_looks(Some(Failure::Unauthorized { message: "401".to_owned() }));
    bench.let_checks_pass(false);
    let answer = bench.audit(look()).await.unwrap();
    assert_eq!((answer.compared, answer.unasked[0].system.as_str()), (0, "erp"));
    assert_eq!(bench.condition().await, "unauthorized");
    // The connector would answer by now, and is not asked.
    bench.fail_looks(None);
    let answer = bench.audit(look()).await.unwrap();
    assert_eq!((answer.compared, answer.unasked[0].reason.as_str()), (0, "its credentials are refused: 401"));
}

#[tokio::test]
async fn a_limit_is_waited_for_and_the_page_comes_again() {
    let bench = bench!();
    bench.hold(1).await;
    bench.lose("#1");
    bench.fail_looks(Some(Failure::RateLimited { retry_after: std::time::Duration::from_millis(20) }));
    let wait = bench.audit(look()).await.unwrap();
    assert_eq!((wait.compared, wait.wait_ms, wait.more), (0, 20, true));
    bench.fail_looks(None);
    let answer = bench.audit(AuditRequest { after: wait.cursor, ..look() }).await.unwrap();
    assert_eq!(findings(&answer), [missing("#1")]);
}

#[tokio::test]
async fn an_audit_goes_page_by_page_to_its_end() {
    let bench = bench!();
    bench.hold(3).await;
    let (mut request, mut compared) = (AuditRequest { limit: 2, ..look() }, Vec::new());
    loop {
        let page = bench.audit(request.clone()).await.unwrap();
        compared.push(page.compared);
        if !page.more {
            break;
        }
        request.after = page.cursor;
    }
    assert_eq!(compared, [2, 1, 0]);
    let others = AuditRequest { system: "books".to_owned(), ..look() };
    assert_eq!(bench.audit(others).await.unwrap().compared, 0);
    let nobody = AuditRequest { actor: String::new(), ..heal() };
    assert_eq!(bench.audit(nobody).await.unwrap_err().code(), Code::InvalidArgument);
}
