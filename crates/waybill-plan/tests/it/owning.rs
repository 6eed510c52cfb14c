//! Whose value counts, and what becomes of changes after the hand-over.

use std::collections::BTreeMap;

use waybill_domain::{
    Body, Kind, RecordId, Snapshot,
    document::{CustomerDocument, FieldValue},
    shipment::Shipment,
};
use waybill_plan::{Decision, DeliveryFacts, Document, Facts, Flow, Plan, Remote, WaitFor, decide};
use waybill_testkit::records::{self, order};

use crate::fixture::{changed, plan};

fn flow<'p>(plan: &'p Plan, name: &str) -> &'p Flow {
    plan.flows.iter().find(|flow| flow.name == name).unwrap()
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.into())
}

fn sent(role: &str, fields: &[(&str, &str)]) -> DeliveryFacts {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    DeliveryFacts { applied_once: true, sent: BTreeMap::from([(role.to_owned(), fields)]), ..DeliveryFacts::default() }
}

fn at(plan: &Plan, name: &str, snapshot: &Snapshot, delivery: &DeliveryFacts, remote: &Remote) -> Decision {
    decide(plan, flow(plan, name), snapshot, delivery, &Facts::default(), remote)
}

fn buyer(decision: Decision) -> CustomerDocument {
    let Decision::Write(write) = decision else { panic!("not a write: {decision:?}") };
    let Document::Order(order) = write.document else { panic!("no order") };
    order.customer.expect("a buyer")
}

fn paid() -> Snapshot {
    order(1).paid().with_line("TEE", 1, "24.00").at_revision(2)
}

