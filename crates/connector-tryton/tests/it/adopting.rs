//! Parties from before us are recognised by e-mail, phone or a field.

use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, contract};
use waybill_domain::document::{CustomerDocument, FieldValue, MatchBy, OnMatch, WritePolicy};

use crate::{
    before_us::{counts, field, made, matched_by, party, read, recognised, rule},
    bench::Bench,
    documents::{customer, customer_record, order},
    on_both,
};

on_both!(
    a_party_with_the_email_gets_our_key_and_follows_the_customer,
    a_party_with_the_phone_is_found_however_it_is_written,
    a_party_is_found_by_a_field,
    the_first_rule_that_finds_decides,
    an_empty_value_finds_nothing,
    several_parties_need_a_person,
    a_rule_that_asks_needs_a_person,
    a_party_that_a_person_gave_our_key_is_the_customers,
    two_parties_with_our_key_need_a_person,
    a_second_one_is_made_where_the_plan_says_so,
    of_an_adopted_party_only_the_named_fields_are_written,
    a_kept_field_is_left_alone,
    a_party_that_sleeps_is_not_adopted,
    our_key_comes_before_the_rules,
    an_orders_buyer_is_recognised,
    an_unknown_field_of_a_rule_is_named,
);

fn matched(rules: Vec<(MatchBy, &str)>) -> CustomerDocument {
    let rules = rules.into_iter().map(|(by, value)| rule(by, value)).collect();
    CustomerDocument { policy: matched_by(rules), ..customer(1) }
}

fn by_email() -> CustomerDocument {
    matched(vec![(MatchBy::Email, "jane1@example.com")])
}

async fn followed(bench: &Bench, customer: &CustomerDocument, known: Known) -> Result<Known, Failure> {
    contract::drive(bench.customers(), &customer_record(1), customer, known).await
}

fn rejected(outcome: Result<Known, Failure>) -> (String, String, String) {
    match outcome {
        Err(Failure::Rejected { code, field, message }) => (code, field, message),
        other => panic!("not rejected: {other:?}"),
    }
}

/// The key is on this party, and no other was made.
async fn is_adopted(bench: &Bench, customer: &CustomerDocument, id: &Json) {
    let before = counts(bench).await;
    let known = followed(bench, customer, Known::new()).await.unwrap();
    assert_eq!(known["party"], id.to_string());
    let after = counts(bench).await;
    assert_eq!((after[0], after[2]), (before[0], before[2] + 1), "parties and identifiers");
    for known in [Known::new(), known] {
        followed(bench, customer, known).await.unwrap();
        assert_eq!(counts(bench).await, after, "a second time makes something");
    }
    let identifiers = read(bench, "party.party", id, json!(["identifiers.code"])).await;
    assert_eq!(identifiers["identifiers."][0]["code"], customer.key.as_str());
}

async fn a_party_with_the_email_gets_our_key_and_follows_the_customer(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "Jane1@Example.com")]).await;
    is_adopted(bench, &by_email(), &id).await;
    let moved = CustomerDocument { last_name: "Doe".into(), ..by_email() };
    followed(bench, &moved, Known::new()).await.unwrap();
    assert_eq!(read(bench, "party.party", &id, json!(["name"])).await["name"], "Jane Doe");
}

async fn a_party_with_the_phone_is_found_however_it_is_written(bench: &Bench) {
    party(bench, "Another", &[("phone", "+49 30 12345678")]).await;
    let id = party(bench, "J. Roe", &[("mobile", "0049 (0) 30 / 123-4567")]).await;
    is_adopted(bench, &matched(vec![(MatchBy::Phone, "+49301234567")]), &id).await;
}

async fn a_party_is_found_by_a_field(bench: &Bench) {
    let id = made(bench, "party.party", json!({"name": "J. Roe", "code": "K-17"})).await;
    is_adopted(bench, &matched(vec![(field("code"), "K-17")]), &id).await;
}

async fn the_first_rule_that_finds_decides(bench: &Bench) {
    party(bench, "By phone", &[("phone", "+49301234567")]).await;
    let id = party(bench, "By e-mail", &[("email", "jane1@example.com")]).await;
    let rules =
        vec![(field("name"), "Nobody"), (MatchBy::Email, "jane1@example.com"), (MatchBy::Phone, "+49301234567")];
    is_adopted(bench, &matched(rules), &id).await;
}

async fn an_empty_value_finds_nothing(bench: &Bench) {
    made(bench, "party.party", json!({"name": "", "code": "K-17"})).await;
    let before = counts(bench).await;
    followed(bench, &matched(vec![(field("name"), "")]), Known::new()).await.unwrap();
    assert_eq!(counts(bench).await[0], before[0] + 1);
}

