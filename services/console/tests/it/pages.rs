//! What people see.

use reqwest::StatusCode;
use waybill_proto::wire::{
    AccountingLine, Incident, RecordKey, Replica, State, SystemReport, inbox_list_response::Webhook,
    system_report::Condition,
};

use crate::{
    browser::Desk,
    world::{World, applied, closed, obeying, parked},
};

const SILENT: &str = "http://127.0.0.1:1";

fn silent(name: &'static str) -> World {
    let mut world = World { accounting: vec![closed("erp")], ..World::default() };
    world.elsewhere.insert(name, SILENT.to_owned());
    world
}

#[tokio::test]
async fn a_line_that_closes_is_well() {
    let desk = Desk::open(World { accounting: vec![closed("erp")], ..World::default() }).await;
    desk.get("/").await.must_say("All is well");
}

#[tokio::test]
async fn a_gap_is_shown_with_its_sign() {
    let line = AccountingLine { applied: 7, gap: 1, ..closed("erp") };
    let desk = Desk::open(World { accounting: vec![line], ..World::default() }).await;
    let page = desk.get("/").await;
    page.must_say("the accounting of main order to erp has a gap of +1");
    page.must_say(r#"<td class="number alarm">+1</td>"#);
}

#[tokio::test]
async fn a_silent_service_is_named_and_nothing_is_called_well() {
    let desk = Desk::open(silent("erp-sync")).await;
    let page = desk.get("/").await;
    page.must_say("Cannot be told");
    page.must_say("erp-sync at http://127.0.0.1:1 does not answer: is it running?");
}

#[tokio::test]
async fn a_silent_watch_is_not_shown_as_an_empty_table() {
    let desk = Desk::open(silent("alerter")).await;
    for path in ["/", "/waybills", "/incidents", "/plan"] {
        let page = desk.get(path).await;
        page.must_say("Not known: alerter at http://127.0.0.1:1 does not answer");
        page.must_not_say("Nothing has been accepted yet");
        page.must_not_say("No waybill matches");
        page.must_not_say("obey the same plan");
    }
}

#[tokio::test]
async fn a_silent_service_is_named_where_its_parked_ones_would_be() {
    let desk = Desk::open(silent("erp-sync")).await;
    let page = desk.get("/parked").await;
    page.must_say("<strong>erp-sync</strong>");
    page.must_not_say("Nothing is parked");
}

#[tokio::test]
async fn a_service_that_the_watch_cannot_reach_is_named_beside_the_lines() {
    let world = World { accounting: vec![closed("erp")], unheard: vec!["erp-sync".to_owned()], ..World::default() };
    Desk::open(world).await.get("/").await.must_say("the watch cannot reach erp-sync");
}

#[tokio::test]
async fn a_systems_condition_is_shown_with_the_services_words() {
    let report = SystemReport {
        service: "erp-sync".to_owned(),
        system: "erp".to_owned(),
        condition: Condition::Unauthorized.into(),
        message: "401 from the ERP".to_owned(),
        ..SystemReport::default()
    };
    let desk = Desk::open(World { systems: vec![report], ..World::default() }).await;
    let page = desk.get("/").await;
    page.must_say("credentials refused");
    page.must_say("401 from the ERP");
}

#[tokio::test]
async fn the_parked_page_says_why_what_it_means_and_what_to_do() {
    let world = World::default().with(parked("erp", "1001", "unknown_item", "no product with code TEE-M"));
    let page = Desk::open(world).await.get("/parked").await;
    for expected in [
        "The system does not know an item",
        "A line's SKU is not in the system",
        "Create the item in the system",
        "no product with code TEE-M",
        "Retry it",
    ] {
        page.must_say(expected);
    }
}

#[tokio::test]
async fn a_parked_record_can_be_retried_and_discarded_on_its_page() {
    let world = World::default()
        .with(parked("erp", "1001", "unknown_item", "SKU TEE-M"))
        .with_step("confirm", "failed", "product not found")
        .with(applied("hubspot", "1001"));
    let page = Desk::open(world).await.get("/waybills/main/order/1001").await;
    for expected in ["Retry now", "Discard", "product not found", "hubspot-1001", "wabcdefghijklmnopqrst"] {
        page.must_say(expected);
    }
}

#[tokio::test]
async fn an_applied_record_offers_nothing_to_press() {
    let world = World::default().with(applied("erp", "1001"));
    let page = Desk::open(world).await.get("/waybills/main/order/1001").await;
    page.must_not_say("Retry now");
    page.must_not_say("Discard");
}

#[tokio::test]
async fn a_record_is_shown_from_its_service_while_the_watch_is_silent() {
    let mut world = World::default().with(applied("erp", "1001"));
    world.elsewhere.insert("alerter", SILENT.to_owned());
    let page = Desk::open(world).await.get("/waybills/main/order/1001").await;
    page.must_say("erp-1001");
    page.must_say("<strong>alerter</strong>");
}

#[tokio::test]
async fn a_record_that_nobody_knows_is_not_found() {
    let page = Desk::open(World::default()).await.get("/waybills/main/order/1").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn waybills_are_chosen_by_state() {
    let world = World::default().with(applied("erp", "1001")).with(parked("erp", "1002", "totals", ""));
    let page = Desk::open(world).await.get("/waybills?state=parked").await;
    page.must_say("#1002");
    page.must_not_say("#1001</a>");
}

#[tokio::test]
async fn waybills_come_in_pages() {
    let world = (1000..1060).fold(World::default(), |world, id| world.with(applied("erp", &id.to_string())));
    let desk = Desk::open(world).await;
    let first = desk.get("/waybills?kind=order").await;
    first.must_say("1–50 of 60");
    first.must_say("/waybills?kind=order&amp;from=50");
    desk.get("/waybills?kind=order&from=50").await.must_say("51–60 of 60");
}

#[tokio::test]
async fn an_incident_says_what_to_do_and_links_its_records() {
    let incident = Incident {
        id: 1,
        system: "erp".to_owned(),
        code: "totals".to_owned(),
        title: "Orders are parked".to_owned(),
        meaning: "Sums do not hold.".to_owned(),
        action: "Run `waybill parked list`.".to_owned(),
        count: 1,
        records: vec![RecordKey { store: "main".to_owned(), kind: "order".to_owned(), id: "7".to_owned() }],
        ..Incident::default()
    };
    let page = Desk::open(World { incidents: vec![incident], ..World::default() }).await.get("/incidents").await;
    page.must_say("Sums do not hold.");
    page.must_say("Run <code>waybill parked list</code>.");
    page.must_say(r#"href="/waybills/main/order/7""#);
}

#[tokio::test]
async fn unreadable_webhooks_are_shown() {
    let webhook = Webhook {
        store: "main".to_owned(),
        topic: "orders/paid".to_owned(),
        webhook_id: "b54557e4".to_owned(),
        outcome: "unreadable".to_owned(),
        message: "line_items is missing".to_owned(),
        ..Webhook::default()
    };
    let desk = Desk::open(World { webhooks: vec![webhook], ..World::default() }).await;
    let page = desk.get("/webhooks").await;
    page.must_say("line_items is missing");
    page.must_say("b54557e4");
}

/// A replica of every service that the console asks.
fn all_obeying(hash: &str) -> Vec<Replica> {
    ["alerter", "shopify-ingest", "erp-sync", "crm-sync"].map(|service| obeying(service, hash)).into()
}

#[tokio::test]
async fn replicas_that_obey_one_plan_are_shown_with_its_hash() {
    let desk = Desk::open(World { replicas: all_obeying("b1946ac92492"), ..World::default() }).await;
    let page = desk.get("/plan").await;
    page.must_say("All replicas obey the same plan.");
    page.must_say("<code>b1946ac92492</code>");
    page.must_say("erp-sync-7d9f4-1");
}

#[tokio::test]
async fn a_replica_that_obeys_another_plan_is_shown_as_wrong() {
    let mut replicas = all_obeying("b1946ac92492");
    replicas.push(obeying("erp-sync", "591785b79460"));
    let page = Desk::open(World { replicas, ..World::default() }).await.get("/plan").await;
    page.must_say("replicas obey different plans: 591785b79460 (1), b1946ac92492 (4)");
    page.must_not_say("obey the same plan");
}

#[tokio::test]
async fn a_replica_that_refuses_the_changed_plan_is_shown_with_the_reason() {
    let mut replicas = all_obeying("b1946ac92492");
    replicas[2].plan.as_mut().unwrap().problem = "WB-P003 line 4: there is no <system>\nWB-P012 line 9".to_owned();
    let page = Desk::open(World { replicas, ..World::default() }).await.get("/plan").await;
    page.must_say("erp-sync erp-sync-7d9f4-1 refuses the changed file: WB-P003 line 4: there is no &lt;system&gt;");
    page.must_say("<br>WB-P012 line 9");
}

#[tokio::test]
async fn a_service_that_has_not_said_its_plan_is_not_taken_to_agree() {
    let mut replicas = all_obeying("b1946ac92492");
    replicas.pop();
    let page = Desk::open(World { replicas, ..World::default() }).await.get("/plan").await;
    page.must_say("Cannot be told");
    page.must_say("no replica of crm-sync has said for a minute which plan it obeys");
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let hostile = r#""><script>alert(1)</script>"#;
    let mut delivery = parked("erp", "1001", "<b>code</b>", hostile);
    delivery.name = hostile.to_owned();
    delivery.field = hostile.to_owned();
    delivery.external_id = hostile.to_owned();
    let desk = Desk::open(World::default().with(delivery).with_step(hostile, hostile, hostile)).await;
    let search = format!("/waybills?search={}", "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    for path in ["/parked", "/waybills", "/waybills/main/order/1001", &search] {
        let page = desk.get(path).await;
        page.must_not_say("<script");
        page.must_not_say("<b>code");
        page.must_say("&lt;script&gt;");
    }
}

#[tokio::test]
async fn a_page_with_a_field_to_type_in_does_not_reload_itself() {
    let world = World::default().with(parked("erp", "1001", "totals", "")).with(applied("erp", "1002"));
    let desk = Desk::open(world).await;
    desk.get("/waybills/main/order/1001").await.must_not_say("http-equiv");
    desk.get("/waybills/main/order/1002").await.must_say(r#"content="15; url=/waybills/main/order/1002""#);
}

#[tokio::test]
async fn a_state_that_this_version_does_not_know_is_shown_as_unknown() {
    let mut delivery = applied("erp", "1001");
    delivery.state = 99;
    assert_eq!(delivery.state(), State::Unspecified);
    let page = Desk::open(World::default().with(delivery)).await.get("/waybills/main/order/1001").await;
    page.must_say(r#"<span class="chip calm">unknown</span>"#);
}
