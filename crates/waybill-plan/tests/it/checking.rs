//! Plans that do not pass.

use waybill_domain::descriptor::{Capability, Descriptor, Field};
use waybill_plan::{Connectors, Plan, Problems, References, codes};

use crate::fixture::{PLAN, connectors, parse};

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
fn a_budget_is_held_against_what_the_vendor_publishes_if_it_publishes_any() {
    let text = PLAN.replacen(
        "connector = \"people\"",
        "connector = \"people\"\nbudget = { requests = 500, per_seconds = 10 }",
        1,
    );
    let codes = |published| {
        let of = |one: Descriptor| Descriptor { budget_is_published: published, ..one };
        let connectors: Vec<Descriptor> = connectors().into_iter().map(of).collect();
        match Plan::parse(&text, Connectors::All(&connectors)) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.problems.iter().map(|problem| problem.code).collect(),
        }
    };
    assert_eq!((codes(true), codes(false)), (vec!["WB-P014"], vec![]));
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

/// The codes of what is wrong with an expression that is a field's value, warnings too.
fn of_value(expression: &str) -> Vec<&'static str> {
    codes_of(&PLAN.replacen("name = \"order.name\"", &format!("name = {}", literal(expression)), 1))
}

/// The same of a condition.
fn of_condition(expression: &str) -> Vec<&'static str> {
    codes_of(&PLAN.replacen(WHEN, &format!("when = {}", literal(expression)), 1))
}

const WHEN: &str = "when = \"order.captured and order.total > decimal('1.00')\"";

