//! `waybill export` against services that keep a little.

use std::path::PathBuf;

use jiff::Timestamp;
use waybill_domain::Snapshot;
use waybill_plan::recorded::{By, Day, Line as RecordedLine, RecordedDecision, Settled};
use waybill_proto::{
    convert::to_timestamp,
    wire::{self, State, recorded_decision},
};
use waybill_testkit::{ScratchFolder, records};

use super::{Ran, recorded::Recorded, run, suite::Suite};

/// The terminal's clock stands at the epoch, so what is kept is from the day before.
fn at(second_before: i64) -> Timestamp {
    Timestamp::from_second(-second_before).unwrap()
}

fn snapshot(number: u64, revision: i64, second_before: i64) -> Snapshot {
    let order = records::order(number).paid().by("zwentibold@quakkelaar.example").with_line("TEE", 1, "24.00");
    let mut snapshot = order.at_revision(revision);
    snapshot.observed_at = at(second_before);
    snapshot
}

fn decision(number: u64, revision: i64, second_before: i64) -> wire::RecordedDecision {
    wire::RecordedDecision {
        system: "erp".to_owned(),
        key: Some((&snapshot(number, revision, 0).key).into()),
        revision: Some(wire::Revision { epoch: 1, number: revision }),
        settlement: revision,
        decided_at: Some(to_timestamp(at(second_before))),
        state: State::Parked.into(),
        code: "invalid_email".to_owned(),
        message: "there is no mailbox Zwentibold@Quakkelaar.example".to_owned(),
        by: recorded_decision::By::System.into(),
        plan_hash: "p1".to_owned(),
        document_hash: "d1".to_owned(),
        delivery: r#"{"applied_once":true,"applied_hash":"d0"}"#.to_owned(),
        facts: r#"{"on_the_way":3}"#.to_owned(),
        ..wire::RecordedDecision::default()
    }
}

fn kept(snapshots: &[Snapshot], decisions: Vec<wire::RecordedDecision>) -> Recorded {
    let snapshots = snapshots.iter().map(wire::Snapshot::from).collect();
    Recorded { snapshots, decisions, complete_since: at(1_000_000) }
}

struct Exported {
    ran: Ran,
    folder: ScratchFolder,
}

impl Exported {
    fn file(&self) -> PathBuf {
        self.folder.path().join("day.jsonl")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap_or_else(|error| panic!("{error}: {}", self.ran.err))
    }

    fn lines(&self) -> Vec<RecordedLine> {
        waybill_plan::recorded::read(self.text().as_bytes()).map(Result::unwrap).collect()
    }

    fn day(&self) -> Day {
        let RecordedLine::Day(day) = self.lines().remove(0) else { panic!("the first line is the day") };
        day
    }

    fn decisions(&self) -> Vec<RecordedDecision> {
        let decision = |line| match line {
            RecordedLine::Decision(decision) => Some(*decision),
            RecordedLine::Day(_) | RecordedLine::Snapshot(_) => None,
        };
        self.lines().into_iter().filter_map(decision).collect()
    }

    /// What stands after the day: `#1 r1`, `#1 r1 decided`.
    fn told(&self) -> Vec<String> {
        let told = |line| match line {
            RecordedLine::Day(_) => panic!("a second day"),
            RecordedLine::Snapshot(snapshot) => format!("{} {}", snapshot.name(), snapshot.revision),
            RecordedLine::Decision(decision) => format!("#{} {} decided", decision.key.id, decision.revision),
        };
        self.lines().into_iter().skip(1).map(told).collect()
    }
}

async fn export(suite: Suite, more: &[&str]) -> Exported {
    let folder = ScratchFolder::new("export").unwrap();
    let file = folder.path().join("day.jsonl").display().to_string();
    let line = [&["export", "--out", &file], more].concat();
    let ran = run(&suite.start().await, &line).await;
    Exported { ran, folder }
}

/// The day before the epoch, in the terminal's zone.
const THE_DAY: [&str; 2] = ["--day", "1969-12-31"];

