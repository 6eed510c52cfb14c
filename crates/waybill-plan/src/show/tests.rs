//! What is shown follows from every key.

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Setting};

use super::{Question, Shown, draw, show};
use crate::{Connectors, Plan};

/// Every key that a plan can have.
const PLAN: &str = r#"
since = 2026-01-01

[stores.main]
shop = "main.myshopify.com"
system = "shop"
channel = "retail"
webhook_secrets = ["env:MAIN_SECRET"]

[stores.trade]
shop = "trade.myshopify.com"
system = "trade-shop"
webhook_secrets = ["env:TRADE_SECRET"]

[systems.shop]
connector = "shopify"

[systems.trade-shop]
connector = "shopify"

[systems.erp]
connector = "books"
token = "env:TOKEN"
company = "Waldgang"
budget = { requests = 100, per_seconds = 10 }
concurrency = 3
paused = true
shadow = true
ask_above = 500
shares = { erp-sync = 0.7, inventory-router = 0.3 }

[systems.crm]
connector = "people"

[systems.shipping]
connector = "parcels"

[systems.phone]
connector = "pages"

[systems.chat]
connector = "chat"

[locations.vienna]
erp = "w1"
shop = "1"

[locations.graz]
erp = "w2"
shop = "2"

[tables.tax]
"AT VAT" = "V20"

[kinds.order]
owner = "store"
on_conflict = "park"
fields = { note = "crm" }

[kinds.customer]
owner = "store"
on_conflict = "theirs"

[kinds.product]
owner = "erp"
on_conflict = "owner"
fields = { images = "store" }

[customers]
counts = "order.captured"
match = ["email", { by = "phone", ask = true }, { field = "code", value = "customer.id" }]
on_match = ["firstname"]
phone_prefix = "+43"

[stock]
from = "erp"
quantity = "on_hand"
safety = 1
holds = [{ location = "vienna", sku = "TEE-*", units = 4 }]
sells = { trade = ["graz"] }
every_seconds = 30

[alerts]
pagers = ["phone", { to = "chat", from = "warning" }]
late_after_seconds = 900
expect = [{ stores = ["main"], from = "08:00", to = "20:00", zone = "Europe/Vienna", orders_per_hour = 5 }]

[[flows]]
name = "orders-to-erp"
kind = "order"
to = "erp"
stores = ["main"]
when = "order.captured"
since = 2026-02-01
timing = { at = "02:00", zone = "Europe/Vienna" }
late_after_seconds = 90000
on_edit = "amend"
on_leave = "cancel"
on_conflict = "owner"
retry = { tries = 7, hours = 5 }
approval = "order.total > decimal('500')"
point_of_no_return = "order.fulfillment_status == 'fulfilled'"
match = [{ field = "reference", value = "order.name", ask = true }]
[flows.lines]
item = "line.sku"
tax = 'lookup("tax", tax.title)'
charges = { shipping = "SHIP" }
[flows.fields]
name = "order.name"
comment = { value = "order.note", missing = "skip" }
origin = { value = "order.source_name or none", default = "web" }
[flows.customer_fields]
firstname = "customer.first_name"

[[flows]]
name = "orders-to-crm"
kind = "order"
to = "crm"
timing = { every_minutes = 15 }
buyer = { key = "store", name = "channel" }
[flows.fields]
title = "order.name"

[[flows]]
name = "orders-to-shipping"
kind = "order"
to = "shipping"
stores = ["main"]
after = ["erp"]
after_same_revision = true
timing = { hold_minutes = 20 }

[[flows]]
name = "parcels-to-crm"
kind = "shipment"
from = "shipping"
to = "crm"

[[flows]]
name = "stock-to-store"
kind = "stock-level"
to = "shop"
"#;

