//! Orders and their buyers.

use serde_json::{Value, json};
use waybill_connector::{Known, Sink, contract::Delivery};
use waybill_domain::{Kind, document::OrderDocument};

use crate::account::{Account, order, person, property, record};

async fn buyers(account: &Account) -> Vec<Value> {
    let orders = account.all("orders", "hs_order_name").await;
    orders[0]["associations"]["contacts"]["results"]
        .as_array()
        .map(|found| found.iter().map(|contact| contact["id"].clone()).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn an_order_and_the_customer_record_meet_in_one_contact_whichever_comes_first() {
    for order_first in [true, false] {
        let account = Account::ready().await;
        for order_now in [order_first, !order_first] {
            if order_now {
                account.deliver(&record(Kind::Order, 1), &order(1), Known::new()).await.unwrap();
            } else {
                account.deliver(&record(Kind::Customer, 1), &person(1), Known::new()).await.unwrap();
            }
        }
        let state = account.state().await;
        let counts = ["contacts", "orders", "associations"].map(|name| state[name].clone());
        assert_eq!(counts, [json!(1), json!(1), json!(1)], "order first: {order_first}");
    }
}

#[tokio::test]
async fn an_order_without_a_buyer_is_an_order_alone() {
    let account = Account::ready().await;
    let document = OrderDocument { customer: None, ..order(1) };
    let known = account.deliver(&record(Kind::Order, 1), &document, Known::new()).await.unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), ["order"]);
    assert_eq!(account.state().await["contacts"], 0);
}

#[tokio::test]
async fn two_orders_of_one_buyer_in_a_batch_share_the_contact() {
    let account = Account::ready().await;
    let second = OrderDocument { customer: Some(person(1)), ..order(2) };
    let orders = [(record(Kind::Order, 1), order(1)), (record(Kind::Order, 2), second)];
    let outcomes = account.batch(&orders, 0).await;
    assert!(outcomes[0].is_ok() && outcomes[0] == outcomes[1], "{outcomes:?}");
    assert_eq!(account.state().await["contacts"], 1);
}

#[tokio::test]
async fn another_buyer_takes_the_place_of_the_first_and_leaves_a_colleagues_association() {
    let account = Account::ready().await;
    let at = record(Kind::Order, 1);
    let known = account.deliver(&at, &order(1), Known::new()).await.unwrap();
    let colleagues = account
        .post("/crm/objects/2026-03/contacts", json!({"properties": {"firstname": "Al"}, "associations": []}))
        .await["id"]
        .clone();
    let pair = json!({"inputs": [{"from": {"id": known["order"]}, "to": {"id": colleagues}}]});
    account.post("/crm/v4/associations/orders/contacts/batch/associate/default", pair).await;
    let first = known["customer"].clone();
    let document = OrderDocument { customer: Some(person(2)), ..order(1) };
    let known = account.deliver(&at, &document, known).await.unwrap();
    let mut expected = vec![colleagues, json!(known["customer"])];
    expected.sort_by_key(Value::to_string);
    assert_eq!(buyers(&account).await, expected);
    let contacts = account.all("contacts", "email").await;
    let kept = contacts.iter().find(|contact| contact["id"] == first.as_str()).unwrap();
    assert_eq!(property(kept, "email"), "person1@example.com", "the first buyer's contact is left as it was");
}

#[tokio::test]
async fn an_association_that_is_there_is_not_made_again() {
    let account = Account::ready().await;
    let at = record(Kind::Order, 1);
    let known = account.deliver(&at, &order(1), Known::new()).await.unwrap();
    account.deliver(&at, &order(1), known).await.unwrap();
    let made = account.running.journal.entries().into_iter().filter(|entry| entry.object == "association").count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn each_step_is_found_once_it_took_effect() {
    let account = Account::ready().await;
    let (at, document) = (record(Kind::Order, 1), order(1));
    let mut delivery = Delivery::new(&account.hubspot, &at, &document, Known::new());
    let steps = delivery.steps().to_vec();
    for (done, step) in steps.iter().enumerate() {
        assert_eq!(delivery.find(step).await, Ok(None), "{} before it is sent", step.name);
        assert_eq!(delivery.advance().await, Ok(true));
        for step in &steps[..=done] {
            let found = delivery.find(step).await.unwrap();
            assert!(found.is_some_and(|found| !found.wrote), "{} after it is sent", step.name);
        }
    }
}

#[tokio::test]
async fn a_changed_value_is_not_found_until_it_is_sent() {
    let account = Account::ready().await;
    let at = record(Kind::Order, 1);
    account.deliver(&at, &order(1), Known::new()).await.unwrap();
    let mut changed = order(1);
    changed.fields.insert("hs_total_price".to_owned(), crate::account::field("13.00"));
    let delivery = Delivery::new(&account.hubspot, &at, &changed, Known::new());
    assert_eq!(delivery.find(&delivery.steps()[1]).await, Ok(None));
}

#[tokio::test]
async fn the_writes_of_an_order_are_journalled_under_our_key() {
    let account = Account::ready().await;
    account.deliver(&record(Kind::Order, 1), &order(1), Known::new()).await.unwrap();
    let entries = account.running.journal.entries();
    let written = |object: &str| entries.iter().find(|entry| entry.object == object).unwrap().reference.clone();
    assert_eq!(written("order"), order(1).key.as_str());
    assert_eq!(written("contact"), person(1).key.as_str());
}

#[tokio::test]
async fn a_hundred_orders_take_a_request_a_step() {
    let account = Account::ready().await;
    let orders: Vec<_> = (0..100).map(|n| (record(Kind::Order, n), order(n))).collect();
    assert_eq!(Sink::<OrderDocument>::batch_size(&account.hubspot, "order"), 100);
    let before = account.state().await["requests"].as_u64().unwrap();
    for step in 0..2 {
        assert!(account.batch(&orders, step).await.iter().all(Result::is_ok));
    }
    assert_eq!(account.state().await["requests"].as_u64().unwrap() - before, 2);
}
