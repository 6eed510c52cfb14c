//! Plans that do not pass.

use waybill_plan::PlanError;

use crate::fixture::{PLAN, parse};

/// The codes of everything wrong with the plan after a change to it.
fn wrong(from: &str, to: &str) -> Vec<&'static str> {
    assert!(PLAN.contains(from), "the plan does not have {from}");
    match parse(&PLAN.replacen(from, to, 1)) {
        Err(PlanError::Problems(problems)) => problems.iter().map(|problem| problem.code).collect(),
        other => panic!("not problems: {other:?}"),
    }
}

#[test]
fn each_mistake_has_its_code() {
    assert_eq!(wrong("to = \"erp\"", "to = \"epr\""), ["WB-P003"]);
    assert_eq!(wrong("kind = \"order\"", "kind = \"orders\""), ["WB-P001"]);
    assert_eq!(wrong("item = \"line.sku\"", "item = \"line.\""), ["WB-P002"]);
    assert_eq!(wrong("connector = \"books\"", "connector = \"bookz\""), ["WB-P010"]);
    assert_eq!(wrong("token = \"env:TOKEN\"", "token = \"s3cret\""), ["WB-P013"]);
    assert_eq!(wrong("token = \"env:TOKEN\"", "tokem = \"env:TOKEN\""), ["WB-P011", "WB-P012"]);
    assert_eq!(wrong("kind = \"order\"\nto = \"erp\"", "kind = \"shipment\"\nto = \"erp\""), ["WB-P015"]);
    assert_eq!(wrong("after = [\"erp\"]", "after = [\"shipping\"]"), ["WB-P007"]);
    assert_eq!(wrong("after = [\"erp\"]", "after = [\"erp\"]\nfields = { servise = \"1\" }"), ["WB-P016"]);
    assert_eq!(wrong("to = \"shipping\"", "to = \"erp\""), ["WB-P006", "WB-P007"]);
    assert_eq!(wrong("after = [\"erp\"]", "stores = [\"mian\"]"), ["WB-P018"]);
}

#[test]
fn a_wrong_name_gets_the_nearest_one_that_there_is() {
    let Err(error) = parse(&PLAN.replacen("to = \"erp\"", "to = \"epr\"", 1)) else { panic!("it passed") };
    assert!(error.to_string().contains("did you mean 'erp'?"), "{error}");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let Err(PlanError::Form(error)) = parse(&PLAN.replacen("after =", "afterr =", 1)) else { panic!("it passed") };
    assert!(error.contains("afterr") && error.contains("line"), "{error}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = PLAN.replacen("to = \"erp\"", "to = \"epr\"", 1).replacen("item = \"line.sku\"", "item = \"(\"", 1);
    let Err(PlanError::Problems(problems)) = parse(&text) else { panic!("it passed") };
    assert_eq!(problems.len(), 2);
}
