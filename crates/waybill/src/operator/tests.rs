//! The commands as a person types them, against services that answer over real gRPC.

mod approvals;
mod asking;
mod audit;
mod export;
mod people;
mod plan_status;
mod recorded;
mod roll;
mod suite;

use clap::Parser;
use jiff::{Timestamp, tz::TimeZone};
use waybill_proto::wire::{AccountingLine, Delivery, State};

use super::{OperatorCommand, answer, place::Place, terminal::Terminal};
use suite::{Suite, TOKEN, delivery, order};

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: OperatorCommand,
}

/// What a command came to.
struct Ran {
    code: u8,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn must_say(&self, expected: &str) {
        assert!(self.out.contains(expected), "'{expected}' is not in:\n{}\n{}", self.out, self.err);
    }
}

async fn run(suite: &Suite, line: &[&str]) -> Ran {
    let command = Line::parse_from(std::iter::once("waybill").chain(line.iter().copied())).command;
    typed(suite, async |place, terminal| answer(command, place, terminal).await).await
}

async fn typed(suite: &Suite, command: impl AsyncFnOnce(&Place, &mut Terminal<'_>) -> anyhow::Result<u8>) -> Ran {
    let env = |name: &str| match name {
        "WAYBILL_PEERS" => Some(suite.peers()),
        "WAYBILL_GRPC_TOKEN" => Some(TOKEN.to_owned()),
        "WAYBILL_STATE" => Some("/no/such/file".to_owned()),
        _ => None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut answers = suite.answers();
    let answers = answers.as_mut().map(|answers| answers as &mut dyn std::io::BufRead);
    let mut terminal =
        Terminal { out: &mut out, err: &mut err, now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC, answers };
    let code = command(&Place::of(&env).unwrap(), &mut terminal).await.unwrap();
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn parked(id: &str) -> Suite {
    let mut parked = delivery("erp", order(id), State::Parked);
    parked.code = "unknown_item".to_owned();
    parked.message = "no product TEE-M".to_owned();
    Suite::default().with(parked)
}

fn closing() -> AccountingLine {
    AccountingLine {
        store: "main".to_owned(),
        kind: "order".to_owned(),
        system: "erp".to_owned(),
        accepted: 3,
        applied: 3,
        ..AccountingLine::default()
    }
}

#[tokio::test]
async fn a_trace_by_name_shows_the_error_what_it_means_what_to_do_and_the_calls() {
    let suite = parked("1001").with_step("confirm").start().await;
    let ran = run(&suite, &["trace", "#1001"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for expected in [
        "#1001  main/order/1001",
        "erp: parked: The system does not know an item",
        "no product TEE-M",
        "do:",
        "confirm",
    ] {
        ran.must_say(expected);
    }
}

#[tokio::test]
async fn a_trace_of_what_nobody_knows_is_not_found() {
    let ran = run(&Suite::default().start().await, &["trace", "#9"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no service knows #9"), "{}", ran.err);
}

#[tokio::test]
async fn a_trace_while_a_source_is_silent_does_not_claim_that_nobody_knows() {
    let ran = run(&Suite::default().without("shopify-ingest").start().await, &["trace", "#9"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("shopify-ingest at http://127.0.0.1:1 does not answer"), "{}", ran.err);
}

#[tokio::test]
async fn a_status_is_well_when_every_line_closes() {
    let suite = Suite::default().counting(closing()).start().await;
    let ran = run(&suite, &["status"]).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn a_status_with_a_gap_is_not_well() {
    let line = AccountingLine { applied: 2, gap: 1, ..closing() };
    let suite = Suite::default().counting(line).start().await;
    let ran = run(&suite, &["status"]).await;
    assert_eq!(ran.code, 1);
    ran.must_say("the accounting of main order to erp has a gap of +1");
}

#[tokio::test]
async fn a_status_without_the_watch_cannot_be_told_and_leaves_its_figures_out() {
    let suite = Suite::default().without("alerter").start().await;
    let ran = run(&suite, &["status", "--json"]).await;
    assert_eq!(ran.code, 2);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["unreachable"], serde_json::json!(["alerter"]));
    for absent in ["accounting", "incidents", "slowest_page_s"] {
        assert!(json.get(absent).is_none(), "{json}");
    }
}

#[tokio::test]
async fn a_status_in_json_has_the_stable_names() {
    let suite = Suite::default().counting(closing()).paged_within_ms(4_250);
    let ran = run(&suite.start().await, &["status", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let line = serde_json::json!({
        "store": "main", "kind": "order", "system": "erp", "accepted": 3, "applied": 3, "superseded": 0,
        "ignored": 0, "parked": 0, "in_flight": 0, "gap": 0,
    });
    assert_eq!(json["accounting"], serde_json::json!([line]));
    assert_eq!(json["slowest_page_s"].to_string(), "4.25");
}

#[tokio::test]
async fn accounting_that_lacks_a_services_terms_cannot_be_told() {
    let suite = Suite::default().counting(closing()).unheard_by_the_watch("erp-sync");
    let ran = run(&suite.start().await, &["accounting"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("alerter cannot reach erp-sync"), "{}", ran.err);
}

#[tokio::test]
async fn the_parked_list_says_what_it_means_and_what_to_do() {
    let ran = run(&parked("1001").start().await, &["parked", "list"]).await;
    ran.must_say("erp: The system does not know an item (unknown_item), 1 parked");
    ran.must_say("  do:    Create the item in the system");
    ran.must_say("no product TEE-M");
}

#[tokio::test]
async fn a_silent_service_is_not_listed_as_nothing_parked() {
    let ran = run(&Suite::default().without("erp-sync").start().await, &["parked", "list"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("erp-sync at http://127.0.0.1:1 does not answer: is it running?"), "{}", ran.err);
}

#[tokio::test]
async fn a_parked_record_is_shown_with_its_calls() {
    let suite = parked("1001").with_step("confirm").start().await;
    let ran = run(&suite, &["parked", "show", "#1001", "--system", "erp"]).await;
    assert_eq!(ran.code, 0);
    ran.must_say("confirm");
}

#[tokio::test]
async fn a_retry_by_name_reaches_its_service() {
    let suite = parked("1001").start().await;
    let ran = run(&suite, &["parked", "retry", "#1001"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 delivery tried again\n"));
    assert_eq!(suite.changes(), ["retry #1001"]);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let suite = parked("1001").start().await;
    run(&suite, &["parked", "retry", "--code", "unknown_item", "--dry-run"]).await.must_say("would be tried again");
    assert!(suite.changes().is_empty());
}

#[tokio::test]
async fn a_discard_ends_the_one_record_that_is_meant() {
    let suite = parked("1001").start().await;
    let line = ["parked", "discard", "main/order/1001", "--system", "erp", "--reason", "booked by hand"];
    assert_eq!(run(&suite, &line).await.code, 0);
    assert_eq!(suite.changes(), ["discard #1001"]);
}

#[tokio::test]
async fn a_discard_of_what_is_not_parked_says_so() {
    let suite = Suite::default().with(delivery("erp", order("1001"), State::Applied)).start().await;
    let line = ["parked", "discard", "#1001", "--system", "erp", "--reason", "booked by hand"];
    let ran = run(&suite, &line).await;
    assert_eq!((ran.code, ran.err.as_str()), (1, "#1001 is not parked for erp\n"));
}

#[test]
fn a_discard_without_a_reason_is_refused() {
    let line = ["waybill", "parked", "discard", "#1001", "--system", "erp", "--reason", ""];
    assert!(Line::try_parse_from(line).is_err());
}

#[tokio::test]
async fn an_edit_shows_both_values_and_is_made_unless_it_is_a_dry_run() {
    let suite = parked("1001").start().await;
    let line = ["parked", "edit", "#1001", "--system", "erp", "--set", "customer.email=a@b.c", "--reason", "typo"];
    let dry = run(&suite, &[line.as_slice(), &["--dry-run"]].concat()).await;
    assert_eq!((dry.code, suite.changes().len()), (0, 0), "{}", dry.err);
    dry.must_say("customer.email  ada          a@b.c");
    dry.must_say("with it, the record is written");
    let ran = run(&suite, &line).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(suite.changes(), ["edit #1001 customer.email=a@b.c typo"]);
}

#[tokio::test]
async fn an_edit_that_is_refused_says_why() {
    let suite = parked("1001").start().await;
    let line = ["parked", "edit", "#1001", "--system", "erp", "--set", "nothing=1", "--reason", "typo"];
    let ran = run(&suite, &line).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no one value 'nothing'"), "{}", ran.err);
    let suite = Suite::default().with(delivery("erp", order("1001"), State::Applied)).start().await;
    let ran = run(&suite, &line).await;
    assert!(ran.code == 1 && ran.err.contains("it is applied"), "{}", ran.err);
    for wrong in ["nothing", ""] {
        let line = ["waybill", "parked", "edit", "#1001", "--system", "erp", "--set", wrong, "--reason", "typo"];
        assert!(Line::try_parse_from(line).is_err());
    }
}

#[tokio::test]
async fn many_are_edited_by_their_code_once_a_person_agrees_and_what_it_does_not_help_is_named() {
    let with = |id: &str, code: &str, field: &str| {
        let parked = delivery("erp", order(id), State::Parked);
        waybill_proto::wire::Delivery { code: code.to_owned(), field: field.to_owned(), ..parked }
    };
    let suite = parked("1001").with(with("1002", "unknown_item", "")).with(with("1003", "unknown_item", "gift"));
    let suite = suite.with(with("1004", "no_address", "")).start().await;
    let line = ["parked", "edit", "--system", "erp", "--code", "unknown_item"];
    let line = [line.as_slice(), &["--set", "customer.email=a@b.c", "--reason", "moved", "--rate", "0"]].concat();
    let dry = run(&suite, &[line.as_slice(), &["--dry-run"]].concat()).await;
    dry.must_say("#1001  main/order/1001  customer.email  ada          a@b.c   is written");
    dry.must_say("2 deliveries would be edited");
    assert!(dry.err.contains("#1003 (main/order/1003): is still parked"), "{}", dry.err);
    let alone = run(&suite, &line).await;
    assert_eq!((alone.code, suite.changes().len()), (1, 0), "nobody is there to agree");
    let one = run(&suite, &[line.as_slice(), &["--yes", "--limit", "1"]].concat()).await;
    assert_eq!((one.code, suite.changes()), (0, vec!["edit #1001 customer.email=a@b.c moved".to_owned()]));
    let ran = run(&suite, &[line.as_slice(), &["--yes"]].concat()).await;
    ran.must_say("2 deliveries edited, and tried again");
    // Who is told that it is done is not told so of the one that it did not help.
    assert_eq!((ran.code, suite.changes().len()), (1, 3), "{:?}", suite.changes());
    let both = ["waybill", "parked", "edit", "#1", "--code", "x", "--system", "erp", "--set", "a=b", "--reason", "c"];
    assert!(Line::try_parse_from(both).is_err(), "one record, or all with a code");
}

#[tokio::test]
async fn many_are_discarded_by_their_code_once_a_person_agrees() {
    let both = parked("1001").with(delivery("erp", order("1002"), State::Parked));
    let suite = both.start().await;
    let line = ["parked", "discard", "--system", "erp", "--code", "unknown_item", "--reason", "sold elsewhere"];
    let alone = run(&suite, &line).await;
    assert_eq!((alone.code, suite.changes().len()), (1, 0), "nobody is there to agree");
    assert!(alone.err.contains("give --yes"), "{}", alone.err);
    run(&suite, &[line.as_slice(), &["--dry-run"]].concat()).await.must_say("1 delivery would be discarded");
    let ran = run(&suite, &[line.as_slice(), &["--yes"]].concat()).await;
    assert_eq!((ran.code, suite.changes()), (0, vec!["discard #1001".to_owned()]));
    let all = ["waybill", "parked", "discard", "--system", "erp", "--reason", "everything"];
    assert!(Line::try_parse_from(all).is_err(), "a record or a code is named");
}

#[tokio::test]
async fn a_retry_of_many_ends_though_they_are_parked_again_at_once() {
    let mut many = parked("1");
    for number in 2..=201 {
        many = many.with(Delivery {
            code: "unknown_item".to_owned(),
            ..delivery("erp", order(&number.to_string()), State::Parked)
        });
    }
    let suite = many.start().await;
    let retry = run(&suite, &["parked", "retry", "--code", "unknown_item"]);
    let ran = tokio::time::timeout(std::time::Duration::from_secs(20), retry).await.expect("it ends");
    assert_eq!((ran.code, ran.out.as_str()), (0, "201 deliveries tried again\n"));
}

#[tokio::test]
async fn a_flow_is_paused_by_its_name() {
    let suite = parked("1001").start().await;
    let ran = run(&suite, &["pause", "--flow", "orders-to-erp"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.must_say("flow 'orders-to-erp' is paused in ");
    assert!(suite.changes().contains(&"pause flow orders-to-erp true".to_owned()), "{:?}", suite.changes());
    let unknown = run(&suite, &["pause", "--flow", "nope"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("has the flow 'nope'"), "{}", unknown.err);
}

#[tokio::test]
async fn a_pause_is_shown_by_the_service_that_serves_the_system() {
    let ran = run(&parked("1001").start().await, &["pause", "erp"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.must_say("paused");
}

#[tokio::test]
async fn a_pause_of_an_unknown_system_names_those_that_are_served() {
    let ran = run(&parked("1001").start().await, &["pause", "nope"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("serves 'nope'; they serve: erp"), "{}", ran.err);
}

#[tokio::test]
async fn a_wrong_token_is_named_as_such() {
    let suite = Suite::default().start().await;
    let ran = run(&suite, &["accounting", "--token", "another"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("refuses the token: WAYBILL_GRPC_TOKEN must be the same"), "{}", ran.err);
}
