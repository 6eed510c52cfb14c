//! What HubSpot's limits and refusals become.

use std::time::Duration;

use serde_json::json;
use waybill_connector::{Failure, Known, sink::Check};
use waybill_domain::{Kind, Personal, document::CustomerDocument};
use waybill_simulator::hubspot::{ALL_SCOPES, Settings};

use crate::account::{Account, WINDOW, connector, order, person, recognised_order, record};

async fn limited(account: &Account, requests: usize) {
    let limit = json!({"requests": requests, "window_ms": WINDOW.as_millis()});
    account.call(reqwest::Method::PUT, "/_control/limit", Some(limit)).await;
}

#[tokio::test]
async fn the_rolling_limit_waits_its_window() {
    let account = Account::ready().await;
    limited(&account, 0).await;
    let failure = account.batch(&[(record(Kind::Customer, 1), person(1))], 0).await.remove(0);
    assert_eq!(failure, Err(Failure::RateLimited { retry_after: WINDOW }));
    assert_eq!(account.state().await["refused_by_limit"], 1);
}

#[tokio::test]
async fn after_a_limit_the_rest_of_a_batch_is_not_sent() {
    let account = Account::ready().await;
    let keyed = |n| CustomerDocument { email: Personal::new(""), ..person(n) };
    // By e-mail and by key: two calls.
    let people = [(record(Kind::Customer, 1), person(1)), (record(Kind::Customer, 2), keyed(2))];
    limited(&account, 0).await;
    let outcomes = account.batch(&people, 0).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Failure::RateLimited { .. }))), "{outcomes:?}");
    assert_eq!(account.state().await["refused_by_limit"], 1);
}

#[tokio::test]
async fn the_limit_of_searches_waits_a_second() {
    let settings = Settings { searches_per_second: 0, ..Settings::default() };
    let account = Account::ready_with(settings).await;
    let orders = [1, 2].map(|n| (record(Kind::Order, n), recognised_order(n)));
    for outcome in account.batch(&orders, 1).await {
        assert_eq!(outcome, Err(Failure::RateLimited { retry_after: Duration::from_secs(1) }));
    }
    assert_eq!(account.state().await["refused_by_limit"], 1);
}

#[tokio::test]
async fn a_value_that_no_search_takes_is_refused_without_repeating_it() {
    let account = Account::indexed().await;
    let mut orders = [1, 2].map(|n| (record(Kind::Order, n), recognised_order(n)));
    let secret = "secret ".repeat(500);
    orders[0].1.policy.matching[0].value = Personal::new(secret);
    let outcomes = account.batch(&orders, 1).await;
    let Err(Failure::Rejected { code, message, .. }) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(code, "VALIDATION_ERROR");
    assert!(!message.contains("secret"), "{message}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
}

#[tokio::test]
async fn the_daily_limit_waits_minutes() {
    let account = Account::bare(Settings { daily: 0, ..Settings::default() }).await;
    let failure = account.hubspot.check().await;
    assert_eq!(failure, Err(Failure::RateLimited { retry_after: Duration::from_secs(300) }));
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let account = Account::ready().await;
    let hubspot = connector(&account.running.url(), "pat-other");
    assert!(matches!(hubspot.check().await, Err(Failure::Unauthorized { .. })));
}

#[tokio::test]
async fn a_right_token_passes_the_check() {
    assert_eq!(Account::ready().await.hubspot.check().await, Ok(()));
}

#[tokio::test]
async fn a_missing_scope_is_unauthorized_and_named() {
    let scopes = ALL_SCOPES.iter().filter(|scope| **scope != "crm.objects.orders.write");
    let settings = Settings { scopes: scopes.map(|&scope| scope.to_owned()).collect(), ..Settings::default() };
    let account = Account::bare(settings).await;
    let failure = account.hubspot.setup(&[]).await.unwrap_err();
    assert_eq!(
        failure,
        Failure::Unauthorized {
            message: "HTTP 403: MISSING_SCOPES: the token needs the scope crm.objects.orders.write".to_owned()
        }
    );
}

#[tokio::test]
async fn no_failure_repeats_a_persons_values() {
    let account = Account::ready().await;
    let mut document = order(1);
    let mut buyer = person(1);
    buyer.fields.insert("lifecyclestage".to_owned(), crate::account::field("Number1 of Secret Street"));
    document.customer = Some(buyer);
    let failure = account.deliver(&record(Kind::Order, 1), &document, Known::new()).await.unwrap_err();
    let Failure::Rejected { code, field, message } = failure else { panic!("{failure:?}") };
    assert_eq!((code.as_str(), field.as_str()), ("INVALID_OPTION", "lifecyclestage"));
    assert!(!message.contains("Secret") && !message.contains("person1"), "{message}");
}
