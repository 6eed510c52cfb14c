//! Tryton's JSON as it is: the call, its answer, and the values that JSON has no type for.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value as Json, json};

/// A record's id.
pub(crate) type Id = i64;

/// A call. Tryton answers with `result` or `error` if the body has exactly these three members; otherwise results come
/// bare and errors as HTML (`trytond/protocols/jsonrpc.py`).
#[derive(Debug, Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) id: u32,
    pub(crate) method: &'a str,
    pub(crate) params: &'a [Json],
}

/// An exact number as Tryton writes it.
pub(crate) fn decimal(number: Decimal) -> Json {
    json!({"__class__": "Decimal", "decimal": number.to_string()})
}

/// A date as Tryton writes it.
pub(crate) fn date(date: jiff::civil::Date) -> Json {
    json!({"__class__": "date", "year": date.year(), "month": date.month(), "day": date.day()})
}

/// An instant as Tryton writes it: UTC without saying so.
pub(crate) fn datetime(instant: jiff::Timestamp) -> Json {
    let at = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    json!({
        "__class__": "datetime",
        "year": at.year(), "month": at.month(), "day": at.day(),
        "hour": at.hour(), "minute": at.minute(), "second": at.second(),
        "microsecond": at.subsec_nanosecond() / 1000,
    })
}

/// A number that Tryton gave, whatever its type: `Decimal`, float or integer.
pub(crate) fn number(given: &Json) -> Option<Decimal> {
    match given {
        Json::Number(number) => {
            let text = number.to_string();
            Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
        }
        Json::Object(object) => {
            let text = object.get("decimal")?.as_str()?;
            Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
        }
        _ => None,
    }
}

fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let given = Json::deserialize(deserializer)?;
    number(&given).ok_or_else(|| serde::de::Error::custom("not a number"))
}

fn exact_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let given = Json::deserialize(deserializer)?;
    if given.is_null() {
        return Ok(None);
    }
    number(&given).map(Some).ok_or_else(|| serde::de::Error::custom("not a number"))
}

/// A related record of which only its code or name was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// `party.party`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PartyRow {
    pub(crate) id: Id,
    pub(crate) code: String,
    pub(crate) replaced_by: Option<Id>,
}

/// `party.identifier`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IdentifierRow {
    pub(crate) code: String,
    pub(crate) party: Id,
}

/// `party.party` with all that a customer's document may change.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CustomerRow {
    pub(crate) id: Id,
    pub(crate) name: Option<String>,
    #[serde(rename = "contact_mechanisms.")]
    pub(crate) mechanisms: Vec<MechanismRow>,
}

/// `party.contact_mechanism`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MechanismRow {
    pub(crate) id: Id,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// `party.address`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct AddressRow {
    pub(crate) id: Id,
    #[serde(rename = "party.")]
    pub(crate) party: Option<Named>,
    pub(crate) party_name: Option<String>,
    pub(crate) attn: Option<String>,
    /// As it is written on a label, whether a colleague wrote it so or in parts.
    pub(crate) street: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) city: Option<String>,
    #[serde(rename = "country.")]
    pub(crate) country: Option<Named>,
    #[serde(rename = "subdivision.")]
    pub(crate) subdivision: Option<Named>,
}

/// `country.subdivision`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SubdivisionRow {
    pub(crate) id: Id,
    pub(crate) code: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

/// `party.address.subdivision_type`: which kinds of subdivision a country's addresses name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SubdivisionTypesRow {
    pub(crate) country_code: String,
    #[serde(default)]
    pub(crate) types: Option<Vec<String>>,
}

/// `product.product`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ProductRow {
    pub(crate) id: Id,
    pub(crate) code: String,
    pub(crate) default_uom: Option<Id>,
    pub(crate) sale_uom: Option<Id>,
    pub(crate) salable: bool,
}

/// `product.product`, as stock is asked.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StockRow {
    pub(crate) id: Id,
    pub(crate) code: Option<String>,
    #[serde(deserialize_with = "exact")]
    pub(crate) quantity: Decimal,
}

/// `product.product`, as prices are asked.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PriceRow {
    pub(crate) id: Id,
    pub(crate) code: Option<String>,
    #[serde(deserialize_with = "exact_or_none")]
    pub(crate) list_price_used: Option<Decimal>,
    #[serde(rename = "account_category.")]
    pub(crate) account_category: Option<Named>,
}

/// `company.company`, of which only the currency was asked.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CompanyRow {
    #[serde(rename = "currency.")]
    pub(crate) currency: Named,
}

/// A sale's state alone.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StateRow {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) reference: Option<String>,
    pub(crate) state: String,
    pub(crate) number: Option<String>,
}

/// `sale.sale`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SaleRow {
    pub(crate) id: Id,
    pub(crate) reference: Option<String>,
    pub(crate) state: String,
    pub(crate) number: Option<String>,
    #[serde(deserialize_with = "exact")]
    pub(crate) tax_amount: Decimal,
    #[serde(deserialize_with = "exact")]
    pub(crate) total_amount: Decimal,
    #[serde(rename = "party.")]
    pub(crate) party: Option<Named>,
    #[serde(rename = "currency.")]
    pub(crate) currency: Option<Named>,
    #[serde(rename = "invoice_address.")]
    pub(crate) invoice_address: Option<AddressRow>,
    #[serde(rename = "shipment_address.")]
    pub(crate) shipment_address: Option<AddressRow>,
    #[serde(rename = "lines.")]
    pub(crate) lines: Vec<LineRow>,
}

/// `sale.sale`, as far as a return takes after it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OriginalRow {
    pub(crate) id: Id,
    pub(crate) reference: Option<String>,
    pub(crate) state: String,
    pub(crate) number: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) party: Id,
    pub(crate) invoice_party: Option<Id>,
    pub(crate) shipment_party: Option<Id>,
    pub(crate) invoice_address: Option<Id>,
    pub(crate) shipment_address: Option<Id>,
    pub(crate) warehouse: Option<Id>,
    pub(crate) payment_term: Option<Id>,
    pub(crate) invoice_method: String,
    pub(crate) shipment_method: String,
    #[serde(rename = "currency.")]
    pub(crate) currency: Named,
}

/// `sale.line`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineRow {
    pub(crate) id: Id,
    #[serde(deserialize_with = "exact_or_none")]
    pub(crate) quantity: Option<Decimal>,
    #[serde(deserialize_with = "exact_or_none")]
    pub(crate) unit_price: Option<Decimal>,
    pub(crate) description: Option<String>,
    #[serde(rename = "product.")]
    pub(crate) product: Option<Named>,
    #[serde(rename = "taxes.")]
    pub(crate) taxes: Vec<Named>,
}

/// A sale's amounts alone.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AmountsRow {
    pub(crate) id: Id,
    #[serde(deserialize_with = "exact")]
    pub(crate) tax_amount: Decimal,
    #[serde(deserialize_with = "exact")]
    pub(crate) total_amount: Decimal,
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::json;

    use super::{StockRow, number};

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(number(&json!({"__class__": "Decimal", "decimal": "12.50"})).unwrap().to_string(), "12.50");
        assert_eq!(number(&json!({"__class__": "Decimal", "decimal": "0E-2"})), Some(Decimal::ZERO));
        assert_eq!(number(&json!("12.50")), None);
        let row: StockRow = serde_json::from_str(r#"{"id": 1, "code": "A", "quantity": 99.5}"#).unwrap();
        assert_eq!(row.quantity, Decimal::new(995, 1));
    }
}
