//! From documents to HubSpot's properties, and whether a record shows them. Pure.

use jiff::Timestamp;
use rust_decimal::Decimal;
use waybill_domain::document::{CustomerDocument, FieldValue, Fields, OrderDocument, ShipmentDocument};

use crate::{
    CONTACT_KEY_PROPERTY,
    wire::{Object, Properties},
};

/// The property of a contact's e-mail: the first, if it has several.
pub(crate) const EMAIL: &str = "email";
/// HubSpot creates no order without it (objects guide, "Required properties to create records").
const ORDER_NAME: &str = "hs_order_name";

/// A contact's properties: the mapped fields, the e-mail, our key.
pub(crate) fn contact(document: &CustomerDocument) -> Properties {
    let mut properties = mapped(&document.fields);
    let email = document.email.expose();
    if !email.is_empty() {
        properties.insert(EMAIL.to_owned(), email.to_owned());
    }
    properties.insert(CONTACT_KEY_PROPERTY.to_owned(), document.key.as_str().to_owned());
    properties
}

/// An order's properties: the mapped fields, a name, our key.
pub(crate) fn order(document: &OrderDocument, key_property: &str) -> Properties {
    let properties = keyed(&document.fields, key_property, document.key.as_str());
    named(properties, &document.name)
}

/// The properties of an order that a shipment sets.
pub(crate) fn shipment(document: &ShipmentDocument, key_property: &str) -> Properties {
    keyed(&document.fields, key_property, document.order_key.as_str())
}

/// The same for an order that is not there yet: with the name that HubSpot requires.
pub(crate) fn shipment_of_new_order(document: &ShipmentDocument, key_property: &str) -> Properties {
    named(shipment(document, key_property), &document.order_name)
}

fn keyed(fields: &Fields, key_property: &str, key: &str) -> Properties {
    let mut properties = mapped(fields);
    properties.insert(key_property.to_owned(), key.to_owned());
    properties
}

fn named(mut properties: Properties, name: &str) -> Properties {
    properties.entry(ORDER_NAME.to_owned()).or_insert_with(|| name.to_owned());
    properties
}

fn mapped(fields: &Fields) -> Properties {
    fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A value as HubSpot takes it: times in UTC with milliseconds (properties guide, "Add values to date and datetime
/// properties").
fn text(value: &FieldValue) -> String {
    match value {
        FieldValue::Time(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        FieldValue::Null | FieldValue::Text(_) | FieldValue::Number(_) | FieldValue::Bool(_) => value.to_text(),
    }
}

/// Whether a record shows all of these values.
pub(crate) fn shows(object: &Object, wanted: &Properties) -> bool {
    wanted.iter().all(|(name, wanted)| {
        let shown = object.properties.get(name).and_then(Option::as_deref).unwrap_or_default();
        same(name, wanted, shown)
    })
}

/// Whether two texts are one value: HubSpot lowers e-mails and shows times in its own form.
pub(crate) fn same(property: &str, wanted: &str, shown: &str) -> bool {
    if wanted == shown {
        return true;
    }
    if property == EMAIL {
        return wanted.trim().to_lowercase() == shown.to_lowercase();
    }
    let numbers = (Decimal::from_str_exact(wanted), Decimal::from_str_exact(shown));
    if let (Ok(wanted), Ok(shown)) = numbers {
        return wanted == shown;
    }
    matches!((wanted.parse::<Timestamp>(), shown.parse::<Timestamp>()), (Ok(wanted), Ok(shown)) if wanted == shown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use waybill_domain::Personal;

    use super::*;

    #[test]
    fn values_are_sent_as_hubspot_takes_them() {
        let time: Timestamp = "2026-11-01T10:00:00.123456Z".parse().unwrap();
        let values = [
            (FieldValue::Null, ""),
            (FieldValue::Text(Personal::new("Jo")), "Jo"),
            (FieldValue::Number("12.50".parse().unwrap()), "12.50"),
            (FieldValue::Bool(true), "true"),
            (FieldValue::Time(time), "2026-11-01T10:00:00.123Z"),
        ];
        for (value, sent) in values {
            assert_eq!(text(&value), sent);
        }
    }

    #[test]
    fn a_record_shows_a_value_in_hubspots_own_form() {
        let shown = [
            ("email", Some("jo@example.com")),
            ("hs_total_price", Some("12.5")),
            ("hs_external_created_date", Some("2026-11-01T10:00:00.000Z")),
            ("phone", None),
        ];
        let properties: BTreeMap<_, _> =
            shown.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).into_iter().collect();
        let object = Object { id: "1".to_owned(), properties, object_write_trace_id: None };
        let wanted = |name: &str, value: &str| Properties::from([(name.to_owned(), value.to_owned())]);
        assert!(shows(&object, &wanted("email", "Jo@Example.com")));
        assert!(shows(&object, &wanted("hs_total_price", "12.50")));
        assert!(shows(&object, &wanted("hs_external_created_date", "2026-11-01T10:00:00Z")));
        assert!(shows(&object, &wanted("phone", "")));
        assert!(!shows(&object, &wanted("phone", "1")));
        assert!(!shows(&object, &wanted("hs_total_price", "12.51")));
    }
}
