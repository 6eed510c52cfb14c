//! The simulated store as others hold it.

mod views;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    Settings,
    address::Address,
    bodies,
    bulk::BulkFailure,
    clock::Moment,
    deliveries::{Deliveries, DeliveryCounts, Shares},
    money::Pair,
    order::TransactionKind,
    placing::{NewLine, NewOrder},
    records::{Customer, EmailConsent},
    state::{About, State},
    throttle::Bucket,
};
use crate::kit::{Faults, Journal};

pub use views::{LineView, OrderView, SentOrder};

/// Every topic that this store tells.
pub const TOPICS: &[&str] = &[
    "customers/create",
    "customers/delete",
    "customers/update",
    "customers_email_marketing_consent/update",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_levels/update",
    "orders/cancelled",
    "orders/create",
    "orders/edited",
    "orders/fulfilled",
    "orders/paid",
    "orders/updated",
    "products/delete",
    "products/update",
    "refunds/create",
];

/// A person to be entered as a customer.
#[derive(Debug, Clone, Default)]
pub struct NewCustomer {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Whether the e-mail may be used for marketing.
    pub email_consent: EmailConsent,
    /// Phone.
    pub phone: Option<String>,
    /// The default address.
    pub address: Option<Address>,
    /// The merchant's labels.
    pub tags: Vec<String>,
}

/// A simulated store. Clones are the same store.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    state: Mutex<State>,
    pub(crate) deliveries: Deliveries,
    pub(crate) bucket: Mutex<Bucket>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    /// `host:port`, as the last request named it.
    host: Mutex<String>,
}

impl Store {
    /// A store with the catalogue's goods.
    pub fn new(settings: Settings) -> Self {
        let deliveries =
            Deliveries::new(settings.deliveries.clone(), &settings.webhook_secret, &settings.domain, settings.seed);
        Self(Arc::new(Inner {
            bucket: Mutex::new(Bucket::new(settings.bucket, settings.restore_rate)),
            state: Mutex::new(State::new(settings.ids_apart)),
            settings,
            deliveries,
            journal: Journal::new("shopify"),
            faults: Faults::default(),
            host: Mutex::default(),
        }))
    }

    /// What was accepted through the API.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// How webhook deliveries stand.
    pub fn deliveries(&self) -> DeliveryCounts {
        self.0.deliveries.counts()
    }

    /// What becomes of webhooks from now on: lost, told twice, told late.
    pub fn set_shares(&self, shares: Shares) {
        self.0.deliveries.set_shares(shares);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store and tells subscribers what happened. All topics of one change carry one event id.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        for given_up in self.0.deliveries.take_given_up() {
            state.subscriptions.remove(&given_up);
        }
        let result = act(&mut state);
        let events = std::mem::take(&mut state.events);
        let event_id = self.0.deliveries.event_id();
        for event in events {
            let by_setting = self.0.settings.webhooks_to.clone().map(|url| (url, None, Vec::new()));
            let by_api = state
                .subscriptions
                .values()
                .filter(|one| one.topic == event.topic)
                .map(|one| (one.uri.clone(), Some(one.id), one.include_fields.clone()));
            let destinations: Vec<_> = by_setting.into_iter().chain(by_api).collect();
            if destinations.is_empty() {
                continue;
            }
            let Some(body) = bodies::of(&state, &event.about) else { continue };
            let whole = Bytes::from(bodies::text(&body));
            let destinations = destinations.into_iter().map(|(url, subscription, fields)| {
                let body = if fields.is_empty() { whole.clone() } else { some_fields(&body, &fields) };
                (url, subscription, body)
            });
            self.0.deliveries.send(event.topic, &event_id, destinations);
        }
        result
    }

    /// Enters a customer and returns the id.
    pub fn add_customer(&self, new: NewCustomer) -> u64 {
        self.change(|state| {
            let (id, now) = (state.ids.next("Customer"), Moment::now());
            let address = new.address.map(|address| (state.ids.next("MailingAddress"), address));
            let customer = Customer {
                id,
                created_at: now,
                updated_at: now,
                first_name: new.first_name,
                last_name: new.last_name,
                email: new.email,
                email_consent: new.email_consent,
                email_consent_at: None,
                phone: new.phone,
                verified_email: true,
                state: "disabled",
                note: None,
                tax_exempt: false,
                tags: new.tags,
                addresses: address.into_iter().collect(),
                metafields: Vec::new(),
            };
            state.customers.insert(id, Arc::new(customer));
            state.tell("customers/create", About::Customer(id));
            id
        })
    }

    /// Changes a customer's name and phone, where given.
    pub fn update_customer(&self, id: u64, last_name: Option<&str>, phone: Option<&str>) {
        self.change(|state| {
            let Some(customer) = state.customer_mut(id) else { return };
            if let Some(last_name) = last_name {
                customer.last_name = Some(last_name.to_owned());
            }
            if let Some(phone) = phone {
                customer.phone = Some(phone.to_owned());
            }
            state.tell("customers/update", About::Customer(id));
        });
    }

    /// A customer gives or takes back the consent to marketing by e-mail. Without an e-mail there is none to be given;
    /// what is so already is no change.
    pub fn set_email_consent(&self, id: u64, consent: EmailConsent) {
        self.change(|state| {
            let changes = |customer: &Arc<Customer>| customer.email.is_some() && customer.email_consent != consent;
            if !state.customers.get(&id).is_some_and(changes) {
                return;
            }
            let Some(customer) = state.customer_mut(id) else { return };
            customer.email_consent = consent;
            customer.email_consent_at = Some(customer.updated_at);
            state.tell("customers_email_marketing_consent/update", About::Consent(id));
        });
    }

