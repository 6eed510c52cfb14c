//! Plans that do not pass.

use waybill_plan::{Problems, codes};

use crate::fixture::{PLAN, parse};

fn problems(from: &str, to: &str) -> Problems {
    assert!(PLAN.contains(from), "the plan does not have {from}");
    parse(&PLAN.replacen(from, to, 1)).expect_err("the plan does not pass")
}

/// The codes of everything wrong with the plan after a change to it.
fn wrong(from: &str, to: &str) -> Vec<&'static str> {
    problems(from, to).problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn each_mistake_has_its_code() {
    assert_eq!(wrong("to = \"erp\"", "to = \"epr\""), ["WB-P003"]);
    assert_eq!(wrong("kind = \"order\"", "kind = \"orders\""), ["WB-P008"]);
    assert_eq!(wrong("item = \"line.sku\"", "item = \"line.\""), ["WB-P002"]);
    assert_eq!(wrong("connector = \"books\"", "connector = \"bookz\""), ["WB-P010"]);
    assert_eq!(wrong("token = \"env:TOKEN\"", "token = \"s3cret\""), ["WB-P013"]);
    assert_eq!(wrong("token = \"env:TOKEN\"", "tokem = \"env:TOKEN\""), ["WB-P011"]);
    assert_eq!(wrong("kind = \"order\"\nto = \"shipping\"", "kind = \"refund\"\nto = \"shipping\""), ["WB-P015"]);
    assert_eq!(wrong("after = [\"erp\"]", "after = [\"shipping\"]"), ["WB-P007"]);
    assert_eq!(wrong("after = [\"erp\"]", "after = [\"erp\"]\nfields = { servise = \"'1'\" }"), ["WB-P016"]);
    assert_eq!(wrong("to = \"shipping\"", "to = \"erp\""), ["WB-P006", "WB-P007"]);
    assert_eq!(wrong("after = [\"erp\"]", "stores = [\"mian\"]"), ["WB-P018"]);
}

#[test]
fn what_goes_round_in_a_circle_is_told() {
    let text = PLAN.replacen("to = \"erp\"\nwhen", "to = \"erp\"\nafter = [\"shipping\"]\nwhen", 1);
    let problems = parse(&text).expect_err("it waits for itself");
    let codes: Vec<&str> = problems.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["WB-P007"], "told once");
    assert!(problems.to_string().contains("erp after shipping after erp"), "{problems}");
    assert_eq!(problems.problems[0].at, "flows.orders-to-erp.after[0]");
}

#[test]
fn expressions_are_typed_and_the_caret_stands_below_the_part() {
    let found = problems("order.total > decimal('1.00')", "order.total > 1");
    let problem = &found.problems[0];
    assert_eq!((problem.code, problem.length), ("WB-P022", 1));
    assert_eq!(problem.text.chars().nth(problem.column - 1), Some('1'));
    assert_eq!(wrong("order.total > decimal('1.00')", "order.totl > decimal('1.00')"), ["WB-P021"]);
    assert_eq!(
        wrong("order.captured and order.total", "order.financial_status == 'payed' and order.total"),
        ["WB-P024"]
    );
    assert_eq!(
        wrong("order.captured and order.total", "order.note and order.lines.sku == 'x' and order.total"),
        ["WB-P022"]
    );
    assert_eq!(wrong("name = \"order.name\"", "name = \"order.lines\""), ["WB-P023"]);
    assert_eq!(wrong("name = \"order.name\"", "name = \"order.name * 1000000000\""), ["WB-P022"]);
    assert_eq!(wrong("name = \"order.name\"", "name = \"lookup('taxx', order.name)\""), ["WB-P033"]);
    assert_eq!(wrong("name = \"order.name\"", "name = \"range(10)\""), ["WB-P021"]);
    assert_eq!(wrong("when = \"order.captured and order.total > decimal('1.00')\"", "when = \"false\""), ["WB-P024"]);
}

#[test]
fn a_wrong_name_gets_the_nearest_one_that_there_is() {
    let error = problems("to = \"erp\"", "to = \"epr\"");
    assert!(error.to_string().contains("did you mean 'erp'?"), "{error}");
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest() {
    let error = problems("after =", "afterr =");
    assert_eq!(error.problems[0].code, "WB-P019");
    assert!(error.problems[0].mend.contains("'after'") && error.problems[0].text.starts_with("afterr"), "{error}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = PLAN
        .replacen("to = \"erp\"", "to = \"epr\"", 1)
        .replacen("item = \"line.sku\"", "item = \"(\"", 1)
        .replacen("concurrency", "", 1);
    let problems = parse(&text).expect_err("it does not pass");
    assert_eq!(problems.problems.len(), 2, "{problems}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let problems = parse("[stores.main\nshop = 1").expect_err("it is no TOML");
    assert_eq!((problems.problems[0].code, problems.problems[0].line), ("WB-P020", 1));
}

#[test]
fn codes_are_in_order_and_unique() {
    for (index, code) in codes::CODES.iter().enumerate() {
        assert_eq!(code.code, format!("WB-P{:03}", index + 1));
    }
}