/// A change to the text of each key. Each key's line is named by one at least.
const CHANGES: &[(&str, &str)] = &[
    ("since = 2026-01-01", "since = 2026-01-02"),
    (
        "[stores.main]\nshop",
        "[stores.third]\nshop = \"x\"\nsystem = \"shop\"\nwebhook_secrets = [\"env:X\"]\n[stores.main]\nshop",
    ),
    ("\"main.myshopify.com\"", "\"other.myshopify.com\""),
    ("system = \"trade-shop\"", "system = \"shop\""),
    ("system = \"shop\"", "system = \"trade-shop\""),
    ("channel = \"retail\"", "channel = \"web\""),
    ("env:MAIN_SECRET", "env:OTHER_SECRET"),
    ("shop = \"trade.myshopify.com\"", "shop = \"b2b.myshopify.com\""),
    ("env:TRADE_SECRET", "env:OTHER_SECRET"),
    ("connector = \"shopify\"", "connector = \"shop\""),
    ("[systems.trade-shop]\nconnector = \"shopify\"", "[systems.trade-shop]\nconnector = \"shop\""),
    ("connector = \"books\"", "connector = \"ledger\""),
    ("connector = \"people\"", "connector = \"contacts\""),
    ("connector = \"parcels\"", "connector = \"boxes\""),
    ("connector = \"pages\"", "connector = \"bells\""),
    ("connector = \"chat\"", "connector = \"talk\""),
    ("env:TOKEN", "env:OTHER"),
    ("company = \"Waldgang\"", "company = \"Berggang\""),
    ("requests = 100", "requests = 99"),
    ("per_seconds = 10", "per_seconds = 11"),
    ("concurrency = 3", "concurrency = 2"),
    ("paused = true", "paused = false"),
    ("shadow = true", "shadow = false"),
    ("ask_above = 500", "ask_above = 501"),
    ("erp-sync = 0.7", "erp-sync = 0.6"),
    ("inventory-router = 0.3", "alerter = 0.3"),
    ("erp = \"w1\"", "erp = \"w9\""),
    ("shop = \"1\"", "shop = \"9\""),
    ("erp = \"w2\"", "erp = \"w9\""),
    ("shop = \"2\"", "shop = \"9\""),
    ("\"AT VAT\" = \"V20\"", "\"AT VAT\" = \"V19\""),
    ("\"AT VAT\" = \"V20\"", "\"DE VAT\" = \"V20\""),
    ("[tables.tax]", "[tables.other]\nx = \"y\"\n[tables.tax]"),
    ("[kinds.order]\nowner = \"store\"", "[kinds.order]\nowner = \"erp\""),
    ("on_conflict = \"park\"", "on_conflict = \"theirs\""),
    ("{ note = \"crm\" }", "{ note = \"erp\" }"),
    ("on_conflict = \"theirs\"", "on_conflict = \"park\""),
    ("[kinds.customer]\nowner = \"store\"", "[kinds.customer]\nowner = \"crm\""),
    ("[kinds.product]\nowner = \"erp\"", "[kinds.product]\nowner = \"store\""),
    ("on_conflict = \"owner\"\nfields", "on_conflict = \"park\"\nfields"),
    ("{ images = \"store\" }", "{ images = \"crm\" }"),
    ("counts = \"order.captured\"", "counts = \"not order.test\""),
    ("match = [\"email\", ", "match = ["),
    ("by = \"phone\", ask = true", "by = \"phone\", ask = false"),
    ("by = \"phone\"", "by = \"email\""),
    ("field = \"code\"", "field = \"number\""),
    ("value = \"customer.id\"", "value = \"customer.email\""),
    ("on_match = [\"firstname\"]", "on_match = \"merge\""),
    ("on_match = [\"firstname\"]", "on_match = \"create-second\""),
    ("phone_prefix = \"+43\"", "phone_prefix = \"+49\""),
    ("from = \"erp\"\n", "from = \"shipping\"\n"),
    ("quantity = \"on_hand\"", "quantity = \"available\""),
    ("safety = 1", "safety = 2"),
    ("location = \"vienna\"", "location = \"graz\""),
    ("sku = \"TEE-*\"", "sku = \"TEE-\""),
    ("units = 4", "units = 5"),
    ("sells = { trade = [\"graz\"] }", "sells = { trade = [\"vienna\"] }"),
    ("sells = { trade = [\"graz\"] }", "sells = { retail = [\"graz\"] }"),
    ("every_seconds = 30", "every_seconds = 31"),
    ("pagers = [\"phone\", ", "pagers = [\"chat\", "),
    ("{ to = \"chat\", from = \"warning\" }", "{ to = \"phone\", from = \"warning\" }"),
    ("from = \"warning\"", "from = \"error\""),
    ("from = \"warning\"", "from = \"critical\""),
    ("late_after_seconds = 900\n", "late_after_seconds = 901\n"),
    ("expect = [{ stores = [\"main\"]", "expect = [{ stores = [\"trade\"]"),
    ("from = \"08:00\"", "from = \"09:00\""),
    ("to = \"20:00\"", "to = \"21:00\""),
    ("zone = \"Europe/Vienna\", orders", "zone = \"Europe/Berlin\", orders"),
    ("orders_per_hour = 5", "orders_per_hour = 6"),
    ("name = \"orders-to-erp\"", "name = \"orders-to-books\""),
    (
        "kind = \"order\"\nto = \"shipping\"\nstores = [\"main\"]\nafter = [\"erp\"]",
        "kind = \"refund\"\nto = \"shipping\"\nstores = [\"main\"]",
    ),
    (
        "kind = \"order\"\nto = \"erp\"\nstores = [\"main\"]",
        "kind = \"order\"\nto = \"erp\"\nstores = [\"main\", \"trade\"]",
    ),
    ("when = \"order.captured\"", "when = \"not order.test\""),
    ("since = 2026-02-01", "since = 2026-02-02"),
    ("at = \"02:00\"", "at = \"03:00\""),
    ("zone = \"Europe/Vienna\" }\nlate", "zone = \"Europe/Berlin\" }\nlate"),
    ("late_after_seconds = 90000", "late_after_seconds = 90001"),
    ("on_edit = \"amend\"", "on_edit = \"update\""),
    ("on_edit = \"amend\"", "on_edit = \"park\""),
    ("on_edit = \"amend\"", "on_edit = \"ignore\""),
    ("on_leave = \"cancel\"", "on_leave = \"update\""),
    ("on_leave = \"cancel\"", "on_leave = \"park\""),
    ("on_conflict = \"owner\"\nretry", "on_conflict = \"park\"\nretry"),
    ("on_conflict = \"owner\"\nretry", "on_conflict = \"theirs\"\nretry"),
    ("tries = 7", "tries = 8"),
    ("hours = 5", "hours = 6"),
    ("decimal('500')", "decimal('501')"),
    ("== 'fulfilled'", "== 'partial'"),
    ("field = \"reference\"", "field = \"number\""),
    ("field = \"reference\", value = \"order.name\"", "field = \"reference\", value = \"order.id\""),
    ("value = \"order.name\", ask = true", "value = \"order.name\", ask = false"),
    ("item = \"line.sku\"", "item = \"line.id\""),
    ("tax = 'lookup(\"tax\", tax.title)'", "tax = \"tax.title\""),
    ("charges = { shipping = \"SHIP\" }", "charges = { shipping = \"POST\" }"),
    ("charges = { shipping = \"SHIP\" }", "charges = { tip = \"SHIP\" }"),
    ("name = \"order.name\"\ncomment", "title = \"order.name\"\ncomment"),
    ("name = \"order.name\"\ncomment", "name = \"order.id\"\ncomment"),
    ("value = \"order.note\"", "value = \"order.locale\""),
    ("missing = \"skip\"", "missing = \"clear\""),
    ("missing = \"skip\"", "missing = \"error\""),
    ("default = \"web\"", "default = \"shop\""),
    ("value = \"order.source_name or none\"", "value = \"order.source_name\""),
    ("firstname = \"customer.first_name\"", "firstname = \"customer.last_name\""),
    ("firstname = \"customer", "lastname = \"customer"),
    ("to = \"crm\"\ntiming", "to = \"chat\"\ntiming"),
    ("every_minutes = 15", "every_minutes = 16"),
    ("key = \"store\"", "key = \"channel\""),
    ("name = \"channel\"", "name = \"store\""),
    ("title = \"order.name\"", "title = \"order.id\""),
    ("name = \"orders-to-crm\"", "name = \"orders\""),
    ("name = \"orders-to-shipping\"", "name = \"to-shipping\""),
    ("kind = \"order\"\nto = \"shipping\"", "kind = \"order\"\nto = \"chat\""),
    ("stores = [\"main\"]\nafter", "after"),
    ("after = [\"erp\"]", "after = [\"crm\"]"),
    ("after_same_revision = true", "after_same_revision = false"),
    ("hold_minutes = 20", "hold_minutes = 21"),
    ("name = \"parcels-to-crm\"", "name = \"parcels\""),
    ("kind = \"shipment\"\nfrom = \"shipping\"", "kind = \"refund\""),
    ("from = \"shipping\"", "from = \"erp\""),
    ("from = \"shipping\"\nto = \"crm\"", "from = \"shipping\"\nto = \"chat\""),
    ("name = \"stock-to-store\"", "name = \"stock\""),
    ("kind = \"stock-level\"", "kind = \"shipment\""),
    ("kind = \"stock-level\"\nto = \"shop\"", "kind = \"refund\"\nto = \"chat\""),
];

