//! The connector against the simulated Slack.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use async_trait::async_trait;
use connector_slack::{Slack, descriptor};
use serde_json::Value;
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::{Bench, Trouble, drive},
    sink::Check,
};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{IncidentDocument, Severity},
};
use waybill_simulator::{
    kit::{Fault, FaultKind, Running, serve},
    pagers::slack::{WEBHOOK_PATH, simulated},
};

struct SlackBench {
    workspace: Running,
    slack: Slack,
}

fn slack(webhook_url: &str) -> Slack {
    let secrets = [("webhook_url".to_owned(), webhook_url.to_owned().into())].into();
    let settings = SystemSettings::new("ops-channel".parse().unwrap(), &descriptor(), [].into(), secrets).unwrap();
    Slack::new(&settings).unwrap()
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

impl SlackBench {
    async fn start() -> Self {
        let workspace = serve(simulated(), TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let slack = slack(&format!("{}{WEBHOOK_PATH}", workspace.url()));
        Self { workspace, slack }
    }

    /// The texts of an incident's messages.
    async fn messages(&self, incident: &IncidentDocument) -> Vec<String> {
        let state: Value =
            reqwest::get(format!("{}/_state", self.workspace.url())).await.unwrap().json().await.unwrap();
        let messages = state["messages"].as_array().unwrap();
        messages.iter().map(Value::to_string).filter(|message| message.contains(incident.key.as_str())).collect()
    }
}

#[async_trait]
impl Bench<IncidentDocument> for SlackBench {
    fn sink(&self) -> &dyn Sink<IncidentDocument> {
        &self.slack
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> IncidentDocument {
        incident(n)
    }

    fn changed(&self, incident: &IncidentDocument) -> IncidentDocument {
        IncidentDocument { resolved: true, ..incident.clone() }
    }

    /// Whatever an incident holds, its message is one that Slack takes.
    fn refused(&self, _n: usize) -> Option<IncidentDocument> {
        None
    }

    async fn objects(&self, incident: &IncidentDocument) -> usize {
        self.messages(incident).await.len()
    }

    async fn holds(&self, incident: &IncidentDocument) -> bool {
        let word = if incident.resolved { "Resolved: " } else { "Error: " };
        self.messages(incident).await.iter().any(|message| message.contains(&format!("{word}{}", incident.summary)))
    }

    async fn writes(&self) -> usize {
        self.workspace.journal.entries().len()
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
        let fault = Fault { kind, times: 1, path: "/services/".to_owned(), body: String::new() };
        self.workspace.faults.add_after(skip, fault);
    }

    async fn pending(&self) -> bool {
        self.workspace.faults.pending()
    }

    async fn clear(&self) {
        self.workspace.faults.clear();
    }
}

// Left out: that an update changes the message, that a cut after acting leaves one, and that what is done is found.
// Slack's webhooks cannot; what happens instead is below.
waybill_connector::contract_tests!(
    IncidentDocument,
    SlackBench::start().await,
    [
        a_second_upsert_makes_no_second_object,
        a_limit_is_reported_with_the_vendors_wait,
        refused_credentials_are_unauthorized,
        a_server_error_is_transient_or_ambiguous,
        a_cut_before_acting_ends_in_one_object,
        an_error_body_in_a_200_is_never_success,
        an_unknown_key_is_not_found,
        a_look_sees_what_was_applied_and_writes_nothing,
    ]
);

#[tokio::test]
async fn the_end_of_an_incident_is_a_second_message() {
    let bench = SlackBench::start().await;
    let known = drive(&bench.slack, &record(1), &incident(1), Known::new()).await.unwrap();
    let over = bench.changed(&incident(1));
    drive(&bench.slack, &record(1), &over, known).await.unwrap();
    assert_eq!(bench.objects(&over).await, 2);
    assert!(bench.holds(&incident(1)).await && bench.holds(&over).await);
}

#[tokio::test]
async fn a_state_that_returns_is_posted_again() {
    let bench = SlackBench::start().await;
    let mut known = Known::new();
    for document in [incident(1), bench.changed(&incident(1)), incident(1)] {
        known = drive(&bench.slack, &record(1), &document, known).await.unwrap();
    }
    assert_eq!(bench.objects(&incident(1)).await, 3);
}

#[tokio::test]
async fn a_cut_after_posting_posts_twice_rather_than_not_at_all() {
    for trouble in [Trouble::CutAfter, Trouble::ErrorAfter] {
        let bench = SlackBench::start().await;
        bench.inject(trouble, 0).await;
        drive(&bench.slack, &record(1), &incident(1), Known::new()).await.unwrap();
        assert_eq!(bench.objects(&incident(1)).await, 2, "{trouble:?}");
    }
}

#[tokio::test]
async fn the_longest_incident_is_accepted() {
    let bench = SlackBench::start().await;
    let long = "<&>".repeat(5_000);
    let incident = IncidentDocument {
        summary: long.clone(),
        meaning: long.clone(),
        action: long.clone(),
        detail: long.clone(),
        system: long.clone(),
        code: long.clone(),
        link: format!("https://waybill.example.com/{long}"),
        records: vec![long; 100],
        ..incident(1)
    };
    drive(&bench.slack, &record(1), &incident, Known::new()).await.unwrap();
    assert_eq!(bench.objects(&incident).await, 1);
}

#[tokio::test]
async fn an_incident_without_any_text_is_accepted() {
    let bench = SlackBench::start().await;
    let incident = IncidentDocument {
        summary: String::new(),
        meaning: String::new(),
        action: String::new(),
        detail: String::new(),
        system: String::new(),
        code: String::new(),
        link: String::new(),
        records: Vec::new(),
        ..incident(1)
    };
    drive(&bench.slack, &record(1), &incident, Known::new()).await.unwrap();
    assert_eq!(bench.objects(&incident).await, 1);
}

#[tokio::test]
async fn a_channel_that_takes_no_messages_is_a_rejection_with_slacks_word() {
    let bench = SlackBench::start().await;
    for (webhook, code) in [
        ("B0ARCHIVED", "channel_is_archived"),
        ("B0DELETED", "channel_not_found"),
        ("B0FORBIDDEN", "action_prohibited"),
        ("B0GENERAL", "posting_to_general_channel_denied"),
    ] {
        let slack = slack(&format!("{}{}", bench.workspace.url(), WEBHOOK_PATH.replace("B00000000", webhook)));
        match drive(&slack, &record(1), &incident(1), Known::new()).await {
            Err(Failure::Rejected { code: actual, .. }) => assert_eq!(actual, code),
            other => panic!("{webhook}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_check_tells_a_good_url_from_a_removed_one_and_posts_nothing() {
    let bench = SlackBench::start().await;
    bench.slack.check().await.unwrap();
    let removed = slack(&format!("{}{}", bench.workspace.url(), WEBHOOK_PATH.replace("B00000000", "B99999999")));
    assert!(matches!(removed.check().await, Err(Failure::Unauthorized { .. })));
    assert!(bench.workspace.journal.entries().is_empty());
}

#[test]
fn the_url_is_never_shown() {
    let secret = "hooks.slack.com/services/T1/B1/secret";
    let secrets = [("webhook_url".to_owned(), secret.to_owned().into())].into();
    let settings = SystemSettings::new("ops-channel".parse().unwrap(), &descriptor(), [].into(), secrets).unwrap();
    let error = Slack::new(&settings).unwrap_err().to_string();
    assert!(error.contains("webhook_url") && !error.contains("secret'") && !error.contains("services"), "{error}");
    let shown = format!("{:?}", slack(&format!("https://{secret}")));
    assert!(!shown.contains("services"), "{shown}");
}
