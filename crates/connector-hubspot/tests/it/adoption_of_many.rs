//! An account that was in use for years before Waybill: nothing in it is made a second time.

use serde_json::{Value, json};
use waybill_domain::{
    Kind, Personal, RecordKey,
    document::{CustomerDocument, OrderDocument},
};

use crate::account::{Account, field, person, property, recognised, recognised_order, record};

const PEOPLE: usize = 200;
const ORDERS: usize = 50;

/// A phone as people write it, and as the store has it.
fn phone(n: usize) -> (String, String) {
    let number = format!("5550{n:03}");
    let written = match n % 4 {
        0 => format!("+43 1 {number}"),
        1 => format!("0043 1/{number}"),
        2 => format!("+43 (0) 1 {number}"),
        _ => format!("+431{number}"),
    };
    (written, format!("+431{number}"))
}

fn knows_email(n: usize) -> bool {
    !n.is_multiple_of(5)
}

/// A customer whose job a colleague may have written down.
fn customer(n: usize) -> CustomerDocument {
    let mut customer = person(n);
    customer.fields.insert("jobtitle".to_owned(), field("Customer"));
    customer.policy.keep = ["jobtitle".to_owned()].into();
    customer.phone = Personal::new(phone(n).1);
    if !knows_email(n) {
        customer.email = Personal::new("");
    }
    recognised(customer)
}

fn order_of(n: usize) -> OrderDocument {
    let mut order = OrderDocument { customer: Some(customer(n)), ..recognised_order(n) };
    order.fields.insert("hs_order_note".to_owned(), field("from the store"));
    order.policy.keep = ["hs_order_note".to_owned()].into();
    order
}

/// Contacts and orders as colleagues and an earlier integration left them.
async fn an_account_in_use() -> Account {
    let account = Account::indexed().await;
    let contact = |n: usize| match n % 5 {
        0 => json!({"firstname": "Jo", "phone": phone(n).0}),
        1 => {
            json!({"email": format!("first{n}@example.com"), "hs_additional_emails": format!("person{n}@example.com")})
        }
        2 => json!({"email": format!("Person{n}@example.com"), "jobtitle": "Owner"}),
        3 => json!({"email": format!("person{n}@example.com"), "phone": phone(n).0}),
        _ => json!({"email": format!("person{n}@example.com")}),
    };
    let order = |n: usize| json!({"hs_order_name": "old", "hs_external_order_id": format!("SHOP-{n}"), "hs_order_note": "fragile"});
    for (kind, all) in [
        ("contacts", (0..PEOPLE).map(contact).collect::<Vec<Value>>()),
        ("orders", (0..ORDERS).map(order).collect::<Vec<Value>>()),
    ] {
        for part in all.chunks(100) {
            let inputs: Vec<Value> =
                part.iter().map(|properties| json!({"properties": properties, "associations": []})).collect();
            account.post(&format!("/crm/objects/2026-03/{kind}/batch/create"), json!({"inputs": inputs})).await;
        }
    }
    account
}

async fn write_everything(account: &Account) {
    let people: Vec<(RecordKey, CustomerDocument)> =
        (0..PEOPLE).map(|n| (record(Kind::Customer, n), customer(n))).collect();
    for part in people.chunks(100) {
        for (outcome, (at, _)) in account.batch(part, 0).await.into_iter().zip(part) {
            assert!(outcome.is_ok(), "{at}: {outcome:?}");
        }
    }
    let orders: Vec<(RecordKey, OrderDocument)> = (0..ORDERS).map(|n| (record(Kind::Order, n), order_of(n))).collect();
    for step in 0..3 {
        for (outcome, (at, _)) in account.batch(&orders, step).await.into_iter().zip(&orders) {
            assert!(outcome.is_ok(), "{at}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn two_hundred_contacts_and_fifty_orders_from_before_us_are_adopted_and_none_is_created() {
    let account = an_account_in_use().await;
    let (writes_before, asked_before) = (account.writes(), account.state().await["requests"].as_u64().unwrap());
    write_everything(&account).await;

    let state = account.state().await;
    assert_eq!((&state["contacts"], &state["orders"]), (&json!(PEOPLE), &json!(ORDERS)));
    assert_eq!(state["refused_by_limit"], 0, "the limit of searches is five a second");
    let asked = state["requests"].as_u64().unwrap() - asked_before;
    assert!(asked < 150, "{asked} requests");
    assert_eq!(account.writes() - writes_before, PEOPLE + ORDERS, "each record is written once");

    let contacts = account.all("contacts", "waybill_key,firstname,lastname,jobtitle,email").await;
    for n in 0..PEOPLE {
        let key = customer(n).key;
        let contact = contacts.iter().find(|contact| property(contact, "waybill_key") == key.as_str());
        let contact = contact.unwrap_or_else(|| panic!("person {n} has no contact"));
        assert_eq!(property(contact, "lastname"), format!("Number{n}"));
        let job = if n % 5 == 2 { "Owner" } else { "Customer" };
        assert_eq!(property(contact, "jobtitle"), job, "a colleague's value stays, an empty one is filled");
        let email = match n % 5 {
            0 => String::new(),
            1 => format!("first{n}@example.com"),
            _ => format!("person{n}@example.com"),
        };
        assert_eq!(property(contact, "email"), email, "the first e-mail stays the first");
    }
    for order in account.all("orders", "waybill_key,hs_order_name,hs_external_order_id,hs_order_note").await {
        let number = property(&order, "hs_external_order_id");
        let n: usize = number.strip_prefix("SHOP-").and_then(|n| n.parse().ok()).expect("the order's number");
        assert_eq!(property(&order, "waybill_key"), order_of(n).key.as_str());
        assert_eq!(property(&order, "hs_order_name"), format!("#{n}"));
        assert_eq!(property(&order, "hs_order_note"), "fragile", "a colleague's note stays");
    }
}

#[tokio::test]
async fn writing_everything_a_second_time_changes_nothing() {
    let account = an_account_in_use().await;
    write_everything(&account).await;
    let shown = "waybill_key,firstname,lastname,jobtitle,email,hs_additional_emails,hs_order_name,hs_order_note";
    let (contacts, orders) = (account.all("contacts", shown).await, account.all("orders", shown).await);
    let (state, writes) = (account.state().await, account.writes());
    write_everything(&account).await;
    assert_eq!(account.all("contacts", shown).await, contacts);
    assert_eq!(account.all("orders", shown).await, orders);
    assert_eq!(account.writes(), writes, "what is there already is not written again");
    assert_eq!(account.state().await["associations"], state["associations"]);
}

#[tokio::test]
async fn a_hundred_people_are_searched_by_phone_in_few_requests() {
    let account = Account::indexed().await;
    let inputs: Vec<Value> =
        (0..100).map(|n| json!({"properties": {"mobilephone": phone(n).0}, "associations": []})).collect();
    account.post("/crm/objects/2026-03/contacts/batch/create", json!({"inputs": inputs})).await;
    let before = account.state().await["requests"].as_u64().unwrap();
    let nameless = |n| CustomerDocument { email: Personal::new(""), phone: Personal::new(phone(n).1), ..person(n) };
    let people: Vec<_> = (0..100).map(|n| (record(Kind::Customer, n), recognised(nameless(n)))).collect();
    assert!(account.batch(&people, 0).await.iter().all(Result::is_ok));
    let state = account.state().await;
    assert_eq!((&state["contacts"], &state["refused_by_limit"]), (&json!(100), &json!(0)));
    let asked = state["requests"].as_u64().unwrap() - before;
    assert!(asked <= 10, "{asked} requests");
}
