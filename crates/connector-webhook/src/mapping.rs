//! Documents as events.

use serde_json::Value;
use waybill_domain::{
    customer,
    document::{self, CustomerDocument, FieldValue, IncidentDocument, OrderDocument},
};

use crate::wire::{Address, Charge, Customer, Data, Fields, Incident, Line, Order};

/// A document that receivers are told of.
pub(crate) trait Told: Send + Sync {
    /// The role of its object.
    const ROLE: &'static str;

    /// The event's type.
    fn kind(&self) -> &'static str;

    /// The event's body.
    fn data(&self) -> Data<'_>;
}

impl Told for IncidentDocument {
    const ROLE: &'static str = "incident";

    fn kind(&self) -> &'static str {
        if self.resolved { "incident.resolved" } else { "incident.opened" }
    }

    fn data(&self) -> Data<'_> {
        Data::Incident(Incident {
            key: self.key.as_str(),
            resolved: self.resolved,
            severity: self.severity,
            summary: &self.summary,
            meaning: &self.meaning,
            action: &self.action,
            system: &self.system,
            code: &self.code,
            detail: &self.detail,
            count: self.count,
            records: &self.records,
            opened_at: self.opened_at,
            link: &self.link,
        })
    }
}

impl Told for OrderDocument {
    const ROLE: &'static str = "order";

    fn kind(&self) -> &'static str {
        if self.cancelled { "order.cancelled" } else { "order.updated" }
    }

    fn data(&self) -> Data<'_> {
        Data::Order(Box::new(Order {
            key: self.key.as_str(),
            store: self.store.as_str(),
            source_id: self.source_id.as_str(),
            name: &self.name,
            placed_at: self.placed_at,
            currency: self.currency.as_str(),
            cancelled: self.cancelled,
            customer: self.customer.as_ref().map(customer),
            billing_address: self.billing_address.as_ref().map(address),
            shipping_address: self.shipping_address.as_ref().map(address),
            lines: self.lines.iter().map(line).collect(),
            charges: self.charges.iter().map(charge).collect(),
            total: self.total,
            total_tax: self.total_tax,
            fields: fields(&self.fields),
        }))
    }
}

impl Told for CustomerDocument {
    const ROLE: &'static str = "customer";

    fn kind(&self) -> &'static str {
        "customer.updated"
    }

    fn data(&self) -> Data<'_> {
        Data::Customer(customer(self))
    }
}

fn customer(customer: &CustomerDocument) -> Customer<'_> {
    Customer {
        key: customer.key.as_str(),
        source_id: customer.source_id.as_ref().map(|id| id.as_str()),
        first_name: customer.first_name.expose(),
        last_name: customer.last_name.expose(),
        email: customer.email.expose(),
        phone: customer.phone.expose(),
        fields: fields(&customer.fields),
    }
}

fn line(line: &document::LineDocument) -> Line<'_> {
    Line {
        key: line.key.as_str(),
        source_id: line.source_id.as_str(),
        item: &line.item,
        title: &line.title,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
        net: line.net,
        tax: line.tax,
        tax_codes: &line.tax_codes,
        requires_shipping: line.requires_shipping,
        grams: line.grams,
    }
}

fn charge(charge: &document::ChargeDocument) -> Charge<'_> {
    Charge {
        key: charge.key.as_str(),
        item: &charge.item,
        title: &charge.title,
        net: charge.net,
        tax: charge.tax,
        tax_codes: &charge.tax_codes,
    }
}

fn address(address: &customer::Address) -> Address<'_> {
    Address {
        first_name: address.first_name.expose(),
        last_name: address.last_name.expose(),
        company: address.company.expose(),
        address1: address.address1.expose(),
        address2: address.address2.expose(),
        city: address.city.expose(),
        zip: address.zip.expose(),
        province: &address.province,
        province_code: &address.province_code,
        country: &address.country,
        country_code: &address.country_code,
        phone: address.phone.expose(),
    }
}

fn fields(fields: &document::Fields) -> Fields<'_> {
    fields.iter().map(|(name, value)| (name.as_str(), field(value))).collect()
}

fn field(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Bool(flag) => Value::Bool(*flag),
        FieldValue::Text(_) | FieldValue::Number(_) | FieldValue::Time(_) => Value::String(value.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use waybill_domain::{
        Kind, ObjectKey, RecordKey,
        document::{CustomerDocument, FieldValue, LineDocument, OrderDocument},
    };

    use super::Told;

    fn key(role: &str) -> ObjectKey {
        let record = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
        ObjectKey::new(&record, role)
    }

    fn customer() -> CustomerDocument {
        CustomerDocument {
            key: key("customer"),
            source_id: None,
            first_name: "Jo".into(),
            last_name: "Ek".into(),
            email: "jo@example.com".into(),
            phone: "".into(),
            fields: [
                ("tier".to_owned(), FieldValue::Text("gold".into())),
                ("spent".to_owned(), FieldValue::Number("47.60".parse().unwrap())),
                ("vip".to_owned(), FieldValue::Bool(true)),
                ("nickname".to_owned(), FieldValue::Null),
            ]
            .into(),
            policy: Default::default(),
        }
    }

    fn order() -> OrderDocument {
        OrderDocument {
            key: key("order"),
            store: "main".parse().unwrap(),
            source_id: "820982911946154508".parse().unwrap(),
            name: "#1001".to_owned(),
            placed_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            cancelled: false,
            customer: Some(customer()),
            billing_address: None,
            shipping_address: None,
            lines: vec![LineDocument {
                key: key("line-1"),
                source_id: "1".parse().unwrap(),
                item: "TEE-M".to_owned(),
                title: "T-shirt".to_owned(),
                quantity: 2,
                unit_price: "20.00".parse().unwrap(),
                discount: "0.00".parse().unwrap(),
                net: "40.00".parse().unwrap(),
                tax: "7.60".parse().unwrap(),
                tax_codes: vec!["VAT19".to_owned()],
                requires_shipping: true,
                grams: 180,
            }],
            charges: Vec::new(),
            total: "47.60".parse().unwrap(),
            total_tax: "7.60".parse().unwrap(),
            fields: [].into(),
            policy: Default::default(),
        }
    }

    fn body(document: &impl Told) -> Value {
        serde_json::to_value(document.data()).unwrap()
    }

    #[test]
    fn mapped_fields_keep_their_digits_and_null_clears() {
        assert_eq!(
            body(&customer())["fields"],
            json!({ "tier": "gold", "spent": "47.60", "vip": true, "nickname": null })
        );
    }

    #[test]
    fn an_orders_amounts_and_ids_are_texts() {
        let body = body(&order());
        assert_eq!(
            (&body["source_id"], &body["total"], &body["lines"][0]["net"], &body["lines"][0]["quantity"]),
            (&json!("820982911946154508"), &json!("47.60"), &json!("40.00"), &json!(2))
        );
        assert_eq!(body["customer"]["email"], "jo@example.com");
    }

    #[test]
    fn a_cancelled_order_is_told_as_such() {
        assert_eq!(order().kind(), "order.updated");
        assert_eq!(OrderDocument { cancelled: true, ..order() }.kind(), "order.cancelled");
    }
}
