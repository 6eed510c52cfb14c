//! One record that was in HubSpot before us, and what the plan says of it.

use serde_json::json;
use waybill_connector::{Failure, Known, contract::Delivery};
use waybill_domain::{
    Kind, Personal,
    document::{CustomerDocument, MatchBy, OnMatch, OrderDocument},
};

use crate::account::{Account, field, order, person, property, recognised, recognised_order, record, rule};

const PHONE: &str = "+4315550100";

fn by_phone(n: usize) -> CustomerDocument {
    let mut person = CustomerDocument { email: Personal::new(""), phone: Personal::new(PHONE), ..person(n) };
    person.fields.insert("phone".to_owned(), field(PHONE));
    recognised(person)
}

async fn deliver(account: &Account, document: &CustomerDocument) -> Result<Known, Failure> {
    account.deliver(&record(Kind::Customer, 1), document, Known::new()).await
}

fn rejection(result: Result<Known, Failure>) -> (String, String, String) {
    let Err(Failure::Rejected { code, field, message }) = result else { panic!("{result:?}") };
    (code, field, message)
}

#[tokio::test]
async fn our_key_comes_before_every_rule() {
    let account = Account::indexed().await;
    let keyed = account.made("contacts", json!({"waybill_key": person(1).key.as_str()})).await;
    account.made("contacts", json!({"phone": PHONE})).await;
    assert_eq!(deliver(&account, &by_phone(1)).await.unwrap()["customer"], keyed);
}

#[tokio::test]
async fn the_first_rule_that_finds_anything_decides() {
    let account = Account::indexed().await;
    let by_email = account.made("contacts", json!({"email": "person1@example.com"})).await;
    account.made("contacts", json!({"phone": PHONE})).await;
    let both = recognised(CustomerDocument { phone: Personal::new(PHONE), ..person(1) });
    assert_eq!(deliver(&account, &both).await.unwrap()["customer"], by_email);
}

#[tokio::test]
async fn a_contact_is_found_by_a_property_of_the_merchants_own_whether_its_values_are_unique_or_not() {
    for unique in [true, false] {
        let account = Account::indexed().await;
        let definition = json!({
            "name": "loyalty_number", "label": "Loyalty number", "groupName": "contactinformation", "type": "string",
            "fieldType": "text", "hasUniqueValue": unique,
        });
        account.post("/crm/properties/2026-03/contacts", definition).await;
        let there = account.made("contacts", json!({"loyalty_number": "Gold-7"})).await;
        let mut person = person(1);
        person.policy.matching = vec![rule(MatchBy::Field("loyalty_number".to_owned()), "Gold-7")];
        assert_eq!(deliver(&account, &person).await.unwrap()["customer"], there, "unique: {unique}");
        assert_eq!(account.state().await["contacts"], 1);
    }
}

#[tokio::test]
async fn a_field_is_compared_exactly() {
    let account = Account::indexed().await;
    account.made("orders", json!({"hs_order_name": "old", "hs_external_order_id": "shop-1"})).await;
    account.deliver(&record(Kind::Order, 1), &recognised_order(1), Known::new()).await.unwrap();
    assert_eq!(account.state().await["orders"], 2);
}

#[tokio::test]
async fn a_rule_that_asks_leaves_the_record_alone_until_a_person_has_put_our_key_on_it() {
    let account = Account::indexed().await;
    let there = account.made("contacts", json!({"phone": PHONE, "firstname": "Al"})).await;
    let mut person = by_phone(1);
    person.policy.matching[1].ask = true;
    let (code, by, message) = rejection(deliver(&account, &person).await);
    assert_eq!((code.as_str(), by.as_str()), ("match_needs_person", "phone"));
    let key = person.key.as_str();
    assert_eq!(
        message,
        format!("contacts {there} may be this record, by phone; if it is, set waybill_key = {key} on it")
    );
    assert_eq!(property(&account.one("contacts", &there, "firstname").await, "firstname"), "Al");

    let mark = json!({"properties": {"waybill_key": key}});
    account.call(reqwest::Method::PATCH, &format!("/crm/objects/2026-03/contacts/{there}"), Some(mark)).await;
    assert_eq!(deliver(&account, &person).await.unwrap()["customer"], there);
    assert_eq!(property(&account.one("contacts", &there, "firstname").await, "firstname"), "Jo");
}

#[tokio::test]
async fn what_was_not_written_is_not_found_by_what_a_rule_finds() {
    let account = Account::indexed().await;
    account.made("contacts", json!({"phone": PHONE})).await;
    let mut person = by_phone(1);
    person.policy.matching[1].ask = true;
    let at = record(Kind::Customer, 1);
    let delivery = Delivery::new(&account.hubspot, &at, &person, Known::new());
    assert_eq!(delivery.find(&delivery.steps()[0]).await, Ok(None));
}

