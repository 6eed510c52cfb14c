//! `waybill plan show`: a plan in words, as the files in `plan_show/` have it.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use waybill_testkit::ScratchFolder;

use crate::deployment::{example_plan, repository, said, waybill};

fn show(arguments: &[&str]) -> Output {
    Command::new(waybill()).args(["plan", "show"]).arg(example_plan()).args(arguments).output().unwrap()
}

/// Compares with a file beside this one. With WAYBILL_WRITE_EXPECTED=1 in the environment the file is written instead,
/// for people to read the difference.
#[track_caller]
fn as_expected(name: &str, arguments: &[&str]) {
    let told = said(&show(arguments));
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/plan_show").join(name);
    if std::env::var_os("WAYBILL_WRITE_EXPECTED").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    // The hash changes with every comment of the plan.
    let without_hash = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(without_hash(&told), without_hash(&expected), "{} is not what the program says", path.display());
}

#[test]
fn the_example_plan_reads_as_expected() {
    as_expected("example.txt", &[]);
}

#[test]
fn the_example_plan_is_drawn_as_expected() {
    as_expected("example.mmd", &["--mermaid"]);
}

#[test]
fn every_example_plan_fits_120_columns_and_can_be_drawn() {
    for file in std::fs::read_dir(repository().join("examples/plans")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let run = |arguments: &[&str]| {
            said(&Command::new(waybill()).args(["plan", "show"]).arg(&path).args(arguments).output().unwrap())
        };
        let told = run(&[]);
        let wide: Vec<_> = told.lines().filter(|line| line.chars().count() > 120).collect();
        assert!(wide.is_empty(), "{}: {wide:#?}", path.display());
        assert!(run(&["--mermaid"]).starts_with("flowchart LR\n"), "{}", path.display());
    }
}

#[test]
fn one_kind_is_told_alone() {
    let told = said(&show(&["--kind", "stock-level"]));
    assert!(told.contains("STOCK LEVELS") && told.contains("stock-to-store"), "{told}");
    assert!(!told.contains("orders-to-erp"), "{told}");
    let refused = show(&["--kind", "orders"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("stock-level"), "{told}");
}

#[test]
fn programs_get_the_answers_as_json() {
    let told: Value = serde_json::from_str(&said(&show(&["--json", "--kind", "order"]))).unwrap();
    let flows = told["kinds"][0]["flows"].as_array().unwrap();
    let flow = flows.iter().find(|flow| flow["name"] == "orders-to-shipping").unwrap();
    let answers = flow["answers"].as_array().unwrap();
    let after = answers.iter().find(|answer| answer["about"] == "after").unwrap();
    assert_eq!(after["question"], "when");
    assert!(after["text"].as_str().unwrap().starts_with("erp has accepted"), "{after}");
}

#[test]
fn a_plan_that_does_not_pass_is_not_shown() {
    let folder = ScratchFolder::new("plan-show").unwrap();
    let plan = folder.path().join("plan.toml");
    let text = std::fs::read_to_string(example_plan()).unwrap().replace("to = \"erp\"", "to = \"epr\"");
    std::fs::write(&plan, text).unwrap();
    let output = Command::new(waybill()).args(["plan", "show"]).arg(&plan).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && output.stdout.is_empty() && told.contains("WB-P003"), "{told}");
}
