//! Who becomes which contact.

use serde_json::json;
use waybill_connector::{Failure, Known};
use waybill_domain::{Kind, Personal, document::CustomerDocument};

use crate::account::{Account, create, field, person, property, record};

fn without_email(n: usize) -> CustomerDocument {
    CustomerDocument { email: Personal::new(""), ..person(n) }
}

fn with_email(document: CustomerDocument, email: &str) -> CustomerDocument {
    CustomerDocument { email: Personal::new(email), ..document }
}

async fn emails(account: &Account) -> Vec<String> {
    account.all("contacts", "email").await.iter().map(|contact| property(contact, "email")).collect()
}

#[tokio::test]
async fn a_contact_that_was_there_is_adopted_by_its_email() {
    let account = Account::ready().await;
    let made = account
        .post("/crm/objects/2026-03/contacts", create(json!({"email": "person1@example.com", "jobtitle": "Owner"})))
        .await;
    let known = account.deliver(&record(Kind::Customer, 1), &person(1), Known::new()).await.unwrap();
    assert_eq!(known["customer"], made["id"].as_str().unwrap());
    let contacts = account.all("contacts", "jobtitle,firstname,waybill_key").await;
    assert_eq!(contacts.len(), 1);
    assert_eq!(property(&contacts[0], "jobtitle"), "Owner", "what a colleague wrote stays");
    assert_eq!(property(&contacts[0], "waybill_key"), person(1).key.as_str());
}

#[tokio::test]
async fn a_changed_email_stays_one_contact() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &person(1), Known::new()).await.unwrap();
    account.deliver(&at, &with_email(person(1), "new@example.com"), known).await.unwrap();
    assert_eq!(emails(&account).await, ["new@example.com"]);
}

#[tokio::test]
async fn a_changed_email_stays_one_contact_even_if_its_id_is_not_known() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    account.deliver(&at, &person(1), Known::new()).await.unwrap();
    account.deliver(&at, &with_email(person(1), "new@example.com"), Known::new()).await.unwrap();
    assert_eq!(emails(&account).await, ["new@example.com"]);
}

#[tokio::test]
async fn a_person_without_email_is_one_contact_and_gets_the_email_later() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    for _ in 0..2 {
        account.deliver(&at, &without_email(1), Known::new()).await.unwrap();
    }
    assert_eq!(emails(&account).await, [""]);
    account.deliver(&at, &person(1), Known::new()).await.unwrap();
    assert_eq!(emails(&account).await, ["person1@example.com"]);
}

#[tokio::test]
async fn an_email_that_two_contacts_claim_is_for_a_person_to_settle() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &person(1), Known::new()).await.unwrap();
    account.post("/crm/objects/2026-03/contacts", create(json!({"email": "other@example.com"}))).await;
    let refused = account.deliver(&at, &with_email(person(1), "other@example.com"), known).await;
    let Err(Failure::Rejected { code, field, message }) = refused else { panic!("{refused:?}") };
    assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "email"));
    assert!(message.contains("merge the two records") && !message.contains("example.com"), "{message}");
}

#[tokio::test]
async fn a_contact_that_a_colleague_deleted_is_made_again() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &person(1), Known::new()).await.unwrap();
    account.call(reqwest::Method::DELETE, &format!("/crm/objects/2026-03/contacts/{}", known["customer"]), None).await;
    let again = account.deliver(&at, &person(1), known.clone()).await.unwrap();
    assert_ne!(again["customer"], known["customer"]);
    assert_eq!(emails(&account).await, ["person1@example.com"]);
}

#[tokio::test]
async fn a_contact_that_was_merged_away_is_followed_to_the_one_that_stayed() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &without_email(1), Known::new()).await.unwrap();
    let stays = account.post("/crm/objects/2026-03/contacts", create(json!({"email": "person1@example.com"}))).await;
    let merge = json!({"primaryObjectId": stays["id"], "objectIdToMerge": known["customer"]});
    account.post("/crm/objects/2026-03/contacts/merge", merge).await;
    let after = account.deliver(&at, &person(1), known).await.unwrap();
    assert_eq!(after["customer"], stays["id"].as_str().unwrap());
    assert_eq!(account.state().await["contacts"], 1);
}

#[tokio::test]
async fn one_bad_email_among_a_hundred_costs_few_requests_and_hurts_nobody() {
    let account = Account::ready().await;
    let mut people: Vec<_> = (0..100).map(|n| (record(Kind::Customer, n), person(n))).collect();
    people[37].1 = with_email(person(37), "person37@example.con");
    let before = account.state().await["requests"].as_u64().unwrap();
    let outcomes = account.batch(&people, 0).await;
    let sent = account.state().await["requests"].as_u64().unwrap() - before;
    for (n, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Err(Failure::Rejected { code, field, message }) if n == 37 => {
                assert_eq!((code.as_str(), field.as_str()), ("invalid_email", "email"));
                assert!(!message.contains("person37"), "{message}");
            }
            outcome => assert!(outcome.is_ok() && n != 37, "person {n}: {outcome:?}"),
        }
    }
    assert!(sent <= 3, "{sent} requests");
    assert_eq!(account.state().await["contacts"], 99);
}

#[tokio::test]
async fn a_property_that_is_not_there_is_asked_for_once() {
    let account = Account::ready().await;
    let people: Vec<_> = (0..100)
        .map(|n| {
            let mut person = person(n);
            person.fields.insert("colour".to_owned(), field("red"));
            (record(Kind::Customer, n), person)
        })
        .collect();
    let before = account.state().await["requests"].as_u64().unwrap();
    for outcome in account.batch(&people, 0).await {
        let Err(Failure::Rejected { code, field, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((code.as_str(), field.as_str()), ("PROPERTY_DOESNT_EXIST", "colour"));
    }
    assert_eq!(account.state().await["requests"].as_u64().unwrap() - before, 1);
}

#[tokio::test]
async fn the_same_person_twice_in_a_batch_ends_with_the_later_values() {
    let account = Account::ready().await;
    let mut later = person(1);
    later.fields.insert("firstname".to_owned(), field("Joanna"));
    let at = record(Kind::Customer, 1);
    let outcomes = account.batch(&[(at.clone(), person(1)), (at.clone(), person(1)), (at, later)], 0).await;
    assert!(outcomes.iter().all(Result::is_ok) && outcomes[0] == outcomes[2], "{outcomes:?}");
    let contacts = account.all("contacts", "firstname").await;
    assert_eq!(contacts.iter().map(|contact| property(contact, "firstname")).collect::<Vec<_>>(), ["Joanna"]);
}
