//! All that the store knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    address::Address,
    bulk::{BulkFailure, BulkOperation},
    clock::Moment,
    order::Order,
    records::{Customer, Level, Location, Product, Subscription, Variant},
};
use crate::catalogue::{self, Item, ItemKind};

/// A change that is told to subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) topic: &'static str,
    pub(crate) about: About,
}

/// Whose body an event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    Order(u64),
    Customer(u64),
    /// A customer's consent to marketing by e-mail.
    Consent(u64),
    Product(u64),
    Level(u64, u64),
    /// Order and refund.
    Refund(u64, u64),
    /// Order and fulfilment.
    Fulfillment(u64, u64),
    /// What is gone: its id is all that is told.
    Deleted(u64),
    /// A body of its own: an order's edit.
    Edit(Value),
}

/// Numbers that only grow, one row for each kind of record.
///
/// They are as large as Shopify's; those of line items are beyond 2^53, where a floating-point number would lose digits.
#[derive(Debug)]
pub(crate) struct Ids {
    last: HashMap<&'static str, u64>,
    apart: u64,
}

impl Ids {
    fn new(apart: u64) -> Self {
        let first = [
            ("Order", 6_108_220_031_100),
            ("LineItem", 18_014_398_509_482_001),
            ("Customer", 7_300_155_120_400),
            ("Product", 8_800_410_020_300),
            ("ProductVariant", 46_800_905_010_500),
            ("InventoryItem", 48_900_117_030_700),
            ("Location", 71_300_820_110),
        ];
        Self { last: first.into_iter().map(|(kind, last)| (kind, last + apart)).collect(), apart }
    }

    /// The next number of a kind.
    pub(crate) fn next(&mut self, kind: &'static str) -> u64 {
        let last = self.last.entry(kind).or_insert(5_500_000_000_000 + self.apart);
        *last += 1;
        *last
    }
}

/// A remembered answer to a keyed mutation.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    /// Which mutation, with which parameters.
    pub(crate) parameters: Value,
    /// What was set in motion, to be answered again.
    pub(crate) outcome: super::stock::SetOutcome,
}

/// All that the store knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ids: Ids,
    pub(crate) opened_at: Moment,
    pub(crate) next_order_number: u64,
    pub(crate) orders: BTreeMap<u64, Arc<Order>>,
    pub(crate) customers: BTreeMap<u64, Arc<Customer>>,
    pub(crate) products: BTreeMap<u64, Arc<Product>>,
    pub(crate) locations: BTreeMap<u64, Arc<Location>>,
    /// By inventory item and location.
    pub(crate) levels: BTreeMap<(u64, u64), Level>,
    pub(crate) subscriptions: BTreeMap<u64, Subscription>,
    /// Bulk operations of the app.
    pub(crate) bulk: BTreeMap<u64, BulkOperation>,
    /// How the next bulk operation fails.
    pub(crate) bulk_failure: Option<BulkFailure>,
    pub(crate) remembered: HashMap<String, Remembered>,
    /// What is to be told, in order.
    pub(crate) events: Vec<Event>,
}

impl State {
    /// A store with the catalogue's goods and places. Its ids are so much larger than those of a store at 0.
    pub(crate) fn new(ids_apart: u64) -> Self {
        let now = Moment::now();
        let mut state = Self {
            ids: Ids::new(ids_apart),
            opened_at: now,
            next_order_number: 1001,
            orders: BTreeMap::new(),
            customers: BTreeMap::new(),
            products: BTreeMap::new(),
            locations: BTreeMap::new(),
            levels: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            bulk: BTreeMap::new(),
            bulk_failure: None,
            remembered: HashMap::new(),
            events: Vec::new(),
        };
        for place in catalogue::LOCATIONS {
            let id = state.ids.next("Location");
            let [street, city, zip] = place.address;
            let address = Address {
                address1: street.into(),
                city: city.into(),
                zip: zip.into(),
                country: "Austria".into(),
                country_code: "AT".into(),
                ..Address::default()
            };
            let location = Location { id, name: place.name.into(), address, created_at: now };
            state.locations.insert(id, Arc::new(location));
        }
        let mut last = "";
        for item in catalogue::ITEMS.iter().chain([&catalogue::UNKNOWN_ITEM]) {
            if item.product != last {
                state.add_product(item, now);
                last = item.product;
            }
            state.add_variant(item, now);
        }
        state
    }