async fn several_parties_need_a_person(bench: &Bench) {
    let first = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let second = party(bench, "Jane R.", &[("email", "JANE1@example.com")]).await;
    let before = counts(bench).await;
    let (code, field, message) = rejected(followed(bench, &by_email(), Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("several_matches", "email"));
    assert!(message.contains(&format!("{first}, {second}")) && !message.contains('@'), "{message}");
    assert_eq!(counts(bench).await, before);
}

fn asking() -> CustomerDocument {
    let mut customer = by_email();
    customer.policy.matching[0].ask = true;
    customer
}

async fn a_rule_that_asks_needs_a_person(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let before = counts(bench).await;
    let (code, _, message) = rejected(followed(bench, &asking(), Known::new()).await);
    assert_eq!(code, "match_needs_person");
    let named = message.contains(&format!("id {id}")) && message.contains(asking().key.as_str());
    assert!(named, "{message}");
    assert_eq!(counts(bench).await, before);
}

async fn a_party_that_a_person_gave_our_key_is_the_customers(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    made(bench, "party.identifier", json!({"party": id, "code": asking().key.as_str()})).await;
    let before = counts(bench).await;
    followed(bench, &asking(), Known::new()).await.unwrap();
    assert_eq!(counts(bench).await, before);
    assert_eq!(read(bench, "party.party", &id, json!(["name"])).await["name"], "Jane Roe1");
}

async fn two_parties_with_our_key_need_a_person(bench: &Bench) {
    for name in ["One", "Two"] {
        let id = party(bench, name, &[]).await;
        made(bench, "party.identifier", json!({"party": id, "code": customer(1).key.as_str()})).await;
    }
    let (code, ..) = rejected(followed(bench, &customer(1), Known::new()).await);
    assert_eq!(code, "duplicate");
}

async fn a_second_one_is_made_where_the_plan_says_so(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let before = counts(bench).await;
    let mut customer = by_email();
    customer.policy.on_match = OnMatch::CreateSecond;
    followed(bench, &customer, Known::new()).await.unwrap();
    let after = counts(bench).await;
    assert_eq!((after[0], after[2]), (before[0] + 1, before[2]));
    assert_eq!(read(bench, "party.party", &id, json!(["name"])).await["name"], "J. Roe");
}

/// `active` is a field of parties that a plan can map and both Trytons have.
fn sleeping(policy: WritePolicy) -> CustomerDocument {
    let mut customer = CustomerDocument { policy, ..by_email() };
    customer.fields.insert("active".to_owned(), FieldValue::Bool(false));
    customer
}

async fn of_an_adopted_party_only_the_named_fields_are_written(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let fields = |names: &[&str]| OnMatch::Fields(names.iter().map(|name| (*name).to_owned()).collect());
    let known = {
        let customer = sleeping(WritePolicy { on_match: fields(&[]), ..by_email().policy });
        followed(bench, &customer, Known::new()).await.unwrap()
    };
    let seen = async || read(bench, "party.party", &id, json!(["name", "active", "contact_mechanisms"])).await;
    let party = seen().await;
    assert_eq!((&party["name"], truth(&party["active"])), (&json!("J. Roe"), true));
    // A later plan does not widen what was decided on adoption; a new delivery decides anew.
    followed(bench, &sleeping(by_email().policy), known).await.unwrap();
    assert_eq!(seen().await, party);
    let customer = sleeping(WritePolicy { on_match: fields(&["active"]), ..by_email().policy });
    followed(bench, &customer, Known::new()).await.unwrap();
    let party = seen().await;
    assert_eq!((&party["name"], truth(&party["active"])), (&json!("J. Roe"), false));
    assert_eq!(party["contact_mechanisms"].as_array().unwrap().len(), 1);
}

/// SQLite gives 1 and 0.
fn truth(value: &Json) -> bool {
    *value == json!(true) || *value == json!(1)
}

async fn a_kept_field_is_left_alone(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let policy = WritePolicy { keep: ["active".to_owned()].into(), ..by_email().policy };
    let known = followed(bench, &sleeping(policy.clone()), Known::new()).await.unwrap();
    followed(bench, &sleeping(policy), known).await.unwrap();
    let party = read(bench, "party.party", &id, json!(["name", "active"])).await;
    assert_eq!((&party["name"], truth(&party["active"])), (&json!("Jane Roe1"), true));
}

async fn a_party_that_sleeps_is_not_adopted(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    bench.vendor.model("party.party.write", json!([[id], {"active": false}])).await;
    followed(bench, &by_email(), Known::new()).await.unwrap();
    assert_eq!(bench.parties(&customer(1)).await.len(), 1, "a party of our own");
}

async fn our_key_comes_before_the_rules(bench: &Bench) {
    followed(bench, &customer(1), Known::new()).await.unwrap();
    party(bench, "Another", &[("email", "jane1@example.com")]).await;
    let before = counts(bench).await;
    followed(bench, &by_email(), Known::new()).await.unwrap();
    assert_eq!(counts(bench).await, before);
}

async fn an_orders_buyer_is_recognised(bench: &Bench) {
    let id = party(bench, "J. Roe", &[("email", "jane1@example.com")]).await;
    let before = counts(bench).await;
    let order = recognised(order(1));
    bench.book(1, &order, Known::new()).await.unwrap();
    let after = counts(bench).await;
    assert_eq!((after[0], after[2]), (before[0], before[2] + 1));
    let party = &bench.sale(&order).await["party."];
    assert_eq!((&party["id"], &party["name"]), (&id, &json!("J. Roe")), "an order leaves a party as it is");
}

async fn an_unknown_field_of_a_rule_is_named(bench: &Bench) {
    let outcome = followed(bench, &matched(vec![(field("colour"), "red")]), Known::new()).await;
    let (code, field, message) = rejected(outcome);
    assert_eq!((code.as_str(), field.as_str()), ("unknown_field", "colour"));
    assert!(message.contains("party.party"), "{message}");
}