#[tokio::test]
async fn a_day_has_every_snapshot_and_every_decision_in_the_order_of_time() {
    let snapshots =
        [snapshot(1, 1, 500), snapshot(2, 1, 400), snapshot(1, 2, 300), snapshot(3, 1, 100), snapshot(4, 1, 50)];
    let decisions = vec![decision(1, 1, 450), decision(2, 1, 350), decision(3, 1, 90)];
    let exported = export(Suite::default().keeping(kept(&snapshots, decisions)), &THE_DAY).await;
    assert_eq!(exported.ran.code, 0, "{}", exported.ran.err);
    exported.ran.must_say("day.jsonl: 5 snapshots, 3 decisions");
    let expected = ["#1 r1", "#1 r1 decided", "#2 r1", "#2 r1 decided", "#1 r2", "#3 r1", "#3 r1 decided", "#4 r1"];
    assert_eq!(exported.told(), expected);
    let day = exported.day();
    assert_eq!((day.from, day.to, day.pseudonyms), (at(86_400), at(5), false), "what is written now is left for later");
    let [first, ..] = &exported.decisions()[..] else { panic!("decisions") };
    assert_eq!((first.state, first.by, first.decided_at), (Settled::Parked, By::System, at(450)));
    assert_eq!(first.facts.as_ref().unwrap().on_the_way, 3);
    assert!(first.delivery.applied_once);
    assert_eq!((first.document_hash.as_str(), first.plan_hash.as_str()), ("d1", "p1"));
}

