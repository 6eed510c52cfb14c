//! An order as a sale.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use waybill_connector::Failure;
use waybill_domain::document::OrderDocument;

use super::{
    address::PostalAddress,
    fields,
    lines::{self, SaleLine},
    one_line,
};
use crate::wire::{self, Id, SaleRow};

/// Everything of an order that a sale holds, with items and taxes by code and addresses by their text.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) reference: String,
    pub(crate) party_code: String,
    pub(crate) currency: String,
    pub(crate) addresses: [PostalAddress; 2],
    pub(crate) lines: Vec<SaleLine>,
    /// Mapped fields and the description.
    pub(crate) fields: Map<String, Json>,
    pub(crate) total: Decimal,
    pub(crate) total_tax: Decimal,
}

/// The ids that a sale refers to.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) company: Id,
    pub(crate) party: Id,
    pub(crate) currency: Id,
    pub(crate) warehouse: Option<Id>,
    pub(crate) invoice_address: Id,
    pub(crate) shipment_address: Id,
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

impl Wanted {
    /// What a sale is to hold. `addresses` are as Tryton can hold them.
    ///
    /// # Errors
    /// `unmapped` or `map_error` for what the plan leaves open.
    pub(crate) fn new(
        document: &OrderDocument,
        party_code: &str,
        addresses: [PostalAddress; 2],
        price_digits: u32,
    ) -> Result<Self, Failure> {
        let mut fields = fields::encoded(&document.fields, fields::SALE_OWN)?;
        fields.entry("description").or_insert_with(|| json!(one_line(&document.name)));
        Ok(Self {
            reference: document.key.as_str().to_owned(),
            party_code: party_code.to_owned(),
            currency: document.currency.to_string(),
            addresses,
            lines: lines::sale_lines(document, price_digits)?,
            fields,
            total: document.total,
            total_tax: document.total_tax,
        })
    }

    /// The values of a new sale, or of one that is written again after its `old` lines.
    pub(crate) fn values(&self, ids: &Ids, old: &[Id]) -> Json {
        let mut values = self.fields.clone();
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
    pub(crate) fn difference(&self, row: &SaleRow, raw: &Map<String, Json>, party: Option<Id>) -> Option<String> {
        self.settled_difference(row, party).or_else(|| fields::difference(&self.fields, raw))
    }

    /// The same without mapped fields: what only a draft lets us change.
    pub(crate) fn settled_difference(&self, row: &SaleRow, party: Option<Id>) -> Option<String> {
        let is_party = row
            .party
            .as_ref()
            .is_some_and(|there| Some(there.id) == party || there.code.as_deref() == Some(self.party_code.as_str()));
        if !is_party {
            return Some("customer".to_owned());
        }
        if row.currency.as_ref().and_then(|currency| currency.code.as_deref()) != Some(self.currency.as_str()) {
            return Some("currency".to_owned());
        }
        if let Some(line) = lines::difference(&self.lines, &row.lines) {
            return Some(line);
        }
        let [invoice, shipment] = &self.addresses;
        if !row.invoice_address.as_ref().is_some_and(|there| invoice.is(there)) {
            return Some("billing_address".to_owned());
        }
        if !row.shipment_address.as_ref().is_some_and(|there| shipment.is(there)) {
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
            "Tryton computes {total} with {tax} tax, the order says {} with {} tax",
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
pub(crate) fn hash(document: &OrderDocument) -> String {
    // A document without a JSON form would be one with NaN or keys that are no text; it has neither.
    let bytes = serde_json::to_vec(document).unwrap_or_default();
    Sha256::digest(&bytes)[..10].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
