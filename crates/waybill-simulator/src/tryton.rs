//! A simulated Tryton 8.2 with the modules `sale`, `stock` and `account_invoice_stock`, over JSON-RPC.
//!
//! The rules are those of Tryton's own sources (trytond, trytond_party, trytond_product, trytond_sale, trytond_stock,
//! trytond_account, all 8.2); the error bodies are what a server of these releases answers. The tests of
//! `connector-tryton` send the same wrong requests to both and compare.
//!
//! What it keeps as Tryton does: required fields, unknown fields, types, domains, selections, fields that a state makes
//! read-only, buttons that a state hides, transactions (a refused call changes nothing), sessions, amounts by
//! Tryton's own rounding, stock by location, returns (negative quantities make a credit note and a shipment return).
//! `sale.sale.reference` is not unique: duplicates are accepted.
//!
//! Beside Tryton's paths it answers `DELETE /_control/records/{model}/{key}`: a sale by its reference or a party by its
//! code is lost, as by a restored backup; 404 if there is none.
//!
//! What it does not keep is answered with HTTP 501 and the name of what is missing, never with a made-up answer:
//! wizards, reports, `on_change`, the accounting behind an invoice, models and fields that no caller here needs.
//! Differences that remain: a reference to a record that is not there is always refused (Tryton leaves that to the
//! database, and SQLite does not check), and a failed login does not make the caller wait.

mod amounts;
mod answers;
mod buttons;
mod calls;
mod commands;
mod context;
mod names;
mod parcels;
mod python;
mod read;
mod rules;
mod schema;
mod search;
mod seed;
mod sessions;
mod stock;
mod store;
mod taking;
mod trouble;
mod value;
mod write;

#[cfg(test)]
mod behaviour;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::kit::{Faults, Journal, Simulated};

/// What a fresh database holds. The same JSON is read by `bootstrap.py`, which fills a real Tryton.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The company that sells.
    pub company: String,
    /// Its currency, as in ISO 4217.
    pub currency: String,
    /// Who logs in.
    pub user: User,
    /// The products.
    pub items: Vec<Item>,
    /// The taxes.
    pub taxes: Vec<Tax>,
    /// How taxes are rounded.
    #[serde(default)]
    pub tax_rounding: TaxRounding,
    /// The warehouses. The first is the user's own, and so the default of a sale.
    pub locations: Vec<Location>,
    /// The countries that addresses may name.
    #[serde(default)]
    pub countries: Vec<Country>,
}

/// A user with a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The login.
    pub login: String,
    /// The password: 8 characters or more, Tryton's own minimum.
    pub password: String,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its list price, without tax.
    pub price: Decimal,
    /// The accounting category that taxes it; one for all unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Whether it is kept in stock.
    #[serde(default, rename = "type")]
    pub kind: ItemKind,
    /// What is there at the start.
    #[serde(default)]
    pub stock: Stock,
}

/// Whether a product is kept in stock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// Kept in stock and shipped.
    #[default]
    Goods,
    /// Neither: shipping costs, gift cards.
    Service,
}

/// Whole units of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stock {
    /// At the first location.
    First(i64),
    /// By location code.
    At(BTreeMap<String, i64>),
}

impl Default for Stock {
    fn default() -> Self {
        Self::First(0)
    }
}

/// A tax on sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// Its name.
    pub name: String,
    /// As a fraction: 0.19 for 19 %.
    pub rate: Decimal,
}

/// Tryton's setting `account.configuration.tax_rounding`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaxRounding {
    /// The sum of a tax over the lines is rounded. Tryton's default.
    #[default]
    Document,
    /// Each line's tax is rounded, as Shopify does.
    Line,
}

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its states or provinces.
    #[serde(default)]
    pub subdivisions: Vec<Subdivision>,
}

/// A state or province.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subdivision {
    /// ISO 3166-2, such as `US-CA`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Tryton's word for its kind, such as `state`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A simulated Tryton. Clones are the same one.
#[derive(Clone)]
pub struct Tryton {
    state: Arc<Mutex<State>>,
    database: Arc<str>,
    journal: Journal,
}

struct State {
    store: store::Store,
    sessions: sessions::Sessions,
}

impl Tryton {
    /// A fresh database of this name.
    pub fn new(database: &str, setup: &Setup) -> Self {
        let store = seed::seeded(setup);
        let sessions = sessions::Sessions::new(&setup.user.login, &setup.user.password);
        Self {
            state: Arc::new(Mutex::new(State { store, sessions })),
            database: database.into(),
            journal: Journal::new("tryton"),
        }
    }

    /// The server, ready to be served.
    pub fn simulated(&self) -> Simulated {
        Simulated {
            router: answers::router(self.clone()),
            journal: self.journal.clone(),
            faults: Faults::default(),
            too_many: |_| answers::too_many(),
            unauthorized: answers::unauthorized,
        }
    }

    /// Ends every session, as Tryton does after its `[session] max_age` (30 days) or when a password changes.
    pub fn expire_sessions(&self) {
        self.state().sessions.expire();
    }

    /// Merges one party into another, as the wizard `party.replace` does: what refers to the first refers to the second,
    /// and the first stays behind, inactive. Answers whether both are there.
    pub fn replace_party(&self, code: &str, by: &str) -> bool {
        let mut state = self.state();
        let replaced = write::replace_party(&mut state.store, code, by);
        state.store.commit();
        replaced
    }

    /// Loses records of a model by their key, as a backup that is restored does: what Tryton itself would not delete is
    /// gone too. The key is a sale's reference, a party's code. Answers how many there were.
    pub fn lose(&self, model: &str, key: &str) -> usize {
        let mut state = self.state();
        let lost = write::lose(&mut state.store, model, key);
        state.store.commit();
        lost
    }

    /// Takes a product out of what is sold: positive lines with it are refused, returns are not. Answers whether it is
    /// there.
    pub fn stop_selling(&self, code: &str) -> bool {
        let mut state = self.state();
        let products = schema::known("product.product");
        let found = state.store.with_text(products.name, "code", code).first().copied();
        if let Some(id) = found {
            state.store.set(products, id, "salable", value::Value::Bool(false));
            state.store.commit();
        }
        found.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
