//! Sending webhooks as Shopify does.
//!
//! Five seconds for an answer, one of them to connect; anything but 2xx is a failure, redirects too; eight retries over
//! four hours with the original body; no order is promised. Source: shopify.dev, "Deliver webhooks through HTTPS" and
//! the changelog on the retry mechanism. The length of the four hours, duplicates, late and lost ones can be set.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::Semaphore;

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct DeliverySettings {
    /// The time in which all retries fall; Shopify's is four hours.
    pub retry_window: Duration,
    /// Of a thousand events, so many are delivered twice, with the same webhook id.
    pub duplicates_per_mille: u32,
    /// Of a thousand events, so many are delivered late, after events that came later.
    pub late_per_mille: u32,
    /// How late a late one is, at most.
    pub late_by: Duration,
    /// Of a thousand events, so many are never delivered.
    pub dropped_per_mille: u32,
    /// Requests at once.
    pub at_once: usize,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            retry_window: Duration::from_secs(4 * 3600),
            duplicates_per_mille: 0,
            late_per_mille: 0,
            late_by: Duration::from_secs(2),
            dropped_per_mille: 0,
            at_once: 32,
        }
    }
}

/// What becomes of webhooks from now on, where it is given: shares of a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Never delivered.
    pub dropped_per_mille: Option<u32>,
    /// Delivered twice.
    pub duplicates_per_mille: Option<u32>,
    /// Delivered after events that came later.
    pub late_per_mille: Option<u32>,
}

/// How many retries follow a first failed delivery.
pub const RETRIES: u32 = 8;

const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(5);

/// How deliveries stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DeliveryCounts {
    /// Events for which a subscription exists, each subscription counted.
    pub events: u64,
    /// Answered with 2xx, duplicates not counted.
    pub delivered: u64,
    /// Given up after all retries.
    pub failed: u64,
    /// Neither yet.
    pub pending: u64,
    /// Never sent, as set.
    pub dropped: u64,
    /// Sent a second time, as set.
    pub duplicated: u64,
    /// Sent after events that came later, as set.
    pub late: u64,
    /// Requests that were not answered with 2xx.
    pub refused_requests: u64,
}

#[derive(Debug, Default)]
struct Counters {
    events: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    duplicated: AtomicU64,
    late: AtomicU64,
    refused: AtomicU64,
}

/// One event for one subscription.
#[derive(Debug, Clone)]
struct Delivery {
    webhook_id: String,
    event_id: String,
    topic: &'static str,
    triggered_at: String,
    body: Bytes,
    url: String,
    subscription: Option<u64>,
}

/// The sender of one store. Clones are the same sender.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries(Arc<Sender>);

#[derive(Debug)]
struct Sender {
    settings: DeliverySettings,
    shares: Mutex<Shares>,
    secret: String,
    domain: String,
    client: reqwest::Client,
    places: Semaphore,
    counters: Counters,
    rng: Mutex<fastrand::Rng>,
    /// Subscriptions whose deliveries were given up; Shopify deletes those.
    given_up: Mutex<BTreeSet<u64>>,
}

