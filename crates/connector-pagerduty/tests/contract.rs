//! The connector against the simulated PagerDuty.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use async_trait::async_trait;
use connector_pagerduty::{PagerDuty, descriptor};
use serde_json::Value;
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::{Bench, Trouble, drive, prism::Prism},
    sink::Check,
};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{IncidentDocument, Severity},
};
use waybill_simulator::{
    kit::{Fault, FaultKind, Running, serve},
    pagers::pagerduty::{ROUTING_KEY, simulated},
};

struct PagerDutyBench {
    pagerduty: Running,
    pager: PagerDuty,
}

fn pager(url: &str, routing_key: &str) -> PagerDuty {
    let values = [("url".to_owned(), url.to_owned())].into();
    let secrets = [("routing_key".to_owned(), routing_key.to_owned().into())].into();
    let settings = SystemSettings::new("on-call".parse().unwrap(), &descriptor(), values, secrets).unwrap();
    PagerDuty::new(&settings).unwrap()
}

fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: format!("incident-{n}").parse().unwrap() }
}

fn incident(n: usize) -> IncidentDocument {
    IncidentDocument {
        key: ObjectKey::new(&record(n), "incident"),
        resolved: false,
        severity: Severity::Error,
        summary: format!("erp: {n} orders are parked"),
        meaning: "They are not booked.".to_owned(),
        action: "Create the item; then `waybill parked retry`.".to_owned(),
        system: "erp".to_owned(),
        code: "unknown_item".to_owned(),
        detail: "no such product".to_owned(),
        count: 3,
        records: vec!["main/order/1001".to_owned()],
        opened_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        link: "https://waybill.example.com/incidents/1".to_owned(),
    }
}

impl PagerDutyBench {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pagerduty = serve(simulated(ROUTING_KEY), listener).unwrap();
        let pager = pager(&format!("{}/v2", pagerduty.url()), ROUTING_KEY);
        Self { pagerduty, pager }
    }

    async fn alerts(&self, incident: &IncidentDocument) -> Vec<Value> {
        let state: Value =
            reqwest::get(format!("{}/_state", self.pagerduty.url())).await.unwrap().json().await.unwrap();
        let alerts = state["alerts"].as_array().unwrap();
        alerts.iter().filter(|alert| alert["dedup_key"] == incident.key.as_str()).cloned().collect()
    }
}

#[async_trait]
impl Bench<IncidentDocument> for PagerDutyBench {
    fn sink(&self) -> &dyn Sink<IncidentDocument> {
        &self.pager
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> IncidentDocument {
        incident(n)
    }

    fn changed(&self, incident: &IncidentDocument) -> IncidentDocument {
        IncidentDocument { count: incident.count + 1, severity: Severity::Critical, ..incident.clone() }
    }

    fn refused(&self, n: usize) -> Option<IncidentDocument> {
        Some(IncidentDocument { summary: String::new(), ..incident(n) })
    }

    async fn objects(&self, incident: &IncidentDocument) -> usize {
        self.alerts(incident).await.len()
    }

    async fn holds(&self, incident: &IncidentDocument) -> bool {
        let alerts = self.alerts(incident).await;
        let payload = &alerts[0]["event"]["payload"];
        payload["custom_details"]["count"] == incident.count
            && payload["severity"] == serde_json::to_value(incident.severity).unwrap()
    }

    async fn writes(&self) -> usize {
        self.pagerduty.journal.entries().len()
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        let kind = match trouble {
            Trouble::TooManyRequests { retry_after_s } => FaultKind::TooManyRequests { retry_after_s },
            Trouble::Unauthorized => FaultKind::Unauthorized,
            Trouble::ServerError => FaultKind::ServerError,
            Trouble::CutBefore => FaultKind::CutBefore,
            Trouble::CutAfter => FaultKind::CutAfter,
            Trouble::ErrorAfter => FaultKind::ErrorAfter,
            Trouble::ErrorIn200 => FaultKind::ErrorIn200,
        };
        let fault = Fault { kind, times: 1, path: "/v2/".to_owned(), body: String::new() };
        self.pagerduty.faults.add_after(skip, fault);
    }

    async fn pending(&self) -> bool {
        self.pagerduty.faults.pending()
    }

    async fn clear(&self) {
        self.pagerduty.faults.clear();
    }

    /// PagerDuty states none; its documents suggest this one.
    fn stated_wait(&self, _retry_after_s: u64) -> std::time::Duration {
        std::time::Duration::from_secs(30)
    }
}

waybill_connector::contract_tests!(IncidentDocument, PagerDutyBench::start().await);

#[tokio::test]
async fn a_finished_incident_resolves_its_alert_and_a_new_one_opens_another() {
    let bench = PagerDutyBench::start().await;
    let open = incident(1);
    let over = IncidentDocument { resolved: true, ..incident(1) };
    for incident in [&open, &over, &over] {
        drive(&bench.pager, &record(1), incident, Known::new()).await.unwrap();
    }
    assert_eq!(bench.alerts(&open).await[0]["status"], "resolved");
    drive(&bench.pager, &record(1), &open, Known::new()).await.unwrap();
    let statuses: Vec<_> = bench.alerts(&open).await.iter().map(|alert| alert["status"].clone()).collect();
    assert_eq!(statuses, ["resolved", "triggered"]);
}

#[tokio::test]
async fn the_check_passes_with_the_right_key_and_leaves_no_alert() {
    let bench = PagerDutyBench::start().await;
    bench.pager.check().await.unwrap();
    let state: Value = reqwest::get(format!("{}/_state", bench.pagerduty.url())).await.unwrap().json().await.unwrap();
    assert_eq!(state["alerts"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn the_check_fails_with_a_wrong_key() {
    let bench = PagerDutyBench::start().await;
    let wrong = pager(&format!("{}/v2", bench.pagerduty.url()), &"0".repeat(32));
    assert!(matches!(wrong.check().await, Err(Failure::Unauthorized { .. })));
}

#[test]
fn a_key_of_another_kind_is_refused_before_anything_is_sent() {
    let secrets = [("routing_key".to_owned(), "u+a-rest-api-token".to_owned().into())].into();
    let settings = SystemSettings::new("on-call".parse().unwrap(), &descriptor(), [].into(), secrets).unwrap();
    let error = PagerDuty::new(&settings).unwrap_err().to_string();
    assert!(error.contains("routing_key") && error.contains("32") && !error.contains("rest-api"), "{error}");
}

#[tokio::test]
async fn pagerdutys_own_document_accepts_what_is_sent() {
    let Some(prism) = Prism::start("pagerduty-events.json") else { return };
    let pager = pager(&prism.url(), ROUTING_KEY);
    for resolved in [false, true] {
        let incident = IncidentDocument { resolved, ..incident(1) };
        drive(&pager, &record(1), &incident, Known::new()).await.unwrap();
    }
    pager.check().await.unwrap();
}
