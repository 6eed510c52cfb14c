//! Plans, as they are checked before anything starts.

use std::process::Command;

use waybill_testkit::ScratchFolder;

use crate::deployment::{example_plan, repository, said, waybill};

#[test]
fn the_example_plan_passes_without_its_secrets() {
    let output = Command::new(waybill()).args(["plan", "check"]).arg(example_plan()).env_clear().output().unwrap();
    let told = said(&output);
    assert!(told.contains("passes (1 store, 7 systems, 7 flows"), "{told}");
}

#[test]
fn every_example_plan_passes() {
    for file in std::fs::read_dir(repository().join("examples/plans")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            said(&Command::new(waybill()).args(["plan", "check"]).arg(path).output().unwrap());
        }
    }
}

/// Runs with the example plan after a change to it, towards servers that are not there; gives what it says.
fn with_changed_plan(arguments: &[&str], from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(example_plan()).unwrap();
    assert!(text.contains(from), "the example plan has no '{from}'");
    let folder = ScratchFolder::new("plan").unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, text.replace(from, to)).unwrap();
    let output = Command::new(waybill())
        .args(arguments)
        .env("WAYBILL_PLAN", &plan)
        .env("WAYBILL_STATE_DIR", folder.path().join("state"))
        .env("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:1/nowhere")
        .env("NATS_URL", "nats://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_plan_that_names_no_system_stops_the_start_with_the_reason() {
    let told = with_changed_plan(&["up"], "to = \"erp\"", "to = \"epr\"");
    assert!(told.contains("epr") && told.contains("plan"), "{told}");
}

#[test]
fn a_plan_with_an_unknown_key_stops_the_start_with_the_reason() {
    let told = with_changed_plan(&["up"], "safety = 0", "saftey = 0");
    assert!(told.contains("saftey"), "{told}");
}

#[test]
fn a_plan_that_is_not_there_stops_the_start_with_its_name() {
    let output = Command::new(waybill())
        .args(["up", "--plan", "no-such-plan.toml"])
        .env("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:1/nowhere")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no-such-plan.toml"), "{told}");
}

#[test]
fn a_database_that_is_not_there_stops_the_start_and_its_password_is_not_printed() {
    let told = with_changed_plan(&["up"], "safety = 0", "safety = 1");
    assert!(told.contains("PostgreSQL") && !told.contains("nothing"), "{told}");
}
