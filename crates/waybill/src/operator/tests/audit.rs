//! `waybill audit`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use waybill_proto::wire::{
    self, AuditFinding, AuditRequest, AuditResponse, State, UnaskedSystem,
    audit_finding::{Stands, What},
};

use super::{
    run,
    suite::{Suite, delivery, order},
};

/// Findings of deliveries a page.
const PAGE: usize = 2;

/// What the service that delivers finds.
#[derive(Debug, Clone, Default)]
pub(super) struct Audited {
    findings: Vec<AuditFinding>,
    unasked: Option<&'static str>,
    /// How often the second page is still refused.
    refusals: Arc<AtomicU32>,
}

impl Audited {
    fn finding(mut self, id: &str, finding: AuditFinding) -> Self {
        let delivery = delivery("erp", order(id), State::Applied);
        self.findings.push(AuditFinding { delivery: Some(delivery), owner: "store".to_owned(), ..finding });
        self
    }

    fn missing(self, id: &str) -> Self {
        let stands = Stands::Ours.into();
        let what = What::Missing.into();
        self.finding(
            id,
            AuditFinding { what, role: "order".to_owned(), stands, heals: true, ..AuditFinding::default() },
        )
    }

    fn differing(self, id: &str, stands: Stands) -> Self {
        let finding = AuditFinding {
            what: What::Differs.into(),
            role: "customer".to_owned(),
            field: "phone".to_owned(),
            sent: Some("+43 1 555".to_owned()),
            there: Some("+43 1 666".to_owned()),
            heals: stands == Stands::Ours,
            stands: stands.into(),
            ..AuditFinding::default()
        };
        self.finding(id, finding)
    }

    fn doubled(self, id: &str) -> Self {
        let ids = vec!["7".to_owned(), "9".to_owned()];
        let stands = Stands::Person.into();
        self.finding(id, AuditFinding { what: What::Doubled.into(), ids, stands, ..AuditFinding::default() })
    }

    const fn unasked(mut self, reason: &'static str) -> Self {
        self.unasked = Some(reason);
        self
    }

    fn refusing(self, times: u32) -> Self {
        self.refusals.store(times, Ordering::SeqCst);
        self
    }