/// The signature of a raw body, as in `X-Shopify-Hmac-Sha256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A random identifier in the form of a version 4 UUID.
pub(crate) fn uuid(rng: &mut fastrand::Rng) -> String {
    let bits = rng.u128(..);
    let bits = bits & !(0xf << 76) & !(0xc << 60) | (0x4 << 76) | (0x8 << 60);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl Deliveries {
    pub(crate) fn new(settings: DeliverySettings, secret: &str, domain: &str, seed: u64) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent("Shopify-Captain-Hook")
            .build()
            .expect("a client without certificates of its own can be built");
        Self(Arc::new(Sender {
            places: Semaphore::new(settings.at_once),
            shares: Mutex::new(Shares {
                dropped_per_mille: Some(settings.dropped_per_mille),
                duplicates_per_mille: Some(settings.duplicates_per_mille),
                late_per_mille: Some(settings.late_per_mille),
            }),
            settings,
            secret: secret.to_owned(),
            domain: domain.to_owned(),
            client,
            counters: Counters::default(),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            given_up: Mutex::default(),
        }))
    }

    /// A new event id: one for all topics of one action.
    pub(crate) fn event_id(&self) -> String {
        uuid(&mut self.0.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a body to each destination, in the background. Needs a Tokio runtime.
    pub(crate) fn send(
        &self,
        topic: &'static str,
        event_id: &str,
        destinations: impl Iterator<Item = (String, Option<u64>, Bytes)>,
    ) {
        let sender = &self.0;
        for (url, subscription, body) in destinations {
            sender.counters.events.fetch_add(1, Ordering::SeqCst);
            let (webhook_id, dropped, duplicated, late) = {
                let mut rng = sender.rng.lock().unwrap_or_else(PoisonError::into_inner);
                let mut lot = |per_mille: Option<u32>| rng.u32(..1000) < per_mille.unwrap_or_default();
                let shares = *sender.shares.lock().unwrap_or_else(PoisonError::into_inner);
                let dropped = lot(shares.dropped_per_mille);
                let duplicated = lot(shares.duplicates_per_mille);
                let late = lot(shares.late_per_mille);
                let late = if late { sender.settings.late_by.mul_f64(rng.f64()) } else { Duration::ZERO };
                (uuid(&mut rng), dropped, duplicated, late)
            };
            if dropped {
                sender.counters.dropped.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let delivery = Delivery {
                webhook_id,
                event_id: event_id.to_owned(),
                topic,
                triggered_at: super::clock::precise_now(),
                body,
                url,
                subscription,
            };
            tokio::spawn(sender.clone().deliver(delivery, late, duplicated));
        }
    }

    /// What becomes of webhooks from now on.
    pub(crate) fn set_shares(&self, new: Shares) {
        let mut shares = self.0.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.dropped_per_mille = new.dropped_per_mille.or(shares.dropped_per_mille);
        shares.duplicates_per_mille = new.duplicates_per_mille.or(shares.duplicates_per_mille);
        shares.late_per_mille = new.late_per_mille.or(shares.late_per_mille);
    }

    /// How deliveries stand.
    pub(crate) fn counts(&self) -> DeliveryCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let counters = &self.0.counters;
        let (delivered, failed, dropped) = (get(&counters.delivered), get(&counters.failed), get(&counters.dropped));
        let events = get(&counters.events);
        DeliveryCounts {
            events,
            delivered,
            failed,
            pending: events.saturating_sub(delivered + failed + dropped),
            dropped,
            duplicated: get(&counters.duplicated),
            late: get(&counters.late),
            refused_requests: get(&counters.refused),
        }
    }

    /// Subscriptions to be deleted: all retries of a delivery failed.
    pub(crate) fn take_given_up(&self) -> BTreeSet<u64> {
        std::mem::take(&mut self.0.given_up.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long to wait before a retry: each wait twice the one before, all together the window.
fn wait_before(retry: u32, window: Duration) -> Duration {
    window.mul_f64(f64::from(1_u32 << (retry - 1)) / f64::from((1_u32 << RETRIES) - 1))
}

impl Sender {
    async fn deliver(self: Arc<Self>, delivery: Delivery, late: Duration, duplicated: bool) {
        if !late.is_zero() {
            tokio::time::sleep(late).await;
            self.counters.late.fetch_add(1, Ordering::SeqCst);
        }
        let mut delivered = self.post(&delivery).await;
        if duplicated {
            self.counters.duplicated.fetch_add(1, Ordering::SeqCst);
            self.post(&delivery).await;
        }
        for retry in 1..=RETRIES {
            if delivered {
                break;
            }
            tokio::time::sleep(wait_before(retry, self.settings.retry_window)).await;
            delivered = self.post(&delivery).await;
        }
        if delivered {
            self.counters.delivered.fetch_add(1, Ordering::SeqCst);
        } else {
            self.counters.failed.fetch_add(1, Ordering::SeqCst);
            tracing::warn!(topic = delivery.topic, webhook_id = delivery.webhook_id, "delivery given up");
            if let Some(subscription) = delivery.subscription {
                self.given_up.lock().unwrap_or_else(PoisonError::into_inner).insert(subscription);
            }
        }
    }

    async fn post(&self, delivery: &Delivery) -> bool {
        let Ok(_place) = self.places.acquire().await else { return false };
        let answer = self
            .client
            .post(&delivery.url)
            .header("Content-Type", "application/json")
            .header("X-Shopify-Topic", delivery.topic)
            .header("X-Shopify-Hmac-Sha256", signature(&self.secret, &delivery.body))
            .header("X-Shopify-Shop-Domain", &self.domain)
            .header("X-Shopify-API-Version", super::API_VERSION)
            .header("X-Shopify-Webhook-Id", &delivery.webhook_id)
            .header("X-Shopify-Event-Id", &delivery.event_id)
            .header("X-Shopify-Triggered-At", &delivery.triggered_at)
            .body(delivery.body.clone())
            .send()
            .await;
        let delivered = answer.is_ok_and(|answer| answer.status().is_success());
        if !delivered {
            self.counters.refused.fetch_add(1, Ordering::SeqCst);
        }
        delivered
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RETRIES, signature, uuid, wait_before};

    #[test]
    fn the_retries_fill_the_window() {
        let window = Duration::from_secs(4 * 3600);
        let sum: Duration = (1..=RETRIES).map(|retry| wait_before(retry, window)).sum();
        assert!(sum.abs_diff(window) < Duration::from_millis(1), "{sum:?}");
    }

    #[test]
    fn the_signature_is_that_of_a_known_body() {
        // RFC 4231, test case 2.
        let expected = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn identifiers_have_the_form_of_a_version_4_uuid() {
        let id = uuid(&mut fastrand::Rng::with_seed(7));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }
}
