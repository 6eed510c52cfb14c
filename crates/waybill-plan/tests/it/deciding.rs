//! What becomes of an order.

use rust_decimal::Decimal;
use waybill_domain::{Body, Revision, Snapshot, SystemName, customer::Person, document::OrderDocument};
use waybill_plan::{Decision, DeliveryFacts, Document, Facts, ReceiptFact, ReceiptState, Remote, decide};
use waybill_testkit::records::order;

use crate::fixture::plan;

fn decided(system: &str, snapshot: &Snapshot, applied_once: bool, facts: &Facts) -> Decision {
    let plan = plan();
    let system: SystemName = system.parse().unwrap();
    let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &system).unwrap();
    let delivery = DeliveryFacts { applied_once, ..DeliveryFacts::default() };
    decide(&plan, flow, snapshot, &delivery, facts, &Remote::NotRead)
}

fn at_erp(snapshot: &Snapshot) -> Decision {
    decided("erp", snapshot, false, &Facts::default())
}

fn document(decision: Decision) -> OrderDocument {
    match decision {
        Decision::Write(write) => match write.document {
            Document::Order(document) => *document,
            other => panic!("not an order: {other:?}"),
        },
        other => panic!("not a write: {other:?}"),
    }
}

fn parked(decision: Decision) -> (&'static str, String) {
    match decision {
        Decision::Park { code, field, .. } => (code, field),
        other => panic!("not parked: {other:?}"),
    }
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_paid_order_is_written_with_its_amounts() {
    let snapshot = order(1001)
        .paid()
        .with_line("TEE", 2, "24.00")
        .discounted("4.00")
        .taxed("AT VAT", "0.2", "8.80")
        .shipped_for("5.00")
        .at_revision(1);
    let document = document(at_erp(&snapshot));
    assert_eq!(document.total, dec("57.80"));
    assert_eq!(document.total_tax, dec("8.80"));
    assert_eq!(document.lines[0].net, dec("44.00"));
    assert_eq!(document.lines[0].tax_codes, ["V20"]);
    assert_eq!(document.charges[0].item, "SHIP");
    assert_eq!(document.fields["name"].to_text(), "#1001");
}

#[test]
fn prices_with_tax_are_taken_apart_exactly() {
    let snapshot =
        order(1).paid().tax_included().with_line("TEE", 3, "12.00").taxed("AT VAT", "0.2", "6.00").at_revision(1);
    let document = document(at_erp(&snapshot));
    assert_eq!(document.lines[0].net, dec("30.00"));
    assert_eq!(document.lines[0].unit_price, dec("10"));
    assert_eq!(document.total, dec("36.00"));
}

#[test]
fn a_cancelled_order_that_a_restored_backup_may_not_know_of_is_told() {
    let plan = plan();
    let decided = |snapshot: &Snapshot, unsure: bool| {
        let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &"erp".parse().unwrap()).unwrap();
        let delivery = DeliveryFacts { unsure, ..DeliveryFacts::default() };
        decide(&plan, flow, snapshot, &delivery, &Facts::default(), &Remote::NotRead)
    };
    // What it was when it was handed over is not known: its condition is not asked.
    let cancelled = order(1001).with_line("TEE", 1, "24.00").cancelled().at_revision(1);
    assert_eq!(decided(&cancelled, false), Decision::Ignore { rule: "cancelled-before-applied".to_owned() });
    assert!(document(decided(&cancelled, true)).cancelled);
    let unpaid = order(1001).with_line("TEE", 1, "24.00").at_revision(1);
    assert_eq!(decided(&unpaid, true), Decision::Ignore { rule: "when:orders-to-erp".to_owned() });
}

#[test]
fn an_unpaid_order_is_ignored_by_the_rule_that_is_named() {
    let snapshot = order(1).with_line("TEE", 1, "24.00").at_revision(1);
    assert_eq!(at_erp(&snapshot), Decision::Ignore { rule: "when:orders-to-erp".to_owned() });
}

#[test]
fn the_condition_guards_the_first_write_only() {
    let snapshot = order(1).with_line("TEE", 1, "24.00").at_revision(2);
    document(decided("erp", &snapshot, true, &Facts::default()));
}

#[test]
fn an_order_cancelled_before_it_was_applied_is_ignored_and_one_after_is_written() {
    let snapshot = order(1).paid().cancelled().with_line("TEE", 1, "24.00").at_revision(2);
    assert_eq!(at_erp(&snapshot), Decision::Ignore { rule: "cancelled-before-applied".to_owned() });
    assert!(document(decided("erp", &snapshot, true, &Facts::default())).cancelled);
}

