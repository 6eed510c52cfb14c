//! A document as a sale.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use waybill_connector::Failure;

use super::{
    address::PostalAddress,
    lines::{self, SaleLine},
    scope::Scope,
};
use crate::wire::{self, AddressRow, Id, SaleRow};

/// Everything of a document that a sale holds, with items and taxes by code.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) reference: String,
    /// The party, if it is there.
    pub(crate) party: Option<Id>,
    pub(crate) currency: String,
    /// Where the invoice goes, and the goods.
    pub(crate) places: [Place; 2],
    pub(crate) warehouse: Warehouse,
    /// What a return takes after the sale that it gives back.
    pub(crate) inherited: Map<String, Json>,
    pub(crate) lines: Vec<SaleLine>,
    /// Mapped fields and the description.
    pub(crate) fields: Map<String, Json>,
    pub(crate) total: Decimal,
    pub(crate) total_tax: Decimal,
}

/// An address of a sale.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// This one, as Tryton can hold it, with its id if an earlier step has told it.
    Address(PostalAddress, Option<Id>),
    /// This record, or none.
    Record(Option<Id>),
}

/// Where a sale ships from, or a return comes back to.
#[derive(Debug, Clone)]
pub(crate) enum Warehouse {
    /// The user's own.
    OfUser,
    /// The one with this code.
    Coded(String),
    /// This record.
    Record(Id),
}

/// The ids that a sale refers to.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) company: Id,
    pub(crate) party: Id,
    pub(crate) currency: Id,
    pub(crate) warehouse: Option<Id>,
    pub(crate) invoice_address: Option<Id>,
    pub(crate) shipment_address: Option<Id>,
    /// Per line: product, unit, taxes.
    pub(crate) lines: Vec<LineIds>,
}

/// The ids that a line refers to.
#[derive(Debug, Clone)]
pub(crate) struct LineIds {
    pub(crate) product: Id,
    pub(crate) unit: Option<Id>,
    pub(crate) taxes: Vec<Id>,
}

impl Place {
    fn is(&self, row: Option<&AddressRow>) -> bool {
        match self {
            Self::Address(address, _) => row.is_some_and(|row| address.is(row)),
            Self::Record(id) => row.map(|row| row.id) == *id,
        }
    }
}

impl Wanted {
    /// The values of a new sale, or of one that is written again after its `old` lines, with these mapped fields.
    pub(crate) fn values(&self, ids: &Ids, old: &[Id], fields: Map<String, Json>) -> Json {
        let mut values = fields;
        values.extend(self.inherited.clone());
        let lines: Vec<_> = self.lines.iter().zip(&ids.lines).map(|(line, ids)| line_values(line, ids)).collect();
        let mut commands = Vec::new();
        if !old.is_empty() {
            commands.push(json!(["delete", old]));
        }
        if !lines.is_empty() {
            commands.push(json!(["create", lines]));
        }
        values.insert("lines".to_owned(), json!(commands));
        values.insert("reference".to_owned(), json!(self.reference));
        values.insert("company".to_owned(), json!(ids.company));
        values.insert("party".to_owned(), json!(ids.party));
        values.insert("currency".to_owned(), json!(ids.currency));
        values.insert("invoice_address".to_owned(), json!(ids.invoice_address));
        values.insert("shipment_address".to_owned(), json!(ids.shipment_address));
        if let Some(warehouse) = ids.warehouse {
            values.insert("warehouse".to_owned(), json!(warehouse));
        }
        Json::Object(values)
    }

    /// The first thing that a sale holds otherwise, lines and addresses before mapped fields. Descriptions of lines
    /// are not looked at: they change nothing about what is sold.
    pub(crate) fn difference(&self, row: &SaleRow, raw: &Map<String, Json>, scope: &Scope<'_>) -> Option<String> {
        let settled = if scope.is_fields_only() { None } else { self.settled_difference(row) };
        settled.or_else(|| scope.changes(&self.fields, raw).keys().next().cloned())
    }

    /// The same without mapped fields: what only a draft lets us change.
    pub(crate) fn settled_difference(&self, row: &SaleRow) -> Option<String> {
        if row.party.as_ref().map(|there| there.id) != self.party {
            return Some("customer".to_owned());
        }
        if row.currency.as_ref().and_then(|currency| currency.code.as_deref()) != Some(self.currency.as_str()) {
            return Some("currency".to_owned());
        }
        if let Some(line) = lines::difference(&self.lines, &row.lines) {
            return Some(line);
        }
        let [invoice, shipment] = &self.places;
        if !invoice.is(row.invoice_address.as_ref()) {
            return Some("billing_address".to_owned());
        }
        if !shipment.is(row.shipment_address.as_ref()) {
            return Some("shipping_address".to_owned());
        }
        None
    }

    /// Refuses a sale that Tryton adds up to another amount than the buyer paid.
    pub(crate) fn check_total(&self, tax: Decimal, total: Decimal) -> Result<(), Failure> {
        let (field, ours, theirs) = if total != self.total {
            ("total", self.total, total)
        } else if tax != self.total_tax {
            ("total_tax", self.total_tax, tax)
        } else {
            return Ok(());
        };
        let message = format!(
            "Tryton computes {total} with {tax} tax, the store says {} with {} tax",
            self.total, self.total_tax
        );
        debug_assert_ne!(ours, theirs);
        Err(Failure::rejected("total_differs", field, message))
    }
}

fn line_values(line: &SaleLine, ids: &LineIds) -> Json {
    let mut values = json!({
        "type": "line",
        "product": ids.product,
        "unit": ids.unit,
        "quantity": line.quantity,
        "unit_price": wire::decimal(line.unit_price),
        "description": line.description,
    });
    if !ids.taxes.is_empty() {
        values["taxes"] = json!([["add", ids.taxes]]);
    }
    values
}

/// Names a document's content, so that a revision without news for Tryton is told from one with.
pub(crate) fn hash<D: Serialize>(document: &D) -> String {
    // A document without a JSON form would be one with NaN or keys that are no text; it has neither.
    let bytes = serde_json::to_vec(document).unwrap_or_default();
    Sha256::digest(&bytes)[..10].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
