//! Who may use whom among our crates, as DESIGN.md's "Layout" draws it: arrows point one way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Value, json};

const SERVICES: [&str; 7] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter", "console"];

/// Each layer may use those before it, and nothing beside it. DESIGN.md is silent about the order
/// of bus and runtime; what counts is that there is one.
const LAYERS: [&[&str]; 8] = [
    &["waybill-domain", "waybill-faults"],
    &["waybill-plan", "waybill-proto", "waybill-connector"],
    &["waybill-bus"],
    &["waybill-runtime"],
    &["waybill-delivery"],
    &SERVICES,
    &["waybill"],
    &["waybill-benches"],
];

/// The first layer that may use the connectors: the services.
const FIRST_WITH_CONNECTORS: usize = 5;

/// Beside the layers. The simulator is written from the vendors' documents: a mistake in a crate
/// that it shared with what it checks would be in both and show in neither.
const BESIDE: [(&str, &[&str]); 3] = [
    ("waybill-simulator", &["waybill-domain", "waybill-runtime"]),
    ("waybill-testkit", &["waybill-domain"]),
    ("xtask", &["waybill-faults", "waybill-testkit"]),
];

/// What any crate's tests may use besides what the crate itself may.
const FOR_TESTS: [&str; 2] = ["waybill-testkit", "waybill-simulator"];

/// What does IO or is asynchronous, and so may not be anywhere below the domain.
const NOT_IN_THE_DOMAIN: [&str; 8] = ["async-nats", "axum", "futures", "hyper", "reqwest", "sqlx", "tokio", "tonic"];

fn is_connector(name: &str) -> bool {
    name.starts_with("connector-")
}

/// Whether the crate may use another of ours; `None` for a crate that no rule names.
fn may_use(user: &str, used: &str) -> Option<bool> {
    if is_connector(user) {
        return Some(["waybill-connector", "waybill-domain"].contains(&used));
    }
    if let Some((_, allowed)) = BESIDE.iter().find(|(name, _)| *name == user) {
        return Some(allowed.contains(&used));
    }
    let layer = LAYERS.iter().position(|names| names.contains(&user))?;
    let below = LAYERS[..layer].iter().any(|names| names.contains(&used));
    Some(below || (layer >= FIRST_WITH_CONNECTORS && is_connector(used)))
}

/// Every broken rule, as a sentence.
fn violations(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let ours = our_packages(metadata)?;
    let names: BTreeSet<&str> = ours.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut broken = Vec::new();
    for package in &ours {
        let user = package["name"].as_str().context("a package's name")?;
        if may_use(user, "").is_none() {
            broken.push(format!("{user} is in no layer: say in this file where it belongs"));
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().context("a dependency's name")?;
            if !names.contains(used) {
                continue;
            }
            let in_tests = dependency["kind"] == "dev";
            let for_tests = in_tests && (FOR_TESTS.contains(&used) || used == user);
            if !for_tests && may_use(user, used) != Some(true) {
                let what = if in_tests { "'s tests use" } else { " uses" };
                broken.push(format!("{user}{what} {used}, which DESIGN.md does not allow"));
            }
        }
    }
    broken.extend(io_below_the_domain(metadata)?);
    Ok(broken)
}

fn our_packages(metadata: &Value) -> anyhow::Result<Vec<&Value>> {
    let members = metadata["workspace_members"].as_array().context("workspace_members")?;
    Ok(packages(metadata)?.filter(|package| members.contains(&package["id"])).collect())
}

fn packages(metadata: &Value) -> anyhow::Result<impl Iterator<Item = &Value>> {
    Ok(metadata["packages"].as_array().context("packages")?.iter())
}

/// What the domain's own build pulls in, dev-dependencies left out.
fn io_below_the_domain(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let name_of: BTreeMap<&str, &str> =
        packages(metadata)?.filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .context("the resolved graph")?
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> =
        name_of.iter().filter(|(_, name)| **name == "waybill-domain").map(|(id, _)| *id).collect();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let node = nodes.get(id).context("a node of the graph")?;
            open.extend(built_dependencies(node));
        }
    }
    Ok(seen
        .into_iter()
        .filter_map(|id| name_of.get(id))
        .filter(|name| NOT_IN_THE_DOMAIN.contains(*name))
        .map(|name| format!("waybill-domain has {name} in its tree: it does no IO"))
        .collect())
}

