//! How webhooks are sent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{customer, data, header, paid_order, store};
use crate::shopify::{DeliverySettings, EmailConsent, NewCustomer, RETRIES, Settings, Shares, Store, signature};

/// A request that arrived.
struct Arrived {
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone)]
struct Shelf {
    arrived: mpsc::UnboundedSender<Arrived>,
    /// What the next requests are answered; 200 after that.
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

/// A receiver that gives the listed answers first, and then 200.
async fn receiver(mut answers: Vec<StatusCode>) -> (String, mpsc::UnboundedReceiver<Arrived>) {
    answers.reverse();
    let (arrived, shelf) = mpsc::unbounded_channel();
    let state = Shelf { arrived, answers: Arc::new(Mutex::new(answers)) };
    let take = |State(shelf): State<Shelf>, headers: HeaderMap, body: Bytes| async move {
        let answer = shelf.answers.lock().unwrap().pop().unwrap_or(StatusCode::OK);
        shelf.arrived.send(Arrived { headers, body }).unwrap();
        let to = if answer.is_redirection() { "/elsewhere" } else { "" };
        (answer, [("location", to)])
    };
    let router = Router::new().route("/webhooks/main", post(take)).with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/main", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, shelf)
}

async fn next(shelf: &mut mpsc::UnboundedReceiver<Arrived>) -> Arrived {
    tokio::time::timeout(Duration::from_secs(20), shelf.recv()).await.expect("a webhook arrives").unwrap()
}

fn sending_to(url: &str, deliveries: DeliverySettings) -> Store {
    let retry_window = Duration::from_millis(50);
    let deliveries = DeliverySettings { retry_window, ..deliveries };
    Store::new(Settings { webhooks_to: Some(url.to_owned()), deliveries, ..Settings::default() })
}

/// Waits until no delivery is open.
async fn settled(store: &Store) {
    let settled = async {
        while store.deliveries().pending > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled).await.expect("deliveries settle");
}

#[tokio::test]
async fn an_order_is_told_in_signed_webhooks_with_one_event_id() {
    let (url, mut shelf) = receiver(Vec::new()).await;
    let store = sending_to(&url, DeliverySettings::default());
    let id = store.place(paid_order());
    let mut topics = Vec::new();
    let mut events = Vec::new();
    for _ in 0..5 {
        let arrived = next(&mut shelf).await;
        let headers = &arrived.headers;
        assert_eq!(header(headers, "x-shopify-hmac-sha256"), signature("simulated-webhook-secret", &arrived.body));
        assert_eq!(header(headers, "x-shopify-shop-domain"), "waldgang-main.myshopify.com");
        assert_eq!(header(headers, "x-shopify-api-version"), "2026-07");
        assert_eq!(header(headers, "x-shopify-webhook-id").len(), 36);
        assert!(header(headers, "x-shopify-triggered-at").parse::<jiff::Timestamp>().is_ok());
        let body: Value = serde_json::from_slice(&arrived.body).unwrap();
        let topic = header(headers, "x-shopify-topic").to_owned();
        if topic.starts_with("orders/") {
            assert_eq!(body["id"], id);
        }
        topics.push(topic);
        events.push(header(headers, "x-shopify-event-id").to_owned());
    }
    topics.sort();
    let stock = "inventory_levels/update";
    assert_eq!(topics, [stock, stock, "orders/create", "orders/paid", "orders/updated"]);
    assert!(events.windows(2).all(|pair| pair[0] == pair[1]), "{events:?}");
}

#[tokio::test]
async fn a_change_of_consent_is_told_by_a_topic_of_its_own() {
    let (url, mut shelf) = receiver(Vec::new()).await;
    let store = sending_to(&url, DeliverySettings::default());
    let id = store.add_customer(customer());
    assert_eq!(header(&next(&mut shelf).await.headers, "x-shopify-topic"), "customers/create");
    store.set_email_consent(id, EmailConsent::Subscribed);
    let told = next(&mut shelf).await;
    assert_eq!(header(&told.headers, "x-shopify-topic"), "customers_email_marketing_consent/update");
    let body: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!((&body["customer_id"], &body["email_address"]), (&json!(id), &json!("jo@example.com")));
    assert_eq!(body["email_marketing_consent"]["state"], "subscribed");
    // What is so already is no change, and whoever has no address has nothing to consent to.
    store.set_email_consent(id, EmailConsent::Subscribed);
    let without = store.add_customer(NewCustomer::default());
    store.set_email_consent(without, EmailConsent::Subscribed);
    settled(&store).await;
    assert_eq!(header(&next(&mut shelf).await.headers, "x-shopify-topic"), "customers/create");
    assert!(shelf.try_recv().is_err());
}

#[tokio::test]
async fn a_subscription_to_changes_of_consent_is_taken_and_told() {
    let store = store();
    let query = "mutation { webhookSubscriptionCreate(topic: CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE,
        webhookSubscription: {uri: \"https://127.0.0.1:1/hook\"}) { webhookSubscription { topic }
        userErrors { message } } }";
    let answer = data(&store, query, Value::Null).await;
    let topic = &answer["webhookSubscriptionCreate"]["webhookSubscription"]["topic"];
    assert_eq!(topic, "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE");
    let id = store.add_customer(customer());
    store.set_email_consent(id, EmailConsent::Unsubscribed);
    assert_eq!(store.deliveries().events, 1);
}

