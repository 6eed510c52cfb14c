//! What becomes of a list price.

use rust_decimal::Decimal;
use waybill_domain::{
    Body, Kind, Snapshot,
    document::{PriceDocument, VariantRef},
    price::ListPrice,
};
use waybill_plan::{Decision, DeliveryFacts, Document, Facts, Plan, Remote, StoreVariant, decide};
use waybill_testkit::records::snapshot;

use crate::fixture::parse;

const MAP: &str = "round(price.amount, 2)";

/// A plan in which the store's price is made of the catalogue's by this map.
fn priced_by(map: &str) -> Plan {
    let text = format!(
        r#"
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]

[systems.shop]
connector = "shop"

[systems.erp]
connector = "books"
token = "env:TOKEN"

[tables.vat]
"Standard" = "1.20"
"Books" = "1.10"

[kinds.price]
owner = "erp"

[catalog]
from = "erp"

[[flows]]
name = "prices-to-store"
kind = "price"
from = "erp"
to = "shop"
[flows.fields]
price = '{map}'
"#
    );
    parse(&text).unwrap_or_else(|problems| panic!("{}", problems.render("plan")))
}

fn listed(amount: &str) -> ListPrice {
    ListPrice {
        sku: "MUG".to_owned(),
        currency: "EUR".parse().unwrap(),
        amount: dec(amount),
        category: Some("Standard".to_owned()),
    }
}

fn variant(id: u64, price: &str) -> StoreVariant {
    let variant = VariantRef { product_id: 7.into(), variant_id: id.into() };
    StoreVariant { variant, price: dec(price) }
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn decided(map: &str, price: ListPrice, variants: &[StoreVariant], delivery: &DeliveryFacts) -> Decision {
    let plan = priced_by(map);
    let record: Snapshot = snapshot(Kind::Price, "MUG".parse().unwrap(), 1, Body::Price(price));
    let flow = plan.flow(&record.key.store, Kind::Price, &"shop".parse().unwrap()).unwrap();
    let currency = Some("EUR".parse().unwrap());
    let facts = Facts { variants: variants.to_vec(), currency, ..Facts::default() };
    decide(&plan, flow, &record, delivery, &facts, &Remote::NotRead)
}

/// What is decided of a price that the store never got.
fn first(map: &str, price: ListPrice) -> Decision {
    decided(map, price, &[variant(1, "9.99")], &DeliveryFacts::default())
}

#[track_caller]
fn document(decision: &Decision) -> &PriceDocument {
    let Decision::Write(write) = decision else { panic!("not a write: {decision:?}") };
    let Document::Price(document) = &write.document else { panic!("not a price: {:?}", write.document) };
    document
}

#[track_caller]
fn parked(decision: Decision) -> (&'static str, String) {
    let Decision::Park { code, message, .. } = decision else { panic!("not parked: {decision:?}") };
    (code, message)
}

#[test]
fn a_price_is_exact_whatever_is_reckoned_with_it() {
    let with_tax = r#"round(times(price.amount, lookup("vat", price.category | default(""))), 2)"#;
    assert_eq!(document(&first(with_tax, listed("12.95"))).price.to_string(), "15.54");
    // The same price in as many digits, so that it is the same document.
    assert_eq!(document(&first(MAP, listed("12.9500"))).price.to_string(), "12.95");
    assert_eq!(document(&first("price.amount", listed("13"))).price.to_string(), "13.00");
}

#[test]
fn a_category_that_the_table_has_not_is_parked_and_named() {
    let with_tax = r#"round(times(price.amount, lookup("vat", price.category | default(""))), 2)"#;
    let (code, message) = parked(first(with_tax, ListPrice { category: Some("Toys".to_owned()), ..listed("12.95") }));
    assert!(code == "unmapped" && message.contains("Toys") && message.contains("vat"), "{code}: {message}");
}

#[test]
fn every_variant_with_the_sku_gets_the_price() {
    let decision = decided(MAP, listed("12.95"), &[variant(1, "9.99"), variant(2, "12.95")], &DeliveryFacts::default());
    let ids: Vec<_> = document(&decision).variants.iter().map(|one| one.variant_id.to_string()).collect();
    assert_eq!(ids, ["1", "2"]);
}

#[test]
fn what_the_store_does_not_sell_is_ignored_by_the_rule_that_is_named() {
    let decision = decided(MAP, listed("12.95"), &[], &DeliveryFacts::default());
    assert_eq!(decision, Decision::Ignore { rule: "not-sold".to_owned() });
}

#[test]
fn a_price_in_another_currency_is_for_a_person() {
    let (code, message) = parked(first(MAP, ListPrice { currency: "CHF".parse().unwrap(), ..listed("12.95") }));
    assert_eq!((code, message.as_str()), ("currency", "the price is in CHF, and the store sells in EUR"));
}

#[test]
fn what_cannot_be_paid_is_for_a_person_and_is_not_rounded() {
    let (code, message) = parked(first("price.amount", listed("12.955")));
    assert!(code == "map_error" && message.contains("round(…, 2)"), "{code}: {message}");
    let (code, message) = parked(first("price.amount", listed("-0.01")));
    assert!(code == "map_error" && message.contains("below zero"), "{code}: {message}");
    let (code, message) = parked(first("price.sku", listed("12.95")));
    assert!(code == "map_error" && message.contains("no price"), "{code}: {message}");
}

#[test]
fn our_own_price_heard_back_is_no_work_and_one_that_was_changed_there_is_written_again() {
    let Decision::Write(write) = first(MAP, listed("12.95")) else { panic!("not a write") };
    let applied =
        DeliveryFacts { applied_once: true, applied_hash: Some(write.hash.clone()), ..DeliveryFacts::default() };
    let heard = |price: &str| decided(MAP, listed("12.95"), &[variant(1, price)], &applied);
    assert_eq!(heard("12.95"), Decision::Nothing);
    assert_eq!(heard("12.950"), Decision::Nothing);
    assert_eq!(document(&heard("10.00")).price, dec("12.95"));
}
