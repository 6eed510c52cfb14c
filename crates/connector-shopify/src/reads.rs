//! GraphQL answers → the domain's records, equal to what webhooks give of the same state. Pure.

mod order;

use jiff::Timestamp;
use waybill_connector::Failure;
use waybill_domain::{
    Body, Personal, RecordId,
    customer::{Address, Customer, Person},
    product::{Product, Variant},
    stock::InventoryLevel,
};

pub(crate) use order::order;

use crate::{amount, gid, wire};

/// A record as the API shows it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Its state.
    pub body: Body,
    /// When it last changed at the source.
    pub source_updated_at: Timestamp,
}

pub(crate) fn customer(answer: wire::Customer) -> Result<Fetched, Failure> {
    let email_consent = answer.person.default_email_address.as_ref().and_then(|email| email.marketing_state.as_deref());
    let email_consent = email_consent.unwrap_or_default().to_ascii_lowercase();
    let person = person(answer.person)?;
    let customer = Customer {
        id: person.id,
        created_at: Some(answer.created_at),
        first_name: person.first_name,
        last_name: person.last_name,
        email: person.email,
        email_consent,
        phone: person.phone,
        verified_email: answer.verified_email,
        state: answer.state.to_ascii_lowercase(),
        note: answer.note.unwrap_or_default(),
        tax_exempt: answer.tax_exempt,
        tags: answer.tags,
        default_address: answer.default_address.map(address),
    };
    Ok(Fetched { body: Body::Customer(Box::new(customer)), source_updated_at: answer.updated_at })
}

fn person(answer: wire::OrderCustomer) -> Result<Person, Failure> {
    Ok(Person {
        id: id("Customer", &answer.id)?,
        first_name: answer.first_name.unwrap_or_default(),
        last_name: answer.last_name.unwrap_or_default(),
        email: answer.default_email_address.map(|email| email.email_address).unwrap_or_default(),
        phone: answer.default_phone_number.map(|phone| phone.phone_number).unwrap_or_default(),
    })
}

fn address(answer: wire::Address) -> Address {
    let personal = |part: Option<Personal>| part.unwrap_or_default();
    let text = |part: Option<String>| part.unwrap_or_default();
    Address {
        first_name: personal(answer.first_name),
        last_name: personal(answer.last_name),
        company: personal(answer.company),
        address1: personal(answer.address1),
        address2: personal(answer.address2),
        city: personal(answer.city),
        zip: personal(answer.zip),
        province: text(answer.province),
        province_code: text(answer.province_code),
        country: text(answer.country),
        country_code: text(answer.country_code_v2),
        phone: personal(answer.phone),
    }
}

pub(crate) fn product(answer: wire::Product) -> Result<Fetched, Failure> {
    let variant = |answer: wire::Variant| {
        Ok(Variant {
            id: id("ProductVariant", &answer.id)?,
            sku: answer.sku.unwrap_or_default(),
            title: answer.title,
            price: amount::price(answer.price),
            inventory_item_id: Some(id("InventoryItem", &answer.inventory_item.id)?),
        })
    };
    let product = Product {
        id: id("Product", &answer.id)?,
        title: answer.title,
        status: answer.status.to_ascii_lowercase(),
        vendor: answer.vendor,
        tags: answer.tags,
        variants: answer.variants.nodes.into_iter().map(variant).collect::<Result<_, Failure>>()?,
    };
    Ok(Fetched { body: Body::Product(product), source_updated_at: answer.updated_at })
}

pub(crate) fn inventory_level(item: &RecordId, location: &RecordId, level: &wire::Level) -> Fetched {
    let level_now = InventoryLevel {
        inventory_item_id: item.clone(),
        location_id: location.clone(),
        available: level.quantity("available"),
    };
    Fetched { body: Body::InventoryLevel(level_now), source_updated_at: level.updated_at }
}

/// The record id within a global id.
pub(crate) fn id(object: &str, gid: &str) -> Result<RecordId, Failure> {
    gid::record_id(object, gid)
        .ok_or_else(|| Failure::malformed(format!("the answer has no {object} id where one belongs"), gid.as_bytes()))
}