#[test]
fn a_field_that_the_system_owns_is_given_at_creation_and_its_change_is_nothing_to_write() {
    let plan = plan();
    let first = buyer(at(&plan, "orders-to-crm", &paid(), &DeliveryFacts::default(), &Remote::NotRead));
    assert!(first.fields.contains_key("phone") && first.policy.keep.contains("phone"));
    assert!(!first.policy.keep.contains("firstname"));
    let hash = |phone: &str| {
        let mut snapshot = order(1).paid().with_line("TEE", 1, "24.00").build();
        snapshot.phone = phone.into();
        snapshot.customer.as_mut().unwrap().phone = phone.into();
        let snapshot = waybill_testkit::records::snapshot(
            waybill_domain::Kind::Order,
            snapshot.id.clone(),
            1,
            waybill_domain::Body::Order(Box::new(snapshot)),
        );
        match at(&plan, "orders-to-crm", &snapshot, &DeliveryFacts::default(), &Remote::NotRead) {
            Decision::Write(write) => write.hash,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(hash("+431"), hash("+432"));
}

#[test]
fn what_did_not_change_in_the_store_is_not_written_again() {
    let plan = plan();
    let delivery = sent("customer", &[("firstname", "Ada")]);
    let unchanged = buyer(at(&plan, "orders-to-crm", &paid(), &delivery, &Remote::NotRead));
    assert!(unchanged.policy.keep.contains("firstname"), "a colleague's edit survives");
    let delivery = sent("customer", &[("firstname", "Adele")]);
    let changed = buyer(at(&plan, "orders-to-crm", &paid(), &delivery, &Remote::NotRead));
    assert!(!changed.policy.keep.contains("firstname"));
}

/// The plan whose customers' conflicts are settled so.
fn on_conflict(how: &str) -> Plan {
    let rule = format!("owner = \"store\"\non_conflict = \"{how}\"");
    changed("owner = \"store\"\nfields = { phone = \"crm\" }", &rule)
}

fn there(firstname: &str) -> Remote {
    let fields = [("firstname", firstname), ("phone", "")].map(|(name, value)| (name.to_owned(), text(value)));
    Remote::Read(BTreeMap::from([("customer".to_owned(), Some(fields.into_iter().collect()))]))
}

#[test]
fn where_the_plan_asks_for_conflicts_the_fields_are_read_first() {
    let plan = on_conflict("park");
    let decision = at(&plan, "orders-to-crm", &paid(), &DeliveryFacts::default(), &Remote::NotRead);
    let Decision::ReadFirst { fields, .. } = decision else { panic!("{decision:?}") };
    assert!(fields["customer"].contains("firstname"));
}

#[test]
fn a_field_that_both_changed_is_for_a_person_or_stays_theirs_as_the_plan_says() {
    let delivery = sent("customer", &[("firstname", "Adele")]);
    let park = at(&on_conflict("park"), "orders-to-crm", &paid(), &delivery, &there("Addie"));
    let Decision::Park { code, field, message } = park else { panic!("{park:?}") };
    assert_eq!((code, field.as_str()), ("conflict", "firstname"));
    assert!(!message.contains("Addie"), "no personal data: {message}");
    let theirs = buyer(at(&on_conflict("theirs"), "orders-to-crm", &paid(), &delivery, &there("Addie")));
    assert!(theirs.policy.keep.contains("firstname"));
    // Changed by us only, though the vendor wrote it in capitals: it is written.
    let ours = buyer(at(&on_conflict("park"), "orders-to-crm", &paid(), &delivery, &there("ADELE")));
    assert!(!ours.policy.keep.contains("firstname"));
    // Both changed it to the same.
    buyer(at(&on_conflict("park"), "orders-to-crm", &paid(), &delivery, &there("Ada")));
}

#[test]
fn a_record_from_before_us_is_filled_where_it_is_empty_and_differs_for_a_person() {
    let plan = on_conflict("park");
    let none = DeliveryFacts::default();
    buyer(at(&plan, "orders-to-crm", &paid(), &none, &there("")));
    buyer(at(&plan, "orders-to-crm", &paid(), &none, &there("ada")));
    assert!(matches!(at(&plan, "orders-to-crm", &paid(), &none, &there("Eve")), Decision::Park { .. }));
}

#[test]
fn people_are_matched_in_the_order_of_the_plan() {
    let buyer = buyer(at(&plan(), "orders-to-crm", &paid(), &DeliveryFacts::default(), &Remote::NotRead));
    let rules: Vec<(String, bool)> =
        buyer.policy.matching.iter().map(|rule| (rule.value.expose().to_owned(), rule.ask)).collect();
    assert_eq!(rules, [("ada@example.com".to_owned(), false)], "a buyer without a phone has no such rule");
}

fn edited(rule: &str) -> Decision {
    let plan = changed("when = \"order.captured and order.requires_shipping\"", rule);
    let delivery =
        DeliveryFacts { applied_once: true, applied_hash: Some("other".to_owned()), ..DeliveryFacts::default() };
    let mut facts = Facts::default();
    let applied = Some(waybill_domain::Revision { epoch: 1, number: 1 });
    let state = waybill_plan::ReceiptState::Applied;
    facts.receipts.insert("erp".parse().unwrap(), waybill_plan::ReceiptFact { state, said_of: applied, applied });
    decide(&plan, flow(&plan, "orders-to-shipping"), &paid(), &delivery, &facts, &Remote::NotRead)
}

#[test]
fn a_change_after_the_hand_over_follows_the_plan() {
    assert!(matches!(edited(""), Decision::Write(_)));
    assert_eq!(edited("on_edit = \"ignore\""), Decision::Ignore { rule: "on_edit:orders-to-shipping".to_owned() });
    assert!(matches!(edited("on_edit = \"park\""), Decision::Park { code: "edited", .. }));
    assert!(matches!(
        edited("point_of_no_return = \"order.captured\""),
        Decision::Park { code: "point_of_no_return", .. }
    ));
    assert!(matches!(edited("when = \"order.test\"\non_leave = \"park\""), Decision::Park { code: "left", .. }));
    let Decision::Write(write) = edited("when = \"order.test\"\non_leave = \"cancel\"") else { panic!("not written") };
    assert!(matches!(write.document, Document::Order(order) if order.cancelled));
    // The condition guards the first write only.
    assert!(matches!(edited("when = \"order.test\""), Decision::Write(_)));
}

#[test]
fn a_first_write_waits_for_approval_and_for_its_time() {
    let plan = changed(
        "decimal('1.00')\"",
        "decimal('1.00')\"\napproval = \"order.total > decimal('20')\"\ntiming = { hold_minutes = 10 }",
    );
    let wait = |facts: &Facts| match decide(
        &plan,
        flow(&plan, "orders-to-erp"),
        &paid(),
        &DeliveryFacts { first_unapplied_at: Some(facts.now), ..DeliveryFacts::default() },
        facts,
        &Remote::NotRead,
    ) {
        Decision::Wait { on, until, .. } => (on, until),
        other => panic!("{other:?}"),
    };
    let mut facts = Facts { now: "2026-11-21T10:00:00Z".parse().unwrap(), ..Facts::default() };
    assert_eq!(wait(&facts), (WaitFor::Approval, None));
    facts.approved = true;
    assert_eq!(wait(&facts), (WaitFor::Time, "2026-11-21T10:10:00Z".parse().ok()));
}

#[test]
fn a_flow_leaves_records_from_before_it_alone() {
    let plan = plan();
    let facts = Facts { active_since: "2030-01-01T00:00:00Z".parse().ok(), ..Facts::default() };
    let decided =
        decide(&plan, flow(&plan, "orders-to-erp"), &paid(), &DeliveryFacts::default(), &facts, &Remote::NotRead);
    assert_eq!(decided, Decision::Ignore { rule: "since:orders-to-erp".to_owned() });
}

/// A parcel whose label names this day.
fn parcel(day: &str) -> Snapshot {
    let shipment = Shipment {
        id: "se-1".parse().unwrap(),
        order_id: RecordId::from(1001),
        order_name: "#1001".to_owned(),
        carrier: "UPS".to_owned(),
        tracking_number: "1Z0000000001".to_owned(),
        tracking_url: String::new(),
        shipped_at: format!("{day}T00:00:00Z").parse().ok(),
        voided: false,
        lines: Vec::new(),
    };
    records::snapshot(Kind::Shipment, shipment.id.clone(), 1, Body::Shipment(shipment))
}

#[test]
fn a_parcel_of_the_day_on_which_its_flow_began_is_not_from_before() {
    const STOCK: &str = "[[flows]]\nname = \"stock-to-store\"";
    const PARCELS: &str = "[[flows]]\nname = \"parcels\"\nkind = \"shipment\"\nfrom = \"shipping\"\nto = \"shop\"\n";
    let plan = changed(STOCK, &format!("{PARCELS}\n{STOCK}"));
    let facts = Facts { active_since: "2026-11-21T10:00:00Z".parse().ok(), ..Facts::default() };
    let decided =
        |day| decide(&plan, flow(&plan, "parcels"), &parcel(day), &DeliveryFacts::default(), &facts, &Remote::NotRead);
    assert!(matches!(decided("2026-11-21"), Decision::Write(_)));
    assert_eq!(decided("2026-11-20"), Decision::Ignore { rule: "since:parcels".to_owned() });
}

#[test]
fn a_system_in_shadow_is_decided_and_not_written() {
    let plan = changed("connector = \"people\"", "connector = \"people\"\nshadow = true");
    let decided = at(&plan, "orders-to-crm", &paid(), &DeliveryFacts::default(), &Remote::NotRead);
    assert!(matches!(decided, Decision::Shadow(_)), "{decided:?}");
}
