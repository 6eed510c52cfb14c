//! What the services would keep beside their deliveries: orders, totals, items, variants.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use waybill_domain::{
    Body, Kind, RecordId, RecordKey, Snapshot, StoreName, customer::Person, document::VariantRef, order::Order,
    product::Product, totals,
};

use crate::{
    decide::{CustomerTotals, StoreVariant, target_key},
    plan::Plan,
};

/// What one order counts for its buyer.
#[derive(Debug)]
struct Counted {
    counts: bool,
    spent: Decimal,
    placed_at: Timestamp,
}

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    orders: BTreeMap<RecordKey, Order>,
    customers: BTreeMap<RecordKey, Person>,
    buyers: BTreeMap<RecordKey, String>,
    counted: BTreeMap<String, BTreeMap<RecordKey, Counted>>,
    items: BTreeMap<(StoreName, String), RecordId>,
    products: BTreeMap<RecordKey, Product>,
    refunds: BTreeMap<RecordKey, Vec<RecordKey>>,
}

impl Known {
    /// Takes a snapshot; gives the person whose totals it may have changed.
    pub(super) fn hear(&mut self, plan: &Plan, snapshot: &Snapshot) -> Option<String> {
        let key = &snapshot.key;
        match &snapshot.body {
            Some(Body::Order(order)) => {
                let person = target_key(snapshot);
                // An order whose sums do not hold is parked everywhere: what it is worth cannot be told.
                let counts = totals::check(order).is_ok() && plan.counts(snapshot).unwrap_or(false);
                let spent = order.totals.current_total.shop.amount;
                let counted = Counted { counts, spent, placed_at: order.processed_at };
                if let Some(before) = self.buyers.insert(key.clone(), person.clone())
                    && before != person
                    && let Some(theirs) = self.counted.get_mut(&before)
                {
                    theirs.remove(key);
                }
                self.counted.entry(person.clone()).or_default().insert(key.clone(), counted);
                self.orders.insert(key.clone(), order.as_ref().clone());
                return Some(person);
            }
            Some(Body::Customer(customer)) => {
                self.customers.insert(key.clone(), customer.person());
            }
            Some(Body::Product(product)) => {
                self.products.insert(key.clone(), product.clone());
                for variant in product.variants.iter().filter(|variant| !variant.sku.is_empty()) {
                    if let Some(item) = &variant.inventory_item_id {
                        self.items.insert((key.store.clone(), variant.sku.clone()), item.clone());
                    }
                }
            }
            Some(Body::Refund(refund)) => {
                let order = RecordKey { kind: Kind::Order, id: refund.order_id.clone(), ..key.clone() };
                let refunds = self.refunds.entry(order).or_default();
                if !refunds.contains(key) {
                    refunds.push(key.clone());
                }
            }
            None if key.kind == Kind::Product => {
                self.products.remove(key);
            }
            _ => {}
        }
        None
    }

    pub(super) fn totals(&self, person: &str) -> CustomerTotals {
        let counted = self.counted.get(person).into_iter().flat_map(BTreeMap::values).filter(|order| order.counts);
        counted.fold(CustomerTotals::default(), |totals, order| CustomerTotals {
            orders: totals.orders + 1,
            spent: totals.spent + order.spent,
            last_order_at: totals.last_order_at.max(Some(order.placed_at)),
        })
    }

    pub(super) fn order(&self, key: &RecordKey) -> Option<&Order> {
        self.orders.get(key)
    }

    pub(super) fn person(&self, store: &StoreName, id: &RecordId) -> Option<Person> {
        let key = RecordKey { store: store.clone(), kind: Kind::Customer, id: id.clone() };
        self.customers.get(&key).cloned()
    }

    pub(super) fn item(&self, store: &StoreName, sku: &str) -> Option<RecordId> {
        self.items.get(&(store.clone(), sku.to_owned())).cloned()
    }

    pub(super) fn variants(&self, store: &StoreName, sku: &str) -> Vec<StoreVariant> {
        let of_store = self.products.iter().filter(|(key, _)| key.store == *store);
        let variants = of_store.flat_map(|(_, product)| product.variants.iter().map(move |variant| (product, variant)));
        let mut variants: Vec<StoreVariant> = variants
            .filter(|(_, variant)| variant.sku == sku)
            .map(|(product, variant)| StoreVariant {
                variant: VariantRef { product_id: product.id.clone(), variant_id: variant.id.clone() },
                price: variant.price,
            })
            .collect();
        variants.sort_by(|one, other| one.variant.cmp(&other.variant));
        variants
    }

    pub(super) fn refunds_of(&self, order: &RecordKey) -> Vec<RecordKey> {
        self.refunds.get(order).cloned().unwrap_or_default()
    }
}