fn books() -> Descriptor {
    const SETTINGS: &[Setting] = &[
        Setting { name: "token", required: true, secret: true, about: "a token" },
        Setting { name: "company", required: true, secret: false, about: "the company" },
    ];
    Descriptor {
        connector: "books",
        title: "Books & Co",
        capabilities: &[Capability::OrderSink, Capability::StockSource],
        settings: SETTINGS,
        fields: &[],
        reads: &[],
        adopts: &[],
        amends: &[],
        custom_fields: true,
        budget: Budget { requests: 200, per: Duration::from_secs(60) },
        find_lag: Duration::ZERO,
    }
}

fn plan(text: &str) -> Plan {
    Plan::parse(text, Connectors::Some(&[])).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shown(text: &str) -> Shown {
    show(&plan(text), &[books()])
}

/// What is shown of a plan, without its hash, which any change changes.
fn said(text: &str) -> String {
    Shown { hash: String::new(), ..shown(text) }.to_text(120)
}

fn changed(from: &str, to: &str) -> String {
    assert!(PLAN.contains(from), "the plan does not have {from}");
    PLAN.replacen(from, to, 1)
}

fn answer(shown: &Shown, flow: &str, about: &str) -> String {
    let flow = shown.kinds.iter().flat_map(|kind| &kind.flows).find(|shown| shown.name == flow).unwrap();
    flow.answers.iter().find(|answer| answer.about == about).unwrap().text.clone()
}

#[test]
fn every_key_changes_what_is_shown() {
    let before = said(PLAN);
    let unseen: Vec<_> = CHANGES.iter().filter(|(from, to)| said(&changed(from, to)) == before).collect();
    assert!(unseen.is_empty(), "these changes are not seen: {unseen:#?}");
}

#[test]
fn every_line_of_the_plan_is_among_the_changes() {
    let is_changed = |line: usize| {
        CHANGES.iter().any(|(from, _)| {
            let at = PLAN.find(from).unwrap();
            let (first, last) = (PLAN[..at].lines().count().max(1), PLAN[..at + from.trim_end().len()].lines().count());
            (first..=last).contains(&line)
        })
    };
    let keys = PLAN.lines().enumerate().filter(|(_, line)| line.contains(" = "));
    let unchanged: Vec<_> = keys.filter(|(index, _)| !is_changed(index + 1)).map(|(_, line)| line).collect();
    assert!(unchanged.is_empty(), "{unchanged:#?}");
}

#[test]
fn each_question_is_answered_for_each_flow() {
    use Question::{Differ, Fail, Owner, What, When};
    for kind in shown(PLAN).kinds {
        for (question, about, cells) in kind.rows() {
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{question:?} {about}");
        }
        for flow in &kind.flows {
            for question in [What, When, Owner, Differ, Fail] {
                assert!(flow.answers.iter().any(|answer| answer.question == question), "{}: {question:?}", flow.name);
            }
        }
    }
}

#[test]
fn what_is_shown_fits_its_columns() {
    for columns in [80, 120, 200] {
        for line in shown(PLAN).to_text(columns).lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn what_waits_says_for_what() {
    let shown = shown(PLAN);
    assert_eq!(answer(&shown, "orders-to-erp", "written"), "at 02:00 Europe/Vienna");
    assert_eq!(
        answer(&shown, "orders-to-shipping", "after"),
        "erp has accepted this very revision, or a rule keeps it away from there"
    );
    assert_eq!(
        answer(&shown, "orders-to-erp", "approval"),
        "before the first write a person approves, if order.total > decimal('500')"
    );
}

#[test]
fn a_flow_whose_edits_are_ignored_does_not_promise_to_park_what_leaves_the_condition() {
    let text = changed("on_edit = \"amend\"\non_leave = \"cancel\"", "on_edit = \"ignore\"\non_leave = \"park\"");
    assert_eq!(answer(&shown(&text), "orders-to-erp", "condition no longer met"), "erp keeps what it has");
}

#[test]
fn a_field_that_the_system_owns_is_said_to_be_written_at_creation_only() {
    let text = changed("{ note = \"crm\" }", "{ note = \"erp\" }");
    let rows = |text: &str| shown(text).kinds[0].flows[0].maps[0].rows.clone();
    assert_eq!(
        rows(&text)[0],
        ["comment", "order.note", "left as it is", "erp", "at creation, or where erp has none; then erp's own stays"]
    );
    assert_eq!(rows(PLAN)[0][3..], ["crm", "when it changes"]);
}

#[test]
fn who_is_told_follows_from_how_bad_it_is() {
    let shown = shown(&changed("from = \"warning\"", "from = \"error\""));
    assert_eq!(answer(&shown, "orders-to-crm", "told of parked"), "phone and chat");
    assert_eq!(answer(&shown, "orders-to-crm", "told of late"), "phone");
}

#[test]
fn a_setting_that_may_be_a_secret_is_not_shown() {
    let text = PLAN.replace("connector = \"people\"", "connector = \"people\"\nkey = \"s3cret\"");
    let said = serde_json::to_string(&shown(&text)).unwrap();
    assert!(said.contains("key (not shown)") && !said.contains("s3cret"), "{said}");
    assert!(said.contains("company = Waldgang, token = env:TOKEN"), "{said}");
}

#[test]
fn one_kind_is_shown_with_what_it_needs_and_no_more() {
    let stock = shown(PLAN).of_kind("stock-level");
    let titles: Vec<_> = stock.sections.iter().map(|section| section.title).collect();
    assert_eq!((stock.kinds.len(), titles), (1, vec!["Stock", "Locations"]));
    let refunds = shown(PLAN).of_kind("refund");
    assert_eq!(refunds.kinds[0].rules, ["The plan does not name them: none moves."]);
}

#[test]
fn a_kind_without_a_flow_is_said_not_to_move() {
    let shown = shown(PLAN);
    assert_eq!(shown.unmoved, ["customer", "refund"]);
    let product = shown.kinds.iter().find(|kind| kind.kind == "product").unwrap();
    assert_eq!(product.rules[1], "Their owner is erp.");
}

#[test]
fn a_store_and_the_system_that_it_is_read_through_are_one_box() {
    let drawing = draw(&plan(PLAN), &[books()]);
    let boxes: Vec<_> = drawing.nodes.iter().map(|node| (node.name.as_str(), node.marks.clone())).collect();
    let expected: Vec<(&str, Vec<&str>)> = vec![
        ("main", vec![]),
        ("trade", vec![]),
        ("crm", vec![]),
        ("erp", vec!["shadow", "paused"]),
        ("shipping", vec![]),
        ("the watch", vec![]),
        ("chat", vec![]),
        ("phone", vec![]),
    ];
    assert_eq!(boxes, expected);
    let ends = |flow: &str| {
        let arrow = drawing.arrows.iter().find(|arrow| arrow.flow == flow).unwrap();
        (arrow.from.clone(), arrow.to.clone())
    };
    assert_eq!(ends("orders-to-erp"), (vec![0], vec![3]));
    assert_eq!(ends("orders-to-crm"), (vec![0, 1], vec![2]));
    assert_eq!(ends("stock-to-store"), (vec![3], vec![0]));
    assert_eq!((drawing.waits[0].from.clone(), drawing.waits[0].to.clone()), (vec![3], vec![4]));
}

#[test]
fn one_kind_is_drawn_with_the_boxes_that_it_touches() {
    let drawing = draw(&plan(PLAN), &[books()]).of_kind("shipment");
    let boxes: Vec<_> = drawing.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(boxes, ["crm", "shipping"]);
    assert_eq!((drawing.arrows.len(), &drawing.arrows[0].from, &drawing.arrows[0].to), (1, &vec![1], &vec![0]));
    let orders = draw(&plan(PLAN), &[books()]).of_kind("order");
    assert_eq!((orders.arrows.len(), orders.waits.len()), (3, 1));
}

#[test]
fn a_flow_of_every_store_begins_at_all_of_them() {
    let text = draw(&plan(PLAN), &[books()]).to_mermaid();
    for line in [
        "  n0 -->|\"order if order.captured, at 02:00 Europe/Vienna, approved\"| n3",
        "  n0 & n1 -->|\"order, every 15 min\"| n2",
        "  n3 -.->|\"orders-to-shipping waits for this revision\"| n4",
        "  n3[\"erp<br/>Books #38; Co<br/>shadow<br/>paused\"]",
        "  class n3 shadow",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
