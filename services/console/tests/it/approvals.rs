//! What waits for a person: records to approve, systems to release.

use reqwest::{StatusCode, header};
use waybill_proto::wire::{Delivery, State, SystemReport, list_approvals_response::Approval, system_report::Condition};

use crate::{
    browser::Desk,
    world::{World, applied},
};

const FIELDS: [(&str, &str); 6] =
    [("system", "erp"), ("store", "main"), ("kind", "order"), ("id", "1001"), ("epoch", "1"), ("number", "3")];

fn one_waiting() -> World {
    let delivery = Delivery { state: State::Waiting.into(), code: "approval".to_owned(), ..applied("erp", "1001") };
    let approval = Approval {
        delivery: Some(delivery.clone()),
        flow: "orders-to-erp".to_owned(),
        condition: "order.total > decimal(\"500\")".to_owned(),
        since: None,
        total: "612.40 EUR".to_owned(),
    };
    World { approvals: vec![approval], ..World::default() }.with(delivery)
}

fn asking() -> World {
    let report = SystemReport {
        service: "crm-sync".to_owned(),
        system: "hubspot".to_owned(),
        condition: Condition::Asking.into(),
        message: "would create 2,431 records; `waybill release hubspot` lets them go".to_owned(),
        ..SystemReport::default()
    };
    World { systems: vec![report], ..World::default() }
}

#[tokio::test]
async fn what_waits_is_shown_with_what_it_comes_to_and_why_and_can_be_approved_or_refused() {
    let page = Desk::open(one_waiting()).await.get("/approvals").await;
    for expected in ["#1001", "612.40 EUR", "orders-to-erp", "order.total &gt; decimal", "Approve", "Refuse"] {
        page.must_say(expected);
    }
}

#[tokio::test]
async fn a_record_that_waits_for_a_person_leads_to_the_approvals() {
    let page = Desk::open(one_waiting()).await.get("/waybills/main/order/1001").await;
    page.must_say(r#"<a href="/approvals">Approve or refuse it</a>"#);
}

#[tokio::test]
async fn a_silent_service_is_not_shown_as_nothing_to_approve() {
    let mut world = World::default();
    world.elsewhere.insert("erp-sync", "http://127.0.0.1:1".to_owned());
    let page = Desk::open(world).await.get("/approvals").await;
    page.must_say("<strong>erp-sync</strong>");
    page.must_not_say("Nothing waits for an approval");
}

#[tokio::test]
async fn an_approval_names_who_and_the_revision_that_was_seen() {
    let desk = Desk::open(one_waiting()).await;
    let page = desk.submit("/approvals", "/approvals/give", &FIELDS).await;
    assert_eq!(page.header(header::LOCATION), "/approvals?approved=1");
    desk.get("/approvals?approved=1").await.must_say("1 delivery approved");
    let world = desk.services.world();
    let approved = &world.approved[0];
    assert!(approved.actor.starts_with("console:"), "{approved:?}");
    assert_eq!(approved.seen.unwrap().number, 3);
}

#[tokio::test]
async fn a_record_that_has_changed_meanwhile_is_not_approved() {
    let desk = Desk::open(one_waiting()).await;
    let mut fields = FIELDS;
    fields[5].1 = "2";
    let page = desk.submit("/approvals", "/approvals/give", &fields).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    page.must_say("has changed since you looked at it");
    assert!(desk.services.world().approved.is_empty());
}

#[tokio::test]
async fn a_refusal_needs_a_reason_and_says_it() {
    let desk = Desk::open(one_waiting()).await;
    let page = desk.submit("/approvals", "/approvals/refuse", &FIELDS).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let fields: Vec<_> = FIELDS.into_iter().chain([("reason", "a fraud")]).collect();
    let page = desk.submit("/approvals", "/approvals/refuse", &fields).await;
    assert_eq!(page.header(header::LOCATION), "/approvals?refused=1");
    assert_eq!(desk.services.world().refused[0].reason, "a fraud");
}

#[tokio::test]
async fn a_system_that_asks_is_not_well_and_is_released_by_a_button() {
    let desk = Desk::open(asking()).await;
    let page = desk.get("/").await;
    page.must_say("Not well");
    page.must_say("hubspot would create 2,431 records; <code>waybill release hubspot</code> lets them go");
    page.must_say("Let them go");
    let page = desk.submit("/", "/systems/release", &[("system", "hubspot")]).await;
    assert_eq!(page.header(header::LOCATION), "/?released=1");
    desk.get("/?released=1").await.must_say("Its first run goes on");
    let world = desk.services.world();
    assert_eq!(world.released[0].reason, "released in the console");
}