    fn add_product(&mut self, item: &Item, now: Moment) {
        let id = self.ids.next("Product");
        let product = Product {
            id,
            title: item.product.into(),
            handle: item.product.to_lowercase().replace([' ', '(', ')'], "-"),
            vendor: "Waldgang".into(),
            product_type: match item.kind {
                ItemKind::Goods => "Goods",
                ItemKind::Digital => "Digital",
                ItemKind::GiftCard => "Gift card",
            }
            .into(),
            status: "active",
            tags: vec!["demo".into()],
            gift_card: item.kind == ItemKind::GiftCard,
            variants: Vec::new(),
            created_at: now,
            updated_at: now,
            metafields: Vec::new(),
        };
        self.products.insert(id, Arc::new(product));
    }

    fn add_variant(&mut self, item: &Item, now: Moment) {
        let (id, inventory_item_id) = (self.ids.next("ProductVariant"), self.ids.next("InventoryItem"));
        let goods = item.kind == ItemKind::Goods;
        if goods {
            for (location, units) in self.locations.keys().zip(item.stock) {
                if units > 0 {
                    let level = Level { available: units, committed: 0, updated_at: now };
                    self.levels.insert((inventory_item_id, *location), level);
                }
            }
        }
        let Some(mut product) = self.products.last_entry() else { return };
        let product = Arc::make_mut(product.get_mut());
        product.variants.push(Variant {
            id,
            inventory_item_id,
            position: product.variants.len() + 1,
            sku: Some(item.code.into()),
            title: item.variant.into(),
            price: item.price(),
            grams: item.grams,
            taxable: item.tax != catalogue::TaxClass::None,
            requires_shipping: goods,
            tracked: goods,
        });
    }

    /// A product's variant by what holds of it.
    pub(crate) fn variant(&self, holds: impl Fn(&Variant) -> bool) -> Option<(&Arc<Product>, &Variant)> {
        self.products
            .values()
            .find_map(|product| Some((product, product.variants.iter().find(|variant| holds(variant))?)))
    }

    /// What the catalogue calls a location; empty if it has none such.
    pub(crate) fn place_code(&self, location: u64) -> &'static str {
        let name = self.locations.get(&location).map(|location| location.name.as_str());
        catalogue::LOCATIONS.iter().find(|place| Some(place.name) == name).map_or("", |place| place.code)
    }

    /// Something that happened, once in each change.
    pub(crate) fn tell(&mut self, topic: &'static str, about: About) {
        let event = Event { topic, about };
        if !self.events.contains(&event) {
            self.events.push(event);
        }
    }

    /// An order to be changed. Its `updated_at` moves.
    pub(crate) fn order_mut(&mut self, id: u64) -> Option<&mut Order> {
        let order = Arc::make_mut(self.orders.get_mut(&id)?);
        order.updated_at = Moment::now();
        Some(order)
    }

    /// A customer to be changed. Its `updated_at` moves.
    pub(crate) fn customer_mut(&mut self, id: u64) -> Option<&mut Customer> {
        let customer = Arc::make_mut(self.customers.get_mut(&id)?);
        customer.updated_at = Moment::now();
        Some(customer)
    }

    /// A product to be changed. Its `updated_at` moves.
    pub(crate) fn product_mut(&mut self, id: u64) -> Option<&mut Product> {
        let product = Arc::make_mut(self.products.get_mut(&id)?);
        product.updated_at = Moment::now();
        Some(product)
    }

    /// A customer's orders, oldest first.
    pub(crate) fn orders_of(&self, customer: u64) -> impl DoubleEndedIterator<Item = &Arc<Order>> {
        self.orders.values().filter(move |order| order.customer == Some(customer))
    }
}
