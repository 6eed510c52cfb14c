//! The day once more: what the plan, simulated on the exported day, says that became of every record, against what
//! became of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;

use super::world::World;
use crate::cargo_build::Programs;
use crate::workspace;

#[derive(Debug, Deserialize)]
struct Simulated {
    deliveries: Vec<Delivery>,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    system: String,
    key: Key,
    state: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key {
    store: String,
    kind: String,
    id: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    decision: Option<Decision>,
}

#[derive(Debug, Deserialize)]
struct Decision {
    system: String,
    key: Key,
    settlement: i64,
    state: String,
    code: String,
}

/// Simulates the plan on an exported day; what differs from how the day went. Says how much was compared.
pub(super) fn check(programs: &Programs, world: &World, day: &Path) -> anyhow::Result<Vec<String>> {
    let predicted = world.ready_file().with_file_name("predicted.json");
    let plan = workspace::root().join("examples/plans/example.toml");
    let output = Command::new(programs.get("waybill")?)
        .args(["plan", "simulate"])
        .arg(plan)
        .arg("--on")
        .arg(day)
        .arg("--json")
        .stdin(Stdio::null())
        .output()
        .context("running waybill plan simulate")?;
    anyhow::ensure!(
        output.status.success(),
        "waybill plan simulate: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    std::fs::write(&predicted, &output.stdout)?;
    let simulated: Simulated = serde_json::from_slice(&output.stdout).context("the answer of plan simulate")?;
    let mut wrong = ends(&simulated, &std::fs::read_to_string(day)?)?;
    let output = Command::new(programs.get("waybill-oracle")?)
        .arg("--ready")
        .arg(world.ready_file())
        .arg("--predicted")
        .arg(&predicted)
        .stdin(Stdio::null())
        .output()
        .context("running the oracle on the simulation")?;
    eprint!("simulated: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        wrong.push("the simulated plan and the systems disagree".to_owned());
    }
    Ok(wrong)
}

/// Whether each delivery ended as it was simulated: state, and rule or code.
fn ends(simulated: &Simulated, day: &str) -> anyhow::Result<Vec<String>> {
    let mut ended: BTreeMap<(Key, String), Decision> = BTreeMap::new();
    for line in day.lines() {
        let Some(decision) = serde_json::from_str::<Line>(line)?.decision else { continue };
        // Pages are no flow's.
        if decision.key.kind == "incident" {
            continue;
        }
        let which = (decision.key.clone(), decision.system.clone());
        if ended.get(&which).is_none_or(|known| known.settlement < decision.settlement) {
            ended.insert(which, decision);
        }
    }
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for delivery in &simulated.deliveries {
        let reason = if delivery.rule.is_empty() { &delivery.code } else { &delivery.rule };
        let said = format!("{} {reason}", delivery.state);
        let Delivery { key: Key { store, kind, id }, system, .. } = delivery;
        let happened = match ended.remove(&(delivery.key.clone(), system.clone())) {
            Some(decision) => format!("{} {}", decision.state, decision.code),
            // Nothing was decided for good: it waits.
            None if delivery.state == "waiting" => said.clone(),
            None => "nothing".to_owned(),
        };
        if happened != said {
            wrong.push(format!("{store}/{kind}/{id} for {system}: simulated {said}, happened {happened}"));
        }
        *counts.entry(delivery.state.clone()).or_default() += 1;
    }
    wrong.extend(ended.into_keys().map(|(Key { store, kind, id }, system)| {
        format!("{store}/{kind}/{id} for {system}: happened, and was not simulated")
    }));
    let counts: Vec<String> = counts.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    eprintln!(
        "simulated: {} deliveries ended as they did on the day, but {}: {}",
        simulated.deliveries.len(),
        wrong.len(),
        counts.join(", ")
    );
    wrong.truncate(40);
    Ok(wrong)
}