#[tokio::test]
async fn several_that_one_rule_finds_are_for_a_person() {
    let account = Account::indexed().await;
    let first = account.made("contacts", json!({"phone": "+43 1 5550100"})).await;
    let second = account.made("contacts", json!({"mobilephone": "0043 1 5550100"})).await;
    let (code, by, message) = rejection(deliver(&account, &by_phone(1)).await);
    assert_eq!((code.as_str(), by.as_str()), ("several_matches", "phone"));
    assert!(message.contains(&first) && message.contains(&second) && !message.contains("5550100"), "{message}");
    assert_eq!(account.state().await["contacts"], 2);
}

#[tokio::test]
async fn what_carries_another_key_is_another_person() {
    let account = Account::indexed().await;
    for n in [1, 2] {
        account.deliver(&record(Kind::Customer, n), &by_phone(n), Known::new()).await.unwrap();
    }
    assert_eq!(account.state().await["contacts"], 2, "two of a household");
}

#[tokio::test]
async fn of_two_people_in_a_batch_who_match_one_contact_the_first_adopts_it() {
    let account = Account::indexed().await;
    let there = account.made("contacts", json!({"phone": PHONE})).await;
    let people = [1, 2].map(|n| (record(Kind::Customer, n), by_phone(n)));
    let outcomes = account.batch(&people, 0).await;
    assert_eq!(outcomes[0].as_ref().unwrap()["customer"], there);
    assert_ne!(outcomes[1].as_ref().unwrap()["customer"], there);
}

#[tokio::test]
async fn customers_of_two_stores_with_one_email_share_its_contact() {
    let account = Account::indexed().await;
    let (first, mut second) = (recognised(person(1)), recognised(person(2)));
    second.email = first.email.clone();
    let second = recognised(second);
    let known = deliver(&account, &first).await.unwrap();
    let other = account.deliver(&record(Kind::Customer, 2), &second, Known::new()).await.unwrap();
    assert_eq!(known["customer"], other["customer"]);
}

#[tokio::test]
async fn a_number_of_an_unknown_country_is_nobodys() {
    let account = Account::indexed().await;
    account.made("contacts", json!({"phone": "01 5550100"})).await;
    deliver(&account, &by_phone(1)).await.unwrap();
    assert_eq!(account.state().await["contacts"], 2);
}

#[tokio::test]
async fn the_second_contact_has_no_email_where_hubspot_has_one_contact_for_it() {
    let account = Account::indexed().await;
    let there = account.made("contacts", json!({"email": "person1@example.com", "firstname": "Al"})).await;
    let mut person = recognised(person(1));
    person.policy.on_match = OnMatch::CreateSecond;
    let mut known = Known::new();
    for name in ["Jo", "Joanna"] {
        person.fields.insert("firstname".to_owned(), field(name));
        known = account.deliver(&record(Kind::Customer, 1), &person, known).await.unwrap();
        assert_ne!(known["customer"], there);
        let second = account.one("contacts", &known["customer"], "email,firstname").await;
        assert_eq!((property(&second, "email").as_str(), property(&second, "firstname").as_str()), ("", name));
    }
    let left = account.one("contacts", &there, "firstname,waybill_key").await;
    assert_eq!((property(&left, "firstname").as_str(), property(&left, "waybill_key").as_str()), ("Al", ""));
    assert_eq!(account.state().await["contacts"], 2);
}

#[tokio::test]
async fn a_second_order_is_made_where_the_plan_says_so() {
    let account = Account::indexed().await;
    let there = account.made("orders", json!({"hs_order_name": "old", "hs_external_order_id": "SHOP-1"})).await;
    let mut second = OrderDocument { customer: None, ..recognised_order(1) };
    second.policy.on_match = OnMatch::CreateSecond;
    for _ in 0..2 {
        let known = account.deliver(&record(Kind::Order, 1), &second, Known::new()).await.unwrap();
        assert_ne!(known["order"], there);
    }
    assert_eq!(account.state().await["orders"], 2);
}

