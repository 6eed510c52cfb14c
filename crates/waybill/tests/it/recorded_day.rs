//! The recorded day that lies in `examples/days`, under the plan that it was recorded with: every delivery ends as it
//! did. A change of the example plan that changes what is written needs a new recording.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn day() -> PathBuf {
    root().join("examples/days/waldgang-200.jsonl")
}

fn run(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_waybill"))
        .current_dir(root())
        .args(arguments)
        .arg("--on")
        .arg(day())
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn which(one: &Value) -> (String, String) {
    let part = |name: &str| text(&one["key"][name]);
    (format!("{}/{}/{}", part("store"), part("kind"), part("id")), text(&one["system"]))
}

/// How each delivery ended: state, rule or code.
fn ended() -> BTreeMap<(String, String), String> {
    let mut newest: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for line in std::fs::read_to_string(day()).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let decision = &line["decision"];
        if decision.is_null() || decision["key"]["kind"] == "incident" {
            continue;
        }
        let settlement = decision["settlement"].as_i64().unwrap();
        let end = format!("{} {}", text(&decision["state"]), text(&decision["code"]));
        let known = newest.entry(which(decision)).or_default();
        if settlement > known.0 {
            *known = (settlement, end);
        }
    }
    newest.into_iter().map(|(which, (_, end))| (which, end)).collect()
}

#[test]
fn every_delivery_of_the_recorded_day_ends_as_it_did() {
    let said = run(&["plan", "simulate", "examples/plans/example.toml"]);
    let mut ended = ended();
    let mut wrong = Vec::new();
    for delivery in said["deliveries"].as_array().unwrap() {
        let reason = if delivery["rule"].is_null() { &delivery["code"] } else { &delivery["rule"] };
        let simulated = format!("{} {}", text(&delivery["state"]), text(reason));
        match ended.remove(&which(delivery)) {
            Some(happened) if happened == simulated => {}
            // What waited when the day ended was never settled.
            None if delivery["state"] == "waiting" => {}
            happened => wrong.push(format!("{:?}: simulated {simulated}, happened {happened:?}", which(delivery))),
        }
    }
    assert!(wrong.is_empty() && ended.is_empty(), "{wrong:#?}\nnot simulated: {ended:#?}");
    let states = &said["summary"]["states"];
    for state in ["applied", "ignored", "parked", "waiting"] {
        assert!(states[state].as_u64().unwrap() > 0, "the day has none that is {state}");
    }
    // No field of a refused document is said to be in the system.
    let refused = said["deliveries"].as_array().unwrap().iter().find(|one| one["code"] == "unknown_item").unwrap();
    assert_eq!((&refused["writes"], &refused["assumed"][0]), (&0.into(), &"refused as on the recorded day".into()));
}

#[test]
fn a_stricter_plan_changes_what_its_rule_says_and_nothing_else() {
    let folder = std::env::temp_dir().join(format!("waybill-diff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let stricter = folder.join("stricter.toml");
    let plan = std::fs::read_to_string(root().join("examples/plans/example.toml")).unwrap();
    let rule = "kind = \"order\"\nto = \"erp\"\n";
    assert!(plan.contains(rule));
    let approval = format!("{rule}approval = \"order.total > decimal('200')\"\n");
    std::fs::write(&stricter, plan.replacen(rule, &approval, 1)).unwrap();
    let said = run(&["plan", "diff", "examples/plans/example.toml", stricter.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    let counts = said["counts"].as_object().unwrap();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["erp", "shipping"], "{counts:#?}");
    assert!(counts["erp"]["applied → waiting (approval)"].as_u64().unwrap() > 5, "{counts:#?}");
    // What comes after the ERP waits with it.
    assert!(counts["shipping"]["applied → waiting (after)"].as_u64().unwrap() > 5, "{counts:#?}");
    for change in said["changes"].as_array().unwrap() {
        let is_order = change["system"] == "erp" && change["key"]["kind"] == "order";
        let total: f64 = change["fields"]["total"][0].as_str().unwrap_or("201").parse().unwrap();
        assert!(!is_order || total > 200.0, "{change:#?}");
    }
}