#[test]
fn what_comes_after_another_system_waits_for_its_receipt() {
    let snapshot = order(1).paid().with_line("TEE", 1, "24.00").at_revision(2);
    let with = |fact: Option<ReceiptFact>| {
        let mut facts = Facts::default();
        facts.receipts.extend(fact.map(|fact| ("erp".parse().unwrap(), fact)));
        decided("shipping", &snapshot, false, &facts)
    };
    let of = |number| Revision { epoch: 1, number };
    let said =
        |state, applied: Option<i64>| Some(ReceiptFact { state, said_of: Some(of(2)), applied: applied.map(of) });
    assert!(matches!(with(None), Decision::Wait { .. }));
    assert!(matches!(with(said(ReceiptState::Parked, None)), Decision::Wait { .. }));
    document(with(said(ReceiptState::Applied, Some(1))));
    document(with(said(ReceiptState::Ignored, None)));
    // What it once accepted it holds, whatever it says of a later revision.
    document(with(said(ReceiptState::Parked, Some(1))));
    // A rule that kept an earlier revision away has not been asked of this one.
    let earlier = ReceiptFact { state: ReceiptState::Ignored, said_of: Some(of(1)), applied: None };
    assert!(matches!(with(Some(earlier)), Decision::Wait { .. }));
}

#[test]
fn sums_that_do_not_hold_are_parked_and_never_plugged() {
    let snapshot = order(1).paid().with_line("TEE", 1, "24.00").off_by("0.01").at_revision(1);
    assert_eq!(parked(at_erp(&snapshot)).0, "totals");
}

#[test]
fn quantities_beyond_what_can_be_multiplied_are_parked() {
    let mut order = order(1).paid().with_line("TEE", 1, "79228162514264.33");
    order = order.with_units_removed(0);
    let mut order = order.build();
    order.lines[0].quantity = i64::MAX;
    order.lines[0].current_quantity = i64::MAX;
    let snapshot = waybill_testkit::records::snapshot(
        waybill_domain::Kind::Order,
        order.id.clone(),
        1,
        waybill_domain::Body::Order(Box::new(order)),
    );
    assert_eq!(parked(at_erp(&snapshot)).0, "totals");
}

#[test]
fn a_missing_sku_and_an_unknown_tax_are_told_with_their_line() {
    let no_sku = order(1).paid().with_line("A", 1, "1.50").with_line("", 1, "24.00").at_revision(1);
    assert_eq!(parked(at_erp(&no_sku)), ("missing_sku", "lines.1.item".to_owned()));
    let tax = order(1).paid().with_line("A", 1, "10.00").taxed("GST", "0.05", "0.50").at_revision(1);
    assert_eq!(parked(at_erp(&tax)), ("unmapped", "lines.0.tax".to_owned()));
}

#[test]
fn what_an_edit_took_off_is_not_sold_and_what_was_refunded_still_is() {
    let edited = order(1).paid().with_line("TEE", 4, "10.00").discounted("4.00").with_units_removed(1).at_revision(2);
    let line = document(at_erp(&edited)).lines[0].clone();
    assert_eq!((line.quantity, line.net), (3, dec("27.00")));
    let refunded = order(1).paid().with_line("TEE", 4, "10.00").with_units_refunded(1).at_revision(2);
    assert_eq!(document(at_erp(&refunded)).lines[0].quantity, 4);
}

#[test]
fn the_same_input_gives_the_same_decision() {
    let snapshot = order(1).paid().with_line("TEE", 2, "24.00").at_revision(1);
    assert_eq!(at_erp(&snapshot), at_erp(&snapshot));
}

#[test]
fn a_buyers_own_record_is_newer_than_what_an_order_carries() {
    let snapshot = order(1).paid().by("ada@example.com").with_line("TEE", 1, "24.00").at_revision(1);
    let Some(Body::Order(of)) = &snapshot.body else { panic!("an order") };
    let carried = of.customer.clone().unwrap();
    let own = Person { phone: "+43 1 777".into(), ..carried.clone() };
    let phone = |buyer: Option<Person>| {
        let facts = Facts { buyer, ..Facts::default() };
        document(decided("erp", &snapshot, false, &facts)).customer.unwrap().phone.expose().to_owned()
    };
    assert_eq!(phone(None), carried.phone.expose());
    assert_eq!(phone(Some(own.clone())), "+43 1 777");
    let stranger = Person { id: 99.into(), ..own };
    assert_eq!(phone(Some(stranger)), carried.phone.expose(), "another person's record is not the buyer's");
}