fn built_dependencies(node: &Value) -> impl Iterator<Item = &str> {
    node["deps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|dependency| {
            let kinds = dependency["dep_kinds"].as_array();
            kinds.into_iter().flatten().any(|kind| kind["kind"] != "dev")
        })
        .filter_map(|dependency| dependency["pkg"].as_str())
}

#[test]
fn arrows_point_one_way() -> anyhow::Result<()> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let broken = violations(&serde_json::from_slice(&output.stdout)?)?;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

/// A workspace of packages and the dependencies they declare, `dev:` before those of tests.
fn workspace(packages: &[(&str, &[&str])]) -> Value {
    let described: Vec<_> = packages
        .iter()
        .map(|(name, uses)| {
            let dependencies: Vec<_> = uses
                .iter()
                .map(|used| match used.strip_prefix("dev:") {
                    Some(used) => json!({"name": used, "kind": "dev"}),
                    None => json!({"name": used, "kind": null}),
                })
                .collect();
            json!({"id": name, "name": name, "dependencies": dependencies})
        })
        .collect();
    let nodes: Vec<_> = described
        .iter()
        .map(|package| {
            let deps: Vec<_> = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|used| json!({"pkg": used["name"], "dep_kinds": [{"kind": used["kind"]}]}))
                .collect();
            json!({"id": package["id"], "deps": deps})
        })
        .collect();
    let members: Vec<_> = packages
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| is_connector(name) || may_use(name, "").is_some() || name.starts_with("waybill"))
        .collect();
    json!({"packages": described, "workspace_members": members, "resolve": {"nodes": nodes}})
}

#[track_caller]
fn assert_only(packages: &[(&str, &[&str])], expected: &str) {
    let found = violations(&workspace(packages)).expect("a complete description");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(expected), "{found:?}");
}

#[test]
fn what_the_design_draws_is_allowed() -> anyhow::Result<()> {
    let drawn = workspace(&[
        ("waybill-domain", &["dev:waybill-testkit"]),
        ("waybill-connector", &["waybill-domain"]),
        ("connector-slack", &["waybill-connector", "dev:waybill-simulator"]),
        ("alerter", &["connector-slack", "dev:waybill-testkit"]),
        ("waybill", &["alerter"]),
        ("waybill-simulator", &["tokio"]),
        ("waybill-testkit", &[]),
        ("tokio", &[]),
    ]);
    assert_eq!(violations(&drawn)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_service_that_uses_another_is_seen_in_its_tests_too() {
    let uses = "erp-sync uses crm-sync";
    assert_only(&[("erp-sync", &["crm-sync"]), ("crm-sync", &[])], uses);
    let uses = "erp-sync's tests use crm-sync";
    assert_only(&[("erp-sync", &["dev:crm-sync"]), ("crm-sync", &[])], uses);
}

#[test]
fn a_connector_that_sees_the_engine_is_seen() {
    let packages: [(&str, &[&str]); 2] = [("connector-slack", &["waybill-delivery"]), ("waybill-delivery", &[])];
    assert_only(&packages, "connector-slack uses waybill-delivery");
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    let packages: [(&str, &[&str]); 2] = [("waybill-plan", &["waybill-bus"]), ("waybill-bus", &[])];
    assert_only(&packages, "waybill-plan uses waybill-bus");
}

#[test]
fn a_suite_that_links_the_simulator_is_seen() {
    let packages: [(&str, &[&str]); 2] = [("waybill", &["waybill-simulator"]), ("waybill-simulator", &[])];
    assert_only(&packages, "waybill uses waybill-simulator");
}

#[test]
fn a_domain_with_a_runtime_deep_in_its_tree_is_seen() {
    let packages: [(&str, &[&str]); 3] = [("waybill-domain", &["money"]), ("money", &["tokio"]), ("tokio", &[])];
    assert_only(&packages, "waybill-domain has tokio");
}

#[test]
fn a_crate_without_a_place_is_seen() {
    assert_only(&[("waybill-utils", &[])], "waybill-utils is in no layer");
}