    /// Whether this page is refused, as by a service that is replaced.
    pub(super) fn refuses(&self, asked: &AuditRequest) -> bool {
        let less = |times: u32| times.checked_sub(1);
        !asked.after.is_empty() && self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    /// A page, and what was healed of it.
    pub(super) fn page(&self, asked: &AuditRequest) -> (AuditResponse, Vec<String>) {
        let passed: usize = asked.after.strip_prefix("erp/order/").map_or(0, |passed| passed.parse().unwrap());
        let unasked = self.unasked.filter(|_| asked.after.is_empty());
        let unasked = unasked.map(|reason| UnaskedSystem { system: "crm".to_owned(), reason: reason.to_owned() });
        let end = self.findings.len().min(passed + PAGE.min(asked.limit as usize));
        let mut answer = AuditResponse {
            cursor: format!("erp/order/{end}"),
            more: end < self.findings.len(),
            compared: (end - passed) as i64,
            unasked: unasked.into_iter().collect(),
            systems: vec!["erp".to_owned()],
            ..AuditResponse::default()
        };
        let mut healed = Vec::new();
        for finding in &self.findings[passed..end] {
            let mut finding = finding.clone();
            if !asked.values {
                (finding.sent, finding.there) = (None, None);
            }
            finding.healed = asked.heal && finding.heals;
            if finding.healed {
                healed.push(format!("heal {} {}", name(&finding), asked.reason).trim_end().to_owned());
            }
            answer.findings.push(finding);
        }
        answer.healed = healed.len() as i64;
        (answer, healed)
    }
}

fn name(finding: &AuditFinding) -> &str {
    finding.delivery.as_ref().map_or("", |delivery: &wire::Delivery| &delivery.name)
}

fn four() -> Suite {
    let found = Audited::default()
        .missing("1001")
        .differing("1002", Stands::Ours)
        .differing("1003", Stands::Theirs)
        .doubled("1004");
    Suite::default().auditing(found)
}

#[tokio::test]
async fn an_audit_names_what_differs_page_by_page_and_changes_nothing() {
    let suite = four().start().await;
    let ran = run(&suite, &["audit"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    for expected in [
        "main/order/1001  #1001  erp     missing  order",
        "--heal writes it again",
        "main/order/1003  #1003  erp     differs  customer.phone",
        "nothing: theirs stands by the plan",
        "look at 7, 9 there, keep one, remove the others by hand",
        "4 deliveries compared: 1 missing, 1 differ, 1 doubled, 0 cannot be read, 1 theirs; 0 on their way",
    ] {
        ran.must_say(expected);
    }
    assert!(!ran.out.contains("+43"), "values are told only if asked for: {}", ran.out);
    assert!(suite.changes().is_empty());
}

#[tokio::test]
async fn values_are_shown_to_whoever_asks_for_them() {
    let ran = run(&four().start().await, &["audit", "--values"]).await;
    ran.must_say("'+43 1 555'");
    ran.must_say("'+43 1 666'");
}

#[tokio::test]
async fn what_heals_is_healed_with_the_reason_and_a_dry_run_only_shows() {
    let suite = four().start().await;
    let ran = run(&suite, &["audit", "--heal", "--dry-run"]).await;
    assert_eq!((ran.code, suite.changes()), (1, Vec::<String>::new()));
    let ran = run(&suite, &["audit", "--heal", "--reason", "restored"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(suite.changes(), ["heal #1001 restored", "heal #1002 restored"]);
    ran.must_say("is written again");
    ran.must_say("2 deliveries set to be written again");
}

#[tokio::test]
async fn what_only_the_system_owns_is_no_difference() {
    let theirs = Audited::default().differing("1003", Stands::Theirs);
    let ran = run(&Suite::default().auditing(theirs).start().await, &["audit"]).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn whoever_could_not_be_asked_is_named_and_it_cannot_be_told() {
    let held = Suite::default().auditing(Audited::default().unasked("it is paused")).start().await;
    let ran = run(&held, &["audit"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("crm cannot be asked by erp-sync: it is paused"), "{}", ran.err);
    let ran = run(&four().without("erp-sync").start().await, &["audit"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("erp-sync at http://127.0.0.1:1 does not answer"), "{}", ran.err);
    let ran = run(&four().start().await, &["audit", "--system", "epr"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("serves the system 'epr'"), "{}", ran.err);
}

#[tokio::test]
async fn a_service_that_is_away_for_a_moment_is_asked_again_once_it_has_answered() {
    let five = (1..=5).fold(Audited::default(), |all, id| all.missing(&id.to_string()));
    let ran = run(&Suite::default().auditing(five.refusing(2)).start().await, &["audit"]).await;
    ran.must_say("5 deliveries compared");
}

#[tokio::test]
async fn no_more_is_compared_than_the_limit() {
    let ran = run(&four().start().await, &["audit", "--limit", "3"]).await;
    ran.must_say("3 deliveries compared");
}

#[tokio::test]
async fn an_audit_in_json_has_the_stable_names() {
    let ran =
        run(&Suite::default().auditing(Audited::default().missing("1001")).start().await, &["audit", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let found = serde_json::json!({
        "service": "erp-sync", "system": "erp", "store": "main", "kind": "order", "id": "1001", "name": "#1001",
        "external_id": "", "what": "missing", "role": "order", "field": "", "owner": "store", "stands": "ours",
        "heals": true, "healed": false, "ids": [], "message": "",
    });
    let expected = serde_json::json!({
        "compared": 1, "missing": 1, "differs": 0, "doubled": 0, "unreadable": 0, "theirs": 0, "in_flight": 0,
        "left_out": 0, "healed": 0, "unasked": [], "found": [found],
    });
    assert_eq!(json, expected);
}
