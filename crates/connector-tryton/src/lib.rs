#![doc = include_str!("../README.md")]

mod book;
mod client;
mod customers;
mod descriptor;
mod mapping;
mod matching;
mod orders;
mod parties;
mod prices;
mod refunds;
mod refusal;
mod sales;
mod session;
mod steps;
mod stock;
mod wire;

use async_trait::async_trait;
use waybill_connector::{Failure, SystemSettings, settings::SettingsError, sink::Check};

pub use descriptor::descriptor;

use crate::{book::Book, client::Client};

/// How many calls of one step go together. Tryton creates and confirms many in one transaction, several times as fast
/// as one by one; a batch of this size stays far under the time-out.
const BATCH: usize = 20;

/// How many keys are looked for in one request.
const LOOKS: usize = 200;

/// The digits of a unit price after the point, as Tryton's `[product] price_decimal` has it unless it is told.
const PRICE_DIGITS: u32 = 4;

/// A Tryton database.
#[derive(Debug)]
pub struct Tryton {
    client: Client,
    book: Book,
    warehouse: Option<String>,
    price_digits: u32,
}

impl Tryton {
    /// A connector with these settings. Nothing is sent yet.
    ///
    /// # Errors
    /// A setting that is missing or impossible.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let database = settings.required("database")?;
        if database.is_empty() || database.contains(['/', '?', '#', ' ']) {
            return Err(settings.invalid("database", "must be a database's name, such as 'tryton'"));
        }
        let price_digits = match settings.get("price_digits") {
            None => PRICE_DIGITS,
            Some(text) => text
                .parse()
                .ok()
                .filter(|digits| (0..=12).contains(digits))
                .ok_or_else(|| settings.invalid("price_digits", "must be a number from 0 to 12"))?,
        };
        let client = Client::new(
            settings.required("url")?,
            database,
            settings.required("user")?.to_owned(),
            settings.secret("password")?.clone(),
            settings.get("company").map(str::to_owned),
            settings.gate(),
        )
        .map_err(|failure| settings.invalid("url", failure.to_string()))?;
        Ok(Self {
            client,
            book: Book::default(),
            warehouse: settings.get("warehouse").map(str::to_owned),
            price_digits,
        })
    }
}

#[async_trait]
impl Check for Tryton {
    async fn check(&self) -> Result<(), Failure> {
        self.client.preferences().await
    }
}