#[tokio::test]
async fn of_an_adopted_record_only_the_named_fields_are_ever_written_whichever_document_reaches_it() {
    let account = Account::indexed().await;
    let there = account
        .made("contacts", json!({"email": "person1@example.com", "firstname": "Al", "lastname": "Old", "city": "Rome"}))
        .await;
    let mut person = recognised(person(1));
    person.policy.on_match = OnMatch::Fields(["lastname".to_owned()].into());
    let known = deliver(&account, &person).await.unwrap();
    assert_eq!(known["customer"], there);
    person.fields.insert("lastname".to_owned(), field("Newer"));
    account.deliver(&record(Kind::Customer, 1), &person, known).await.unwrap();
    // An order knows nothing of what the customer's record found.
    account
        .deliver(&record(Kind::Order, 1), &OrderDocument { customer: Some(person), ..order(1) }, Known::new())
        .await
        .unwrap();
    let shown = account.one("contacts", &there, "firstname,lastname,waybill_adopted").await;
    let values = ["firstname", "lastname", "waybill_adopted"].map(|name| property(&shown, name));
    assert_eq!(values, ["Al", "Newer", "true"]);
}

#[tokio::test]
async fn a_contact_that_another_store_made_is_not_taken_for_one_from_before_us() {
    let account = Account::indexed().await;
    let mut people = [1, 2].map(|n| CustomerDocument { email: Personal::new("jo@example.com"), ..person(n) });
    for person in &mut people {
        person.policy.on_match = OnMatch::Fields(["lastname".to_owned()].into());
        *person = recognised(person.clone());
    }
    let known = deliver(&account, &people[0]).await.unwrap();
    account.deliver(&record(Kind::Customer, 2), &people[1], Known::new()).await.unwrap();
    people[0].fields.insert("firstname".to_owned(), field("Joanna"));
    let known = account.deliver(&record(Kind::Customer, 1), &people[0], known).await.unwrap();
    let shown = account.one("contacts", &known["customer"], "firstname,waybill_adopted").await;
    assert_eq!(["firstname", "waybill_adopted"].map(|name| property(&shown, name)), ["Joanna", ""]);
}

#[tokio::test]
async fn of_an_adopted_order_only_the_named_fields_are_written_even_if_the_answer_was_lost() {
    let account = Account::indexed().await;
    let there = account.made("orders", json!({"hs_order_name": "old", "hs_external_order_id": "SHOP-1"})).await;
    let mut document = OrderDocument { customer: None, ..recognised_order(1) };
    document.policy.on_match = OnMatch::Fields(["hs_external_order_status".to_owned()].into());
    // Nothing is remembered of the first time.
    for _ in 0..2 {
        account.deliver(&record(Kind::Order, 1), &document, Known::new()).await.unwrap();
        let shown = account.one("orders", &there, "hs_order_name,hs_external_order_status,hs_currency_code").await;
        let values =
            ["hs_order_name", "hs_external_order_status", "hs_currency_code"].map(|name| property(&shown, name));
        assert_eq!(values, ["old", "paid", ""]);
    }
}

#[tokio::test]
async fn what_nothing_matches_is_created_with_all_its_fields() {
    let account = Account::indexed().await;
    let mut person = by_phone(1);
    person.policy.on_match = OnMatch::Fields(["lastname".to_owned()].into());
    for name in ["Jo", "Joanna"] {
        person.fields.insert("firstname".to_owned(), field(name));
        let known = deliver(&account, &person).await.unwrap();
        let shown = account.one("contacts", &known["customer"], "firstname").await;
        assert_eq!(property(&shown, "firstname"), name, "it is ours, and stays so");
    }
}

#[tokio::test]
async fn a_rule_for_people_or_an_unknown_property_is_named() {
    let account = Account::indexed().await;
    let mut document = OrderDocument { customer: None, ..order(1) };
    document.policy.matching = vec![rule(MatchBy::Email, "person1@example.com")];
    let refused = account.deliver(&record(Kind::Order, 1), &document, Known::new()).await;
    assert_eq!(rejection(refused).0, "map_error");
    document.policy.matching = vec![rule(MatchBy::Field("colour".to_owned()), "red")];
    let refused = account.deliver(&record(Kind::Order, 1), &document, Known::new()).await;
    let (code, name, _) = rejection(refused);
    assert_eq!((code.as_str(), name.as_str()), ("PROPERTY_DOESNT_EXIST", "colour"));
}

#[tokio::test]
async fn one_that_needs_a_person_does_not_hold_up_the_others_of_a_batch() {
    let account = Account::indexed().await;
    for phone in ["+43 1 5550100", "+4315550100"] {
        account.made("contacts", json!({"phone": phone})).await;
    }
    let mut people: Vec<_> = (0..10).map(|n| (record(Kind::Customer, n), recognised(person(n)))).collect();
    people[4].1 = by_phone(4);
    for (n, outcome) in account.batch(&people, 0).await.into_iter().enumerate() {
        assert_eq!(outcome.is_err(), n == 4, "person {n}: {outcome:?}");
    }
}