    /// Deletes a customer.
    pub fn delete_customer(&self, id: u64) {
        self.change(|state| {
            if state.customers.remove(&id).is_some() {
                state.tell("customers/delete", About::Deleted(id));
            }
        });
    }

    /// Deletes a product.
    pub fn delete_product(&self, id: u64) {
        self.change(|state| {
            if state.products.remove(&id).is_some() {
                state.tell("products/delete", About::Deleted(id));
            }
        });
    }

    /// Gives a product another label.
    pub fn tag_product(&self, sku: &str, tag: &str) {
        self.change(|state| {
            let found = state.variant(|variant| variant.sku.as_deref() == Some(sku)).map(|(product, _)| product.id);
            let Some(product) = found.and_then(|id| state.product_mut(id)) else { return };
            product.tags.push(tag.to_owned());
            let id = product.id;
            state.tell("products/update", About::Product(id));
        });
    }

    /// Somebody changes the price of every variant with a SKU by hand.
    pub fn set_price(&self, sku: &str, price: Decimal) {
        self.change(|state| {
            let of_sku = |product: &Arc<super::records::Product>| {
                product.variants.iter().any(|variant| variant.sku.as_deref() == Some(sku)).then_some(product.id)
            };
            let products: Vec<u64> = state.products.values().filter_map(of_sku).collect();
            for id in products {
                let Some(product) = state.product_mut(id) else { continue };
                let theirs = product.variants.iter_mut().filter(|variant| variant.sku.as_deref() == Some(sku));
                theirs.for_each(|variant| variant.price = price);
                state.tell("products/update", About::Product(id));
            }
        });
    }

    /// What each SKU costs; of a SKU that several variants have, each price once.
    pub fn prices(&self) -> Vec<(String, Decimal)> {
        let state = self.state();
        let variants = state.products.values().flat_map(|product| product.variants.iter());
        let mut prices: Vec<_> = variants.filter_map(|one| Some((one.sku.clone()?, one.price))).collect();
        prices.sort();
        prices.dedup();
        prices
    }

    /// Places an order and returns its id.
    pub fn place(&self, order: NewOrder) -> u64 {
        self.change(|state| state.place(order))
    }

    /// Places an order at a time that is past, and tells nobody; returns its id.
    pub fn place_quietly(&self, order: NewOrder, at: jiff::Timestamp) -> u64 {
        let mut state = self.state();
        let id = state.place(order);
        state.events.clear();
        if let Some(order) = state.orders.get_mut(&id).map(Arc::make_mut) {
            (order.created_at, order.updated_at) = (Moment::at(at), Moment::at(at));
        }
        id
    }

    /// Takes reserved money.
    pub fn capture(&self, order: u64) {
        self.change(|state| state.pay(order, TransactionKind::Capture));
    }

    /// The buyer pays what is still open.
    pub fn pay(&self, order: u64) {
        self.change(|state| state.pay(order, TransactionKind::Sale));
    }

    /// Takes units off lines and adds lines.
    pub fn edit(&self, order: u64, removals: &[(u64, i64)], additions: Vec<NewLine>) {
        self.change(|state| state.edit(order, removals, additions));
    }

    /// Cancels an order that was not sent, in one step with what goes back. `paid_first` takes reserved money before,
    /// so that the order is paid, cancelled and refunded at once.
    pub fn cancel(&self, order: u64, reason: &'static str, paid_first: bool) {
        self.change(|state| {
            if paid_first {
                state.pay(order, TransactionKind::Capture);
            }
            state.cancel(order, reason);
        });
    }

    pub(crate) fn reached_at(&self, host: &str) {
        host.clone_into(&mut self.0.host.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Where a bulk operation's file is. Shopify's are at another host and carry a signature.
    pub(crate) fn file_url(&self, name: &str) -> String {
        let host = self.0.host.lock().unwrap_or_else(PoisonError::into_inner);
        format!("http://{host}{}/{name}?Signature=simulated", super::bulk_files::PATH)
    }

    /// The next bulk operation fails so.
    pub fn fail_next_bulk(&self, failure: BulkFailure) {
        self.state().bulk_failure = Some(failure);
    }

    /// Spends the points that may be spent now, as the app's other work may.
    pub fn spend_all(&self) {
        self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner).charge(u64::MAX);
    }

    /// How many topics are subscribed to at an address.
    pub fn subscribed(&self, uri: &str) -> usize {
        self.state().subscriptions.values().filter(|one| one.uri == uri).count()
    }

    /// Deletes the subscriptions to a topic, as Shopify does where deliveries keep failing.
    pub fn unsubscribe(&self, topic: &str) {
        self.state().subscriptions.retain(|_, one| one.topic != topic);
    }

    /// What the buyer still owes (negative: is owed), in the shop's currency.
    pub fn outstanding(&self, order: u64) -> Decimal {
        self.state().orders.get(&order).map_or(Pair::default(), |order| order.outstanding()).shop
    }
}

fn some_fields(body: &Value, fields: &[String]) -> Bytes {
    let some: serde_json::Map<String, Value> = body
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| fields.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Bytes::from(bodies::text(&Value::Object(some)))
}