fn literal(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn codes_of(plan: &str) -> Vec<&'static str> {
    assert_ne!(plan, PLAN, "the plan was not changed");
    let checked = Plan::check(plan, Connectors::All(&connectors()), References::Ignored);
    let problems = checked.map_or_else(|problems| problems, |checked| checked.warnings);
    problems.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn what_people_write_passes() {
    for expression in [
        "order.captured and not order.cancelled and order.country in ['AT', 'DE']",
        "order.country in ('AT', 'DE') or 'gift' in order.tags",
        "decimal('100') < order.total <= decimal('500')",
        "order.cancel_reason != 'fraud' and order.cancelled_at is none",
        "order.customer and order.customer.email != ''",
        "order.tags and order.captured",
        "order.lines | length > 2 and order.lines[0].quantity > 1",
        "order.created_at >= '2026-11-01' and order.locale[:2] == 'de'",
        "order.financial_status | upper == 'PAID'",
        "order.billing_address == order.shipping_address",
        "store == 'main' and channel == 'main'",
        "totals.orders > 3 or totals.spent >= decimal('250')",
    ] {
        assert_eq!(of_condition(expression), Vec::<&str>::new(), "{expression}");
    }
    for expression in [
        "'a' if order.total > decimal('500') else 'b' if order.total > decimal('100') else 'c'",
        "order.customer.email if order.customer else ''",
        "'' if order.customer is none else order.customer.email",
        "order.customer.email | default('')",
        "order.cancel_reason | default('none given')",
        "{'AT': 'post', 'DE': 'dhl'}[order.country] | default('ups')",
        "order.lines | join(', ', 'sku')",
        "order.tags | join(' ') | lower | replace('-', '')",
        "round(times(order.total, '0.5'), 2)",
        "lookup('tax', order.country, 'V0')",
        "order.created_at[0:10] ~ ' ' ~ order.name",
        "order['note'] or none",
    ] {
        assert_eq!(of_value(expression), Vec::<&str>::new(), "{expression}");
    }
}

#[test]
fn what_would_fail_for_some_records_is_a_warning() {
    for expression in [
        "order.customer.email",
        "order.customer.first_name ~ order.customer.last_name",
        "order.shipping_address.city | upper",
        "order.cancel_reason | upper",
        "order.totals.duties.shop.amount",
        "order.tags[0]",
        "order.refunds[0].note",
        "'large' if order.total > decimal('500')",
        "order.customer.email if order.customer is defined else ''",
        "lookup('tax', order.cancel_reason)",
    ] {
        assert_eq!(of_value(expression), ["WB-P041"], "{expression}");
    }
    assert_eq!(of_condition("order.customer.email == ''"), ["WB-P041"]);
    assert_eq!(of_condition("order.cancelled_at > '2026-01-01'"), ["WB-P041"]);
    // What the plan has an answer for is none.
    let skipped = "name = { value = \"order.customer.email\", missing = \"skip\" }";
    assert!(codes_of(&PLAN.replacen("name = \"order.name\"", skipped, 1)).is_empty());
}

#[test]
fn each_slip_in_an_expression_is_one_problem() {
    for (expression, code) in [
        ("order.captured && order.test", "WB-P002"),
        ("order.captured = true", "WB-P002"),
        ("order.country == 'AT", "WB-P002"),
        ("captured", "WB-P021"),
        ("order.line_items | length > 1", "WB-P021"),
        ("order.country == AT", "WB-P021"),
        ("order.note.startswith('A')", "WB-P021"),
        ("order.total > 100", "WB-P022"),
        ("order.total > '100'", "WB-P022"),
        ("order.total + order.tax_total > decimal('1')", "WB-P022"),
        ("order.total > decimal('1,50')", "WB-P022"),
        ("order.captured == 'true'", "WB-P022"),
        ("order.tags == 'vip'", "WB-P022"),
        ("order.tags in ['vip']", "WB-P022"),
        ("order.name == 1001", "WB-P022"),
        ("order.created_at > 2026", "WB-P022"),
        ("order.note | length", "WB-P023"),
        ("order.financial_status == 'payed'", "WB-P024"),
        ("order.fulfillment_status == 'unfulfilled'", "WB-P024"),
        ("order.country == 'AT' and order.country == 'DE'", "WB-P024"),
        ("order.captured and not order.captured", "WB-P024"),
        ("order.country in ['AT'] and order.country in ['DE', 'CH']", "WB-P024"),
        ("store == 'mian'", "WB-P024"),
    ] {
        assert_eq!(of_condition(expression), [code], "{expression}");
    }
}

#[test]
fn the_caret_stands_below_the_part_in_every_kind_of_text() {
    for written in [
        "\"\"\"\n  order.captured\n  and order.totl > decimal('1')\"\"\"",
        "'''\norder.captured and \n\torder.totl > decimal('1')'''",
        "\"\"\"order.captured \\\n    and order.totl > decimal('1')\"\"\"",
        r#""order.note == \"\u00e4\" and order.totl > decimal('1')""#,
    ] {
        let text = PLAN.replacen(WHEN, &format!("when = {written}"), 1);
        for text in [text.replace('\n', "\r\n"), text] {
            let problem = parse(&text).expect_err("there is no such field").problems.remove(0);
            let shown: String = problem.text.chars().skip(problem.column - 1).take(problem.length).collect();
            assert_eq!((problem.code, shown.as_str()), ("WB-P021", "totl"), "{}", problem.render("plan.toml"));
        }
    }
}

#[test]
fn a_part_that_cannot_be_read_is_told_once_and_not_of_all_that_names_it() {
    assert_eq!(wrong("connector = \"books\"", "conector = \"books\""), ["WB-P019"]);
    assert_eq!(wrong("[systems.erp]\nconnector = \"books\"", "[systems.erp]"), ["WB-P012"]);
    assert_eq!(wrong("[systems.erp]", "[[systems.erp]]"), ["WB-P009"]);
    assert_eq!(wrong("[stores.main]", "[store.main]"), ["WB-P019"]);
    assert_eq!(wrong("[stock]\nfrom = \"erp\"", "[stock]\nfrm = \"erp\""), ["WB-P019"]);
    assert_eq!(wrong("name = \"orders-to-shipping\"", "nmae = \"orders-to-shipping\""), ["WB-P019"]);
    assert_eq!(wrong("erp = \"graz\"", "epr = \"graz\""), ["WB-P003"]);
}

#[test]
fn a_system_cannot_be_called_as_the_store_is_and_is_not_called_by_its_connector() {
    let text = PLAN.replace("\"crm\"", "\"store\"").replace("[systems.crm]", "[systems.store]");
    assert_eq!(codes_of(&text), ["WB-P001"]);
    let told = problems("to = \"shipping\"", "to = \"parcels\"").to_string();
    assert!(told.contains("did you mean 'shipping'? That is its connector"), "{told}");
}

#[test]
fn a_condition_below_the_header_of_fields_is_no_field() {
    let moved = PLAN.replacen(WHEN, "", 1).replacen(
        "name = \"order.name\"",
        "name = \"order.name\"\nwhen = \"order.captured\"",
        1,
    );
    assert_eq!(codes_of(&moved), ["WB-P039"]);
}

/// A connector that both gives and takes parcels, and asks for a field of them.
fn hauler() -> Descriptor {
    const FIELDS: &[Field] = &[Field { of: Capability::ShipmentSink, name: "reference", required: true, max_chars: 0 }];
    Descriptor {
        connector: "hauler",
        title: "Hauler",
        capabilities: &[Capability::ShipmentSource, Capability::ShipmentSink],
        fields: FIELDS,
        ..connectors().remove(0)
    }
}

fn with_haulers(flows: &str) -> Vec<&'static str> {
    let systems = "[systems.north]\nconnector = \"hauler\"\n[systems.south]\nconnector = \"hauler\"\n";
    let plan = format!("{systems}{PLAN}{flows}");
    let connectors: Vec<Descriptor> = connectors().into_iter().chain([hauler()]).collect();
    let checked = Plan::parse(&plan, Connectors::All(&connectors));
    checked.map_or_else(|problems| problems.problems.iter().map(|problem| problem.code).collect(), |_| Vec::new())
}