#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let exported = export(Suite::default().keeping(kept(&[snapshot(1, 1, 500)], Vec::new())), &THE_DAY).await;
    let mode = std::fs::metadata(exported.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_decision_about_a_snapshot_from_before_the_day_brings_it() {
    let snapshots = [snapshot(1, 1, 90_000), snapshot(2, 1, 90_000), snapshot(2, 2, 70_000)];
    let exported = export(Suite::default().keeping(kept(&snapshots, vec![decision(1, 1, 80_000)])), &THE_DAY).await;
    assert_eq!(exported.told(), ["#1 r1", "#1 r1 decided", "#2 r2"]);
}

#[tokio::test]
async fn a_decision_stands_after_its_snapshot_though_its_service_has_a_slow_clock() {
    let exported =
        export(Suite::default().keeping(kept(&[snapshot(1, 1, 500)], vec![decision(1, 1, 501)])), &THE_DAY).await;
    assert_eq!(exported.told(), ["#1 r1", "#1 r1 decided"]);
    assert_eq!(exported.decisions()[0].decided_at, at(501), "as it was");
}

#[tokio::test]
async fn a_snapshot_that_nobody_keeps_is_told() {
    let exported = export(Suite::default().keeping(kept(&[], vec![decision(1, 1, 500)])), &THE_DAY).await;
    assert_eq!(exported.ran.code, 0);
    assert!(exported.ran.err.contains("1 decision is about a snapshot that is kept no more"), "{}", exported.ran.err);
}

#[tokio::test]
async fn a_day_begins_where_everything_is_kept() {
    let snapshots = [snapshot(1, 1, 500), snapshot(2, 1, 500), snapshot(2, 2, 300)];
    let decisions = vec![decision(1, 1, 450), decision(2, 1, 350)];
    let suite = Suite::default().keeping(Recorded { complete_since: at(400), ..kept(&snapshots, decisions) });
    let exported = export(suite, &THE_DAY).await;
    assert_eq!(exported.told(), ["#2 r1", "#2 r1 decided", "#2 r2"], "of before, only what is decided later");
    assert_eq!(exported.day().from, at(400));
    assert!(exported.ran.err.contains("the file begins there"), "{}", exported.ran.err);
}

#[tokio::test]
async fn a_span_of_time_is_exported_without_its_end() {
    let snapshots = [snapshot(1, 1, 500), snapshot(2, 1, 400), snapshot(3, 1, 300)];
    let (from, to) = (at(500).to_string(), at(300).to_string());
    let suite = Suite::default().keeping(kept(&snapshots, Vec::new()));
    assert_eq!(export(suite, &["--from", &from, "--to", &to]).await.told(), ["#1 r1", "#2 r1"]);
}

#[tokio::test]
async fn the_standard_output_gets_lines_only() {
    let suite = Suite::default().keeping(kept(&[snapshot(1, 1, 500)], Vec::new())).start().await;
    let ran = run(&suite, &["export", "--out", "-", "--day", "1969-12-31"]).await;
    assert_eq!(ran.code, 0);
    assert_eq!(waybill_plan::recorded::read(ran.out.as_bytes()).map(Result::unwrap).count(), 2);
}

#[tokio::test]
async fn a_day_with_holes_is_not_written() {
    for silent in ["shopify-ingest", "erp-sync"] {
        let suite = Suite::default().keeping(kept(&[snapshot(1, 1, 500)], Vec::new())).without(silent);
        let exported = export(suite, &THE_DAY).await;
        assert_eq!(exported.ran.code, 2);
        assert!(exported.ran.err.contains(&format!("{silent} at http://127.0.0.1:1 does not answer")));
        assert!(!exported.file().exists());
    }
}

#[tokio::test]
async fn a_day_of_which_nothing_is_kept_is_not_written() {
    let exported = export(Suite::default().keeping(kept(&[snapshot(1, 1, 90_000)], Vec::new())), &THE_DAY).await;
    assert_eq!(exported.ran.code, 1);
    assert!(exported.ran.err.contains("nothing is kept"), "{}", exported.ran.err);
    assert!(!exported.file().exists());
}

#[tokio::test]
async fn with_pseudonyms_nobody_is_named() {
    let snapshots = [snapshot(1, 1, 500), snapshot(2, 1, 400)];
    let suite = || Suite::default().keeping(kept(&snapshots, vec![decision(1, 1, 450)]));
    let plain = export(suite(), &THE_DAY).await;
    let exported = export(suite(), &[&THE_DAY[..], &["--pseudonyms"]].concat()).await;
    for name in ["zwentibold", "quakkelaar", "Lind", "Ring 1", "Wien"] {
        let there = |text: &str| text.to_lowercase().contains(&name.to_lowercase());
        assert!(there(&plain.text()), "{name} is in the plain file");
        assert!(!there(&exported.text()), "{name} is in the file with pseudonyms");
    }
    assert!(exported.day().pseudonyms);
    let emails: Vec<String> = exported
        .lines()
        .into_iter()
        .filter_map(|line| match line {
            RecordedLine::Snapshot(snapshot) => match snapshot.body {
                Some(waybill_domain::Body::Order(order)) => Some(order.email.expose().to_owned()),
                _ => None,
            },
            RecordedLine::Day(_) | RecordedLine::Decision(_) => None,
        })
        .collect();
    assert_eq!(emails[0], emails[1], "one person stays one person");
    let [decision] = &exported.decisions()[..] else { panic!("a decision") };
    assert_eq!(decision.message, format!("there is no mailbox {}", emails[0]));
    assert_eq!(
        (decision.document_hash.as_str(), &decision.delivery.applied_hash),
        ("", &None),
        "hashes of true values"
    );
    let again = export(suite(), &[&THE_DAY[..], &["--pseudonyms"]].concat()).await;
    assert_ne!(again.text(), exported.text(), "another run, another key");
}

#[test]
fn a_day_is_as_long_as_its_zone_has_it() {
    use clap::Parser as _;
    let command = |line: &[&str]| {
        let line = std::iter::once("waybill").chain(["export"]).chain(line.iter().copied());
        match super::Line::try_parse_from(line).map(|line| line.command) {
            Ok(super::OperatorCommand::Export(command)) => Ok(command),
            Ok(_) => panic!("another command"),
            Err(error) => Err(error.to_string()),
        }
    };
    let vienna = jiff::tz::TimeZone::get("Europe/Vienna").unwrap();
    let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let span = |line: &[&str]| command(line).unwrap().span(now, &vienna).map(|(from, to)| format!("{from} {to}"));
    assert_eq!(span(&["--day", "2026-03-29"]).unwrap(), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z", "23 hours");
    assert_eq!(span(&[]).unwrap(), "2026-11-20T23:00:00Z 2026-11-21T09:59:55Z", "today, as far as it has come");
    let error = span(&["--day", "2026-11-22"]).unwrap_err();
    assert!(error.to_string().contains("give a time that has passed"), "{error}");
    assert!(command(&["--day", "yesterday"]).unwrap_err().contains("give a date such as 2026-11-21, or today"));
    assert!(command(&["--day", "2026-11-20", "--from", "2026-11-20T00:00:00Z"]).is_err());
    assert!(command(&["--to", "2026-11-20T00:00:00Z"]).is_err());
}
