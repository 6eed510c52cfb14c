//! Values that a person gives in place of the plan's.

use waybill_domain::{
    Body, Snapshot, SystemName,
    document::{FieldValue, OrderDocument},
};
use waybill_plan::{Decision, DeliveryFacts, Document, Facts, Override, Overrides, Planned, Remote, decide, editable};
use waybill_testkit::records::{OrderBuilder, order};

use crate::fixture::plan;

fn bought() -> OrderBuilder {
    order(1001).paid().by("ada@example.com").with_line("TEE", 2, "24.00").taxed("AT VAT", "0.2", "9.60")
}

fn decided(system: &str, snapshot: &Snapshot, overrides: &Overrides) -> Decision {
    let plan = plan();
    let system: SystemName = system.parse().unwrap();
    let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &system).unwrap();
    let delivery = DeliveryFacts { overrides: overrides.clone(), ..DeliveryFacts::default() };
    decide(&plan, flow, snapshot, &delivery, &Facts::default(), &Remote::NotRead)
}

fn written(system: &str, snapshot: &Snapshot, overrides: &Overrides) -> OrderDocument {
    match decided(system, snapshot, overrides) {
        Decision::Write(write) => match write.document {
            Document::Order(document) => *document,
            other => panic!("not an order: {other:?}"),
        },
        other => panic!("not a write: {other:?}"),
    }
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.into())
}

/// What a person gives who looks at this snapshot.
fn given(system: &str, snapshot: &Snapshot, values: &[(&str, &str)]) -> Overrides {
    let plan = plan();
    let system: SystemName = system.parse().unwrap();
    let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &system).unwrap();
    let over = |value: &str, instead_of| Override { value: text(value), instead_of };
    let any: Overrides = values.iter().map(|(path, value)| ((*path).to_owned(), over(value, None))).collect();
    let planned = editable(&plan, flow, snapshot, &Facts::default(), &any);
    let mark = |path: &str| planned.get(path).map(|planned: &Planned| planned.mark.clone());
    values
        .iter()
        .map(|(path, value)| ((*path).to_owned(), over(value, Some(mark(path).expect("the plan has such a value")))))
        .collect()
}

#[test]
fn what_cannot_be_computed_is_given_by_a_person() {
    let snapshot = order(1).paid().with_line("", 1, "24.00").taxed("FR TVA", "0.2", "4.80").at_revision(1);
    let parked = |overrides: &Overrides| match decided("erp", &snapshot, overrides) {
        Decision::Park { code, field, .. } => (code, field),
        other => panic!("not parked: {other:?}"),
    };
    assert_eq!(parked(&Overrides::new()), ("missing_sku", "lines.0.item".to_owned()));
    let item = given("erp", &snapshot, &[("lines.0.item", "TEE")]);
    assert_eq!(parked(&item), ("unmapped", "lines.0.tax".to_owned()));
    let both = given("erp", &snapshot, &[("lines.0.item", "TEE"), ("lines.0.tax", "V20")]);
    let document = written("erp", &snapshot, &both);
    assert_eq!((document.lines[0].item.as_str(), &*document.lines[0].tax_codes), ("TEE", &["V20".to_owned()][..]));
}

#[test]
fn what_a_system_refuses_is_given_by_a_person_and_the_rest_is_as_the_plan_has_it() {
    let snapshot = bought().at_revision(1);
    let paths = [("customer.firstname", "Augusta"), ("customer.email", "ada@example.org"), ("status", "paid in cash")];
    let document = written("crm", &snapshot, &given("crm", &snapshot, &paths));
    let customer = document.customer.as_ref().unwrap();
    assert_eq!(customer.fields["firstname"].to_text(), "Augusta");
    assert_eq!(customer.email.expose(), "ada@example.org");
    assert_eq!(document.fields["status"].to_text(), "paid in cash");
    let plain = written("crm", &snapshot, &Overrides::new());
    assert_eq!((&document.lines, document.total), (&plain.lines, plain.total));
}

#[test]
fn it_lapses_when_the_source_changes_that_value_and_stands_while_others_change() {
    let before = bought().at_revision(1);
    let edits = given("crm", &before, &[("customer.email", "ada@example.org")]);
    let email = |snapshot: &Snapshot| written("crm", snapshot, &edits).customer.unwrap().email.expose().to_owned();
    let more = order(1001).paid().by("ada@example.com").with_line("TEE", 3, "24.00").at_revision(2);
    assert_eq!(email(&more), "ada@example.org");
    let corrected = bought().by("countess@example.com").at_revision(3);
    assert_eq!(email(&corrected), "countess@example.com");
}

#[test]
fn an_error_that_becomes_another_is_no_longer_the_one_that_was_looked_at() {
    let taxed = |title: &str| order(1).paid().with_line("TEE", 1, "24.00").taxed(title, "0.2", "4.80").at_revision(1);
    let edits = given("erp", &taxed("FR TVA"), &[("lines.0.tax", "V20")]);
    written("erp", &taxed("FR TVA"), &edits);
    assert!(matches!(decided("erp", &taxed("IT IVA"), &edits), Decision::Park { code: "unmapped", .. }));
}

#[test]
fn an_address_is_mended_part_by_part() {
    let mut snapshot = bought().at_revision(1);
    let Some(Body::Order(order)) = &mut snapshot.body else { panic!("an order") };
    let address = waybill_domain::customer::Address { zip: "99".into(), city: "Wien".into(), ..Default::default() };
    order.shipping_address = Some(address);
    let edits = given("crm", &snapshot, &[("shipping_address.zip", "1010")]);
    let address = written("crm", &snapshot, &edits).shipping_address.unwrap();
    assert_eq!((address.zip.expose(), address.city.expose()), ("1010", "Wien"));
}

#[test]
fn what_was_given_for_a_line_is_not_for_another_that_stands_in_its_place() {
    let two = || order(1).paid().with_line("", 1, "24.00").with_line("", 1, "30.00");
    let edits = given("erp", &two().at_revision(1), &[("lines.0.item", "TEE"), ("lines.1.item", "CAP")]);
    written("erp", &two().at_revision(2), &edits);
    // The first is gone, and the second is the first now.
    let mut snapshot = order(1).paid().with_line("", 1, "30.00").at_revision(3);
    let Some(Body::Order(order)) = &mut snapshot.body else { panic!("an order") };
    order.lines[0].id = "2".parse().unwrap();
    assert!(matches!(decided("erp", &snapshot, &edits), Decision::Park { code: "missing_sku", .. }));
}
