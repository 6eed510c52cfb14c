//! Plans, as they are checked before anything starts.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use waybill_domain::{
    Kind,
    descriptor::{Capability, Descriptor},
};
use waybill_plan::{codes::CODES, needs};
use waybill_testkit::ScratchFolder;

use crate::deployment::{example_plan, repository, said, waybill};

#[test]
fn the_example_plan_passes_without_its_secrets() {
    let output = Command::new(waybill()).args(["plan", "check"]).arg(example_plan()).env_clear().output().unwrap();
    let told = said(&output);
    assert!(told.contains(": passes (1 store, 7 systems, "), "{told}");
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
        .envs(variables_of(&text).map(|name| (name, "set")))
        .env("WAYBILL_PLAN", &plan)
        .env("WAYBILL_STATE_DIR", folder.path().join("state"))
        .env("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:1/nowhere")
        .env("NATS_URL", "nats://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The variables that a plan refers to.
fn variables_of(plan: &str) -> impl Iterator<Item = &str> {
    plan.split("\"env:").skip(1).filter_map(|rest| rest.split('"').next())
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

/// A variable of the broken plans that nobody sets.
const NOT_SET: &str = "HUBSPOT_TOKEN_EU";

fn broken() -> PathBuf {
    repository().join("examples/plans/broken")
}

/// The broken plans' names, without `.toml`, in order.
fn broken_plans() -> Vec<String> {
    let files = std::fs::read_dir(broken()).unwrap().map(|file| file.unwrap().path());
    let plans = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut names: Vec<String> = plans.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Checks a plan in its folder, with the variables set that it names.
fn check(arguments: &[&str], plan: &Path) -> Output {
    let text = std::fs::read_to_string(plan).unwrap();
    let names = variables_of(&text).filter(|name| *name != NOT_SET);
    let mut command = Command::new(waybill());
    command.args(["plan", "check"]).args(arguments).arg(plan.file_name().unwrap()).current_dir(plan.parent().unwrap());
    command.env_clear().envs(names.map(|name| (name, "set"))).output().unwrap()
}

fn told_of(name: &str) -> String {
    let output = check(&[], &broken().join(name).with_extension("toml"));
    assert!(output.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(broken().join(name).with_extension("txt")).unwrap_or_default()
}

/// The codes of what stands in a text as `plan check` prints it.
fn codes_in(told: &str) -> Vec<&str> {
    let begins = |line: &&str| line.starts_with("error[") || line.starts_with("warning[");
    told.lines().filter(begins).filter_map(|line| line.split(['[', ']']).nth(1)).collect()
}

#[test]
fn every_broken_plan_is_told_word_for_word() {
    let names = broken_plans();
    assert!(names.len() >= 55, "{} plans", names.len());
    let wrong: Vec<String> = names
        .iter()
        .map(|name| (name, told_of(name)))
        .filter(|(name, told)| *told != expected(name))
        .map(|(name, told)| format!("{name} is to be told:\n{}\nbut was:\n{told}", expected(name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_plan_with_one_mistake_has_one_problem_and_one_with_several_has_several() {
    for name in broken_plans() {
        let (told, problems) = (expected(&name), codes_in(&expected(&name)).len());
        let is_several = name.contains("-several-");
        assert!(if is_several { problems >= 4 } else { problems == 1 }, "{name} has {problems}:\n{told}");
    }
    assert_eq!(broken_plans().iter().filter(|name| name.contains("-several-")).count(), 5);
}

#[test]
fn the_exit_code_says_whether_a_plan_passes() {
    for name in broken_plans() {
        let passes = codes_in(&expected(&name)).iter().all(|code| ["WB-P029", "WB-P041"].contains(code));
        let status = check(&[], &broken().join(&name).with_extension("toml")).status;
        assert_eq!(status.code(), Some(if passes { 0 } else { 1 }), "{name}");
    }
}

#[test]
fn every_code_has_a_broken_plan_and_an_explanation() {
    let told: Vec<String> = broken_plans().iter().map(|name| expected(name)).collect();
    let shown: BTreeSet<&str> = told.iter().flat_map(|told| codes_in(told)).collect();
    let missing: Vec<&str> = CODES
        .iter()
        .map(|code| code.code)
        .filter(|code| !shown.contains(code) && !impossible_today().contains(code))
        .collect();
    assert!(missing.is_empty(), "no broken plan shows {missing:?}");
    for code in CODES {
        let explained = said(&Command::new(waybill()).args(["plan", "explain", code.code]).output().unwrap());
        assert!(explained.starts_with(&format!("{}: {}\n", code.code, code.title)), "{explained}");
        assert!(explained.contains("\n\nTo mend it: ") && code.meaning.len() > 30, "{explained}");
    }
}

/// Codes that no plan can have with the connectors of today; tests of `waybill-plan` have connectors of their own.
fn impossible_today() -> Vec<&'static str> {
    let connectors = connectors();
    let has_required = connectors.iter().flat_map(|connector| connector.fields).any(|field| field.required);
    // Records can go round in a circle only where two connectors both give and take them.
    let gives = |kind| match kind {
        Kind::Shipment => Capability::ShipmentSource,
        Kind::StockLevel => Capability::StockSource,
        Kind::Price => Capability::CatalogSource,
        _ => Capability::StoreSource,
    };
    let both = |kind: Kind, connector: &Descriptor| {
        connector.can(gives(kind)) && needs(kind).is_some_and(|needed| connector.can(needed))
    };
    let kinds = [Kind::Order, Kind::Customer, Kind::Refund, Kind::Shipment, Kind::StockLevel, Kind::Price];
    let can_circle =
        kinds.into_iter().any(|kind| connectors.iter().filter(|connector| both(kind, connector)).count() > 1);
    [("WB-P017", has_required), ("WB-P026", can_circle)]
        .into_iter()
        .filter(|(_, possible)| !possible)
        .map(|(code, _)| code)
        .collect()
}

fn connectors() -> Vec<Descriptor> {
    vec![
        connector_shopify::descriptor(),
        connector_hubspot::descriptor().clone(),
        connector_tryton::descriptor(),
        connector_shipstation::descriptor(),
        connector_pagerduty::descriptor(),
        connector_slack::descriptor(),
        connector_webhook::descriptor(),
    ]
}

#[test]
fn a_reference_that_does_not_resolve_refuses_the_plan_where_it_has_to_resolve() {
    let plan = broken().join("45-secret-that-is-not-set.toml");
    let output = check(&["--resolve"], &plan);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error[WB-P029]: the environment variable HUBSPOT_TOKEN_EU is not set\n"), "{told}");
    assert!(told.contains("15 | token = \"env:HUBSPOT_TOKEN_EU\"\n   |         ^^^^^^^^^^^^^^^^^^^^^^\n"), "{told}");
}

#[test]
fn programs_read_the_same_problems_as_json() {
    let output = check(&["--json"], &broken().join("65-several-of-all-sorts.toml"));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["passes"], &told["hash"]), (&Value::Bool(false), &Value::Null));
    let codes: Vec<&str> =
        told["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect();
    assert_eq!(codes, codes_in(&expected("65-several-of-all-sorts")));
    assert!(!told.to_string().contains("would-be-the-secret"), "a secret is covered here too");
}

#[test]
fn a_secret_that_stands_in_a_plan_is_not_printed() {
    for name in broken_plans() {
        assert!(!told_of(&name).contains("would-be-the-secret"), "{name}");
    }
}
