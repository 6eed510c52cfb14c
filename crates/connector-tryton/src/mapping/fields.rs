//! Mapped fields in Tryton's types.

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use waybill_connector::Failure;
use waybill_domain::document::{FieldValue, Fields};

use super::one_line;
use crate::wire;

/// Fields of a sale that the connector itself sets.
pub(crate) const SALE_OWN: &[&str] = &[
    "company",
    "currency",
    "id",
    "invoice_address",
    "lines",
    "number",
    "party",
    "reference",
    "shipment_address",
    "state",
    "warehouse",
];

/// Fields of a refund's sale that the connector itself sets.
pub(crate) const RETURN_OWN: &[&str] = &[
    "company",
    "currency",
    "id",
    "invoice_address",
    "invoice_method",
    "invoice_party",
    "lines",
    "number",
    "origin",
    "party",
    "payment_term",
    "reference",
    "shipment_address",
    "shipment_method",
    "shipment_party",
    "state",
    "warehouse",
];

/// Fields of a party that the connector itself sets.
pub(crate) const PARTY_OWN: &[&str] = &["addresses", "code", "contact_mechanisms", "id", "name"];

/// Fields of Tryton's own modules that hold a date. Other instants are sent with their time.
const DATES: &[&str] = &["quotation_date", "sale_date", "shipping_date"];

/// Fields of Tryton's own modules that hold one line.
const LINES: &[&str] = &["description"];

/// Mapped fields as Tryton takes them, under their names in Tryton.
///
/// # Errors
/// `map_error` for a field that the connector itself sets, or a date that is none.
pub(crate) fn encoded(fields: &Fields, own: &[&str]) -> Result<Map<String, Json>, Failure> {
    fields
        .iter()
        .map(|(name, value)| {
            if own.contains(&name.as_str()) {
                let message = format!("'{name}' is set by the connector and cannot be mapped");
                return Err(Failure::rejected("map_error", name, message));
            }
            Ok((name.clone(), encode(name, value)?))
        })
        .collect()
}

fn encode(name: &str, value: &FieldValue) -> Result<Json, Failure> {
    let is_date = DATES.contains(&name);
    Ok(match value {
        FieldValue::Null => Json::Null,
        FieldValue::Text(text) if is_date => {
            let text = text.expose().get(..10).unwrap_or_default();
            let date = text.parse().map_err(|_| {
                Failure::rejected("map_error", name, format!("'{name}' takes a date such as 2026-01-31"))
            })?;
            wire::date(date)
        }
        FieldValue::Text(text) if LINES.contains(&name) => json!(one_line(text.expose())),
        FieldValue::Text(text) => json!(text.expose()),
        FieldValue::Number(number) => wire::decimal(*number),
        FieldValue::Bool(flag) => json!(flag),
        FieldValue::Time(instant) if is_date => wire::date(instant.to_zoned(jiff::tz::TimeZone::UTC).date()),
        FieldValue::Time(instant) => wire::datetime(*instant),
    })
}

/// The fields whose value in Tryton is another one.
pub(crate) fn differing(ours: &Map<String, Json>, row: &Map<String, Json>) -> Map<String, Json> {
    ours.iter()
        .filter(|(name, value)| !same(value, row.get(name.as_str()).unwrap_or(&Json::Null)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether Tryton holds nothing there.
pub(crate) fn is_empty(theirs: &Json) -> bool {
    theirs.is_null() || theirs.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Equal as Tryton keeps it: nothing is null or an empty text, numbers by value, yes and no also as 1 and 0.
fn same(ours: &Json, theirs: &Json) -> bool {
    if let (Some(ours), Some(theirs)) = (wire::number(ours), wire::number(theirs)) {
        return ours == theirs;
    }
    match (ours, theirs) {
        (Json::String(ours), Json::Null) => ours.is_empty(),
        (Json::Null, Json::String(theirs)) => theirs.is_empty(),
        (Json::String(ours), Json::String(theirs)) => ours.trim() == theirs.trim(),
        (Json::Bool(ours), Json::Number(_)) => wire::number(theirs) == Some(Decimal::from(u8::from(*ours))),
        (ours, theirs) => ours == theirs,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value as Json, json};
    use waybill_connector::Failure;
    use waybill_domain::document::{FieldValue, Fields};

    use super::{SALE_OWN, differing, encoded};

    fn one(name: &str, value: FieldValue) -> Result<Json, Failure> {
        let fields = Fields::from([(name.to_owned(), value)]);
        encoded(&fields, SALE_OWN).map(|mut fields| fields.remove(name).unwrap())
    }

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_date_is_a_date_and_an_instant_keeps_its_time() {
        let noon = FieldValue::Time("2026-03-01T12:30:00Z".parse().unwrap());
        let date = json!({"__class__": "date", "year": 2026, "month": 3, "day": 1});
        assert_eq!(one("sale_date", noon.clone()).unwrap(), date);
        assert_eq!(one("shipping_date", FieldValue::Text("2026-03-01".into())).unwrap(), date);
        assert_eq!(one("picked_up", noon).unwrap()["hour"], 12);
    }

    #[test]
    fn a_number_is_exact() {
        let number = FieldValue::Number("12.50".parse().unwrap());
        assert_eq!(one("weight", number).unwrap(), json!({"__class__": "Decimal", "decimal": "12.50"}));
    }

    #[test]
    fn a_description_is_one_line_and_a_comment_is_not() {
        assert_eq!(one("description", FieldValue::Text("a\n b ".into())).unwrap(), "a b");
        assert_eq!(one("comment", FieldValue::Text("a\nb".into())).unwrap(), "a\nb");
    }

    #[test]
    fn what_the_connector_sets_cannot_be_mapped() {
        let failure = one("reference", FieldValue::Text("mine".into())).unwrap_err();
        assert!(
            matches!(failure, Failure::Rejected { code, field, .. } if code == "map_error" && field == "reference")
        );
    }

    #[test]
    fn values_are_compared_as_tryton_keeps_them() {
        let row = object(json!({"comment": null, "active": 1, "weight": {"__class__": "Decimal", "decimal": "2.50"}}));
        let ours = object(json!({"comment": "", "active": true, "weight": {"__class__": "Decimal", "decimal": "2.5"}}));
        assert_eq!(differing(&ours, &row), Map::new());
        let gift = object(json!({"comment": "gift"}));
        assert_eq!(differing(&gift, &row), gift);
    }
}