#[test]
fn records_that_go_round_and_fields_that_a_system_requires_are_told() {
    let flow = |name, from, to, field| {
        let begin = format!("[[flows]]\nname = \"{name}\"\nkind = \"shipment\"\nfrom = \"{from}\"\nto = \"{to}\"\n");
        format!("{begin}[flows.fields]\n{field} = \"shipment.id\"\n")
    };
    let (there, back) = (flow("there", "north", "south", "reference"), flow("back", "south", "north", "reference"));
    assert_eq!(with_haulers(&there), Vec::<&str>::new());
    assert_eq!(with_haulers(&format!("{there}{back}")), ["WB-P026"]);
    assert_eq!(with_haulers(&flow("there", "north", "south", "other")), ["WB-P017"]);
}

#[test]
fn a_secret_is_covered_however_it_is_written() {
    let connectors = connectors();
    for (from, to) in [
        ("token = \"env:TOKEN\"", "token = \"sesame\""),
        ("token = \"env:TOKEN\"", "token = [\"sesame\"]"),
        ("token = \"env:TOKEN\"", "tokne = \"sesame\""),
        ("token = \"env:TOKEN\"", "token = sesame"),
        ("token = \"env:TOKEN\"", "token = \"sesame"),
        ("[\"env:SECRET\"]", "\"sesame\""),
        ("[\"env:SECRET\"]", "[\"sesame\", \"env:SECRET\"]"),
        ("[\"env:SECRET\"]", "[[\"sesame\"]]"),
        ("[\"env:SECRET\"]", "{ new = \"sesame\" }"),
    ] {
        assert!(PLAN.contains(from), "the plan does not have {from}");
        let problems = Plan::parse(&PLAN.replacen(from, to, 1), Connectors::All(&connectors)).expect_err(to);
        let told = format!("{}{problems}{:?}", problems.render("plan.toml"), problems.problems);
        assert!(!told.contains("sesame"), "{to}: {told}");
    }
}
