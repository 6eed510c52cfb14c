//! What HubSpot holds of mapped fields.

use std::collections::BTreeSet;

use serde_json::json;
use waybill_connector::{Failure, FieldSource, FieldsCall, Known};
use waybill_domain::{
    Kind, Personal,
    document::{CustomerDocument, FieldValue, Fields, OnMatch, OrderDocument},
};

use crate::account::{Account, field, order, person, recognised, recognised_order, record};

async fn read<D: Sync>(
    account: &Account,
    role: &str,
    documents: &[(&D, Known)],
    names: &[&str],
) -> Vec<Result<Option<Fields>, Failure>>
where
    connector_hubspot::HubSpot: FieldSource<D>,
{
    let names: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    let object_key = person(0).key;
    let calls: Vec<FieldsCall<'_, D>> = documents
        .iter()
        .map(|(document, known)| FieldsCall {
            document: *document,
            role,
            object_key: &object_key,
            known,
            names: &names,
        })
        .collect();
    account.hubspot.read_fields(&calls).await
}

fn fields<const N: usize>(values: [(&str, FieldValue); N]) -> Fields {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[tokio::test]
async fn customers_are_read_by_id_by_key_and_by_rule_and_an_empty_field_is_null() {
    let account = Account::indexed().await;
    let known = account.deliver(&record(Kind::Customer, 1), &person(1), Known::new()).await.unwrap();
    account.deliver(&record(Kind::Customer, 2), &person(2), Known::new()).await.unwrap();
    account.made("contacts", json!({"email": "person3@example.com", "firstname": "Al"})).await;
    account.made("contacts", json!({"phone": "+43 1 5550100", "firstname": "Kim"})).await;
    let by_phone = CustomerDocument { email: Personal::new(""), phone: Personal::new("+4315550100"), ..person(4) };
    let people = [person(1), person(2), person(3), recognised(by_phone), person(5)];
    let documents: Vec<_> =
        people.iter().enumerate().map(|(n, one)| (one, if n == 0 { known.clone() } else { Known::new() })).collect();
    let found = read(&account, "customer", &documents, &["firstname", "jobtitle"]).await;
    let named = |name: &str| Ok(Some(fields([("firstname", field(name)), ("jobtitle", FieldValue::Null)])));
    assert_eq!(found, [named("Jo"), named("Jo"), named("Al"), named("Kim"), Ok(None)]);
}

#[tokio::test]
async fn orders_and_their_buyers_are_read_by_role() {
    let account = Account::indexed().await;
    account.deliver(&record(Kind::Order, 1), &order(1), Known::new()).await.unwrap();
    let there = json!({"hs_order_name": "old", "hs_external_order_id": "SHOP-2"});
    account.made("orders", there).await;
    let without_buyer = OrderDocument { customer: None, ..order(3) };
    let (first, second) = (order(1), recognised_order(2));
    let documents = [(&first, Known::new()), (&second, Known::new()), (&without_buyer, Known::new())];
    let name = |name: &str| Ok(Some(fields([("hs_order_name", field(name))])));
    assert_eq!(read(&account, "order", &documents, &["hs_order_name"]).await, [name("#1"), name("old"), Ok(None)]);
    let lastname = Ok(Some(fields([("lastname", field("Number1"))])));
    assert_eq!(read(&account, "customer", &documents, &["lastname"]).await, [lastname, Ok(None), Ok(None)]);
}

#[tokio::test]
async fn what_is_left_alone_is_not_read_and_what_needs_a_person_is_said() {
    let account = Account::indexed().await;
    account.made("contacts", json!({"email": "person1@example.com"})).await;
    let mut second = recognised(person(1));
    second.policy.on_match = OnMatch::CreateSecond;
    let mut asks = recognised(person(1));
    asks.policy.matching[0].ask = true;
    let found = read(&account, "customer", &[(&second, Known::new()), (&asks, Known::new())], &["firstname"]).await;
    assert_eq!(found[0], Ok(None));
    assert!(matches!(&found[1], Err(Failure::Rejected { code, .. }) if code == "match_needs_person"), "{found:?}");
}

#[tokio::test]
async fn a_hundred_and_fifty_records_take_two_requests() {
    let account = Account::ready().await;
    let people: Vec<_> = (0..150).map(|n| (record(Kind::Customer, n), person(n))).collect();
    let mut known = account.batch(&people[..100], 0).await;
    known.extend(account.batch(&people[100..], 0).await);
    let documents: Vec<_> = people.iter().zip(known).map(|((_, one), known)| (one, known.unwrap())).collect();
    let before = account.state().await["requests"].as_u64().unwrap();
    assert!(read(&account, "customer", &documents, &["firstname"]).await.iter().all(|one| matches!(one, Ok(Some(_)))));
    assert_eq!(account.state().await["requests"].as_u64().unwrap() - before, 2);
}
