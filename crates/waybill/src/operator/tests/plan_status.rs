//! `waybill plan status`.

use std::path::{Path, PathBuf};

use clap::Parser;
use waybill_plan::{Connectors, Plan};
use waybill_testkit::ScratchFolder;

use super::{
    Ran,
    suite::{Suite, obeying},
    typed,
};
use crate::{connectors, operator::plan_status};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    command: plan_status::PlanStatus,
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans/example.toml")
}

/// The hash that a replica obeying the example plan reports.
fn examples_hash() -> String {
    let text = std::fs::read_to_string(example()).unwrap();
    Plan::parse(&text, Connectors::All(&connectors::all())).unwrap().hash
}

async fn status(suite: &Suite, plan: &Path, options: &[&str]) -> Ran {
    let line = ["status", "--plan", plan.to_str().unwrap()];
    let command = Line::parse_from(line.iter().chain(options)).command;
    typed(suite, async |place, terminal| plan_status::run(command, place, terminal).await).await
}

/// All three services obey a plan.
fn all_obeying(hash: &str) -> Suite {
    ["alerter", "shopify-ingest", "erp-sync"]
        .into_iter()
        .fold(Suite::default(), |suite, service| suite.hearing(obeying(service, hash)))
}

const NOWHERE: &str = "/no/such/plan.toml";

#[tokio::test]
async fn one_plan_for_all_which_is_the_files_is_well() {
    let hash = examples_hash();
    let ran = status(&all_obeying(&hash).start().await, &example(), &[]).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    ran.must_say("all replicas obey the same plan");
    ran.must_say(&format!("example.toml has the hash {hash}"));
    ran.must_say(&format!("erp-sync        erp-sync-host        {hash}  1970-01-01 00:00:00 +00:00 (now)  –\n"));
}

#[tokio::test]
async fn a_replica_with_another_plan_is_not_well() {
    let suite = all_obeying("b1946ac92492").hearing(obeying("erp-sync", "591785b79460"));
    let ran = status(&suite.start().await, NOWHERE.as_ref(), &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    ran.must_say("replicas obey different plans: 591785b79460 (1), b1946ac92492 (3)");
}

#[tokio::test]
async fn a_refusal_is_not_well_though_all_obey_one_plan_and_is_told_in_full() {
    let mut refusing = obeying("erp-sync", "b1946ac92492");
    refusing.plan.as_mut().unwrap().problem = "WB-P003 line 4\nWB-P012 line 9".to_owned();
    let suite = all_obeying("b1946ac92492").hearing(refusing);
    let ran = status(&suite.start().await, NOWHERE.as_ref(), &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    ran.must_say("erp-sync erp-sync-host refuses the changed file: WB-P003 line 4\n");
    ran.must_say("\n  WB-P012 line 9\n");
}

#[tokio::test]
async fn a_file_that_nobody_obeys_is_not_well() {
    let ran = status(&all_obeying("b1946ac92492").start().await, &example(), &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    ran.must_say("is obeyed by 3 replicas");
    ran.must_say("b1946ac92492 (not the file's)");
}

#[tokio::test]
async fn a_file_that_does_not_pass_is_not_well() {
    let folder = ScratchFolder::new("status").unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, "nonsense = 1\n").unwrap();
    let ran = status(&all_obeying("b1946ac92492").start().await, &path, &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    ran.must_say("plan.toml does not pass, so nobody can obey it");
}

#[tokio::test]
async fn a_file_that_is_not_here_is_said_and_does_not_count() {
    let ran = status(&all_obeying("b1946ac92492").start().await, NOWHERE.as_ref(), &[]).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    ran.must_say("/no/such/plan.toml cannot be compared");
}

#[tokio::test]
async fn a_service_that_was_not_heard_is_not_taken_to_agree() {
    let suite = Suite::default().hearing(obeying("alerter", "one")).hearing(obeying("erp-sync", "one"));
    let ran = status(&suite.start().await, NOWHERE.as_ref(), &[]).await;
    assert_eq!(ran.code, 2, "{}", ran.out);
    ran.must_say("no replica of shopify-ingest has said for a minute which plan it obeys");
}

#[tokio::test]
async fn a_silent_watch_cannot_tell() {
    let ran = status(&Suite::default().without("alerter").start().await, &example(), &[]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("alerter at http://127.0.0.1:1 does not answer"), "{}", ran.err);
}

#[tokio::test]
async fn the_status_in_json_has_the_stable_names() {
    let hash = examples_hash();
    let suite = Suite::default().hearing(obeying("erp-sync", &hash)).start().await;
    let ran = status(&suite, &example(), &["--json"]).await;
    assert_eq!(ran.code, 2);
    let mut json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["file"]["hash"], hash);
    json["file"].take();
    json["reasons"].take();
    let replica = serde_json::json!({
        "service": "erp-sync", "replica": "erp-sync-host", "hash": hash, "since": "1970-01-01T00:00:00Z",
        "obeys_file": true, "heard_at": null,
    });
    let expected = serde_json::json!({
        "verdict": "cannot_tell", "reasons": null, "file": null, "replicas": [replica],
        "unheard": ["alerter", "shopify-ingest"],
    });
    assert_eq!(json, expected);
}