#[tokio::test]
async fn anything_but_2xx_is_tried_again_with_the_original_body_and_id() {
    let refusals = vec![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::FOUND, StatusCode::NOT_FOUND];
    let (url, mut shelf) = receiver(refusals).await;
    let store = sending_to(&url, DeliverySettings::default());
    store.tag_product("MUG-300", "one");
    let first = next(&mut shelf).await;
    // The record moves on; what was to be told does not.
    let product = store.state().variant(|variant| variant.sku.as_deref() == Some("MUG-300")).unwrap().0.id;
    store.state().product_mut(product).unwrap().title = "Another title".into();
    for _ in 0..3 {
        let again = next(&mut shelf).await;
        assert_eq!(again.body, first.body);
        assert_eq!(header(&again.headers, "x-shopify-webhook-id"), header(&first.headers, "x-shopify-webhook-id"));
    }
    settled(&store).await;
    let counts = store.deliveries();
    assert_eq!((counts.delivered, counts.failed, counts.refused_requests), (1, 0, 3));
}

#[tokio::test]
async fn a_delivery_is_given_up_after_eight_retries() {
    let (url, mut shelf) = receiver(vec![StatusCode::BAD_GATEWAY; 100]).await;
    let store = sending_to(&url, DeliverySettings::default());
    store.tag_product("MUG-300", "one");
    settled(&store).await;
    let mut requests = 0;
    while shelf.try_recv().is_ok() {
        requests += 1;
    }
    assert_eq!(requests, 1 + RETRIES);
    assert_eq!((store.deliveries().delivered, store.deliveries().failed), (0, 1));
}

#[tokio::test]
async fn a_duplicate_has_the_same_webhook_id() {
    let (url, mut shelf) = receiver(Vec::new()).await;
    let store = sending_to(&url, DeliverySettings { duplicates_per_mille: 1000, ..DeliverySettings::default() });
    store.tag_product("MUG-300", "one");
    let (first, second) = (next(&mut shelf).await, next(&mut shelf).await);
    assert_eq!(header(&first.headers, "x-shopify-webhook-id"), header(&second.headers, "x-shopify-webhook-id"));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_dropped_delivery_never_comes_and_is_counted() {
    let (url, mut shelf) = receiver(Vec::new()).await;
    let store = sending_to(&url, DeliverySettings { dropped_per_mille: 1000, ..DeliverySettings::default() });
    store.tag_product("MUG-300", "one");
    settled(&store).await;
    assert!(shelf.try_recv().is_err());
    assert_eq!(store.deliveries().dropped, 1);
}

#[tokio::test]
async fn what_becomes_of_webhooks_can_be_changed_while_the_store_runs() {
    let (url, mut shelf) = receiver(vec![]).await;
    let store = sending_to(&url, DeliverySettings::default());
    store.set_shares(Shares { dropped_per_mille: Some(1000), ..Shares::default() });
    store.add_customer(customer());
    assert_eq!(store.deliveries().dropped, 1);
    store.set_shares(Shares { duplicates_per_mille: Some(1000), ..Shares::default() });
    store.add_customer(customer());
    assert_eq!(store.deliveries().dropped, 2, "what is not given stays");
    store.set_shares(Shares { dropped_per_mille: Some(0), ..Shares::default() });
    store.add_customer(customer());
    assert_eq!(next(&mut shelf).await.body, next(&mut shelf).await.body);
}

#[tokio::test]
async fn a_late_delivery_comes_after_a_later_one() {
    let (url, mut shelf) = receiver(Vec::new()).await;
    let half =
        DeliverySettings { late_per_mille: 500, late_by: Duration::from_millis(300), ..DeliverySettings::default() };
    let store = sending_to(&url, half);
    for number in 0..40 {
        store.tag_product("MUG-300", &format!("tag-{number}"));
    }
    let mut lengths = Vec::new();
    for _ in 0..40 {
        lengths.push(next(&mut shelf).await.body.len());
    }
    // Each body is longer than the one before it, so a later one before an earlier one shows.
    assert!(lengths.windows(2).any(|pair| pair[0] > pair[1]), "{lengths:?}");
}

#[tokio::test]
async fn only_subscribed_topics_are_told_and_some_fields_only_if_wished() {
    // Shopify takes https addresses only, so the sent body is looked at where it is made.
    let store = store();
    let query = "mutation S($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
        webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) { webhookSubscription { id topic uri }
        userErrors { message } } }";
    let hook = json!({"uri": "https://127.0.0.1:1/hook", "includeFields": ["id", "name"]});
    let answer = data(&store, query, json!({"topic": "ORDERS_CREATE", "hook": hook})).await;
    assert_eq!(answer["webhookSubscriptionCreate"]["webhookSubscription"]["topic"], "ORDERS_CREATE");
    store.place(paid_order());
    assert_eq!(store.deliveries().events, 1);
}

#[tokio::test]
async fn a_subscription_whose_delivery_is_given_up_is_deleted() {
    let deliveries = DeliverySettings { retry_window: Duration::from_millis(50), ..DeliverySettings::default() };
    let store = Store::new(Settings { deliveries, ..Settings::default() });
    let query = "mutation { webhookSubscriptionCreate(topic: PRODUCTS_UPDATE, webhookSubscription: {uri:
        \"https://127.0.0.1:1/hook\"}) { webhookSubscription { id } userErrors { message } } }";
    data(&store, query, Value::Null).await;
    store.tag_product("MUG-300", "one");
    settled(&store).await;
    store.tag_product("MUG-300", "two");
    let left = data(&store, "{ webhookSubscriptionsCount { count } }", Value::Null).await;
    assert_eq!(left["webhookSubscriptionsCount"]["count"], 0);
    assert_eq!(store.deliveries().events, 1);
}
