//! People, products, stock and parcels.

use waybill_domain::{
    Money,
    customer::{Address, Customer, Person},
    price::ListPrice,
    product::{Product, Variant},
    shipment::{Fulfilment, ParcelLine, Shipment},
    stock::{InventoryLevel, StockLevel},
};

use super::scalars::{WireError, decimal, from_timestamp_opt, need, parse, parse_opt, to_timestamp};
use crate::wire;

impl From<&Address> for wire::Address {
    fn from(address: &Address) -> Self {
        Self {
            first_name: address.first_name.expose().to_owned(),
            last_name: address.last_name.expose().to_owned(),
            company: address.company.expose().to_owned(),
            address1: address.address1.expose().to_owned(),
            address2: address.address2.expose().to_owned(),
            city: address.city.expose().to_owned(),
            zip: address.zip.expose().to_owned(),
            province: address.province.clone(),
            province_code: address.province_code.clone(),
            country: address.country.clone(),
            country_code: address.country_code.clone(),
            phone: address.phone.expose().to_owned(),
        }
    }
}

impl From<wire::Address> for Address {
    fn from(address: wire::Address) -> Self {
        Self {
            first_name: address.first_name.into(),
            last_name: address.last_name.into(),
            company: address.company.into(),
            address1: address.address1.into(),
            address2: address.address2.into(),
            city: address.city.into(),
            zip: address.zip.into(),
            province: address.province,
            province_code: address.province_code,
            country: address.country,
            country_code: address.country_code,
            phone: address.phone.into(),
        }
    }
}

impl From<&Person> for wire::Person {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.to_string(),
            first_name: person.first_name.expose().to_owned(),
            last_name: person.last_name.expose().to_owned(),
            email: person.email.expose().to_owned(),
            phone: person.phone.expose().to_owned(),
        }
    }
}

impl TryFrom<wire::Person> for Person {
    type Error = WireError;
    fn try_from(person: wire::Person) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("person.id", &person.id)?,
            first_name: person.first_name.into(),
            last_name: person.last_name.into(),
            email: person.email.into(),
            phone: person.phone.into(),
        })
    }
}

impl From<&Customer> for wire::Customer {
    fn from(customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            created_at: customer.created_at.map(to_timestamp),
            first_name: customer.first_name.expose().to_owned(),
            last_name: customer.last_name.expose().to_owned(),
            email: customer.email.expose().to_owned(),
            email_consent: customer.email_consent.clone(),
            phone: customer.phone.expose().to_owned(),
            verified_email: customer.verified_email,
            state: customer.state.clone(),
            note: customer.note.expose().to_owned(),
            tax_exempt: customer.tax_exempt,
            tags: customer.tags.clone(),
            default_address: customer.default_address.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<wire::Customer> for Customer {
    type Error = WireError;
    fn try_from(customer: wire::Customer) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("customer.id", &customer.id)?,
            created_at: from_timestamp_opt("customer.created_at", customer.created_at.as_ref())?,
            first_name: customer.first_name.into(),
            last_name: customer.last_name.into(),
            email: customer.email.into(),
            email_consent: customer.email_consent,
            phone: customer.phone.into(),
            verified_email: customer.verified_email,
            state: customer.state,
            note: customer.note.into(),
            tax_exempt: customer.tax_exempt,
            tags: customer.tags,
            default_address: customer.default_address.map(Into::into),
        })
    }
}

impl From<&Product> for wire::Product {
    fn from(product: &Product) -> Self {
        Self {
            id: product.id.to_string(),
            title: product.title.clone(),
            status: product.status.clone(),
            vendor: product.vendor.clone(),
            tags: product.tags.clone(),
            variants: product
                .variants
                .iter()
                .map(|variant| wire::Variant {
                    id: variant.id.to_string(),
                    sku: variant.sku.clone(),
                    title: variant.title.clone(),
                    price: variant.price.to_string(),
                    inventory_item_id: variant.inventory_item_id.as_ref().map(ToString::to_string),
                })
                .collect(),
        }
    }
}

impl TryFrom<wire::Product> for Product {
    type Error = WireError;
    fn try_from(product: wire::Product) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("product.id", &product.id)?,
            title: product.title,
            status: product.status,
            vendor: product.vendor,
            tags: product.tags,
            variants: product
                .variants
                .into_iter()
                .map(|variant| {
                    Ok(Variant {
                        id: parse("variant.id", &variant.id)?,
                        sku: variant.sku,
                        title: variant.title,
                        price: decimal("variant.price", &variant.price)?,
                        inventory_item_id: parse_opt("variant.inventory_item_id", variant.inventory_item_id.as_ref())?,
                    })
                })
                .collect::<Result<_, WireError>>()?,
        })
    }
}

impl From<&InventoryLevel> for wire::InventoryLevel {
    fn from(level: &InventoryLevel) -> Self {
        Self {
            inventory_item_id: level.inventory_item_id.to_string(),
            location_id: level.location_id.to_string(),
            available: level.available,
        }
    }
}

impl TryFrom<wire::InventoryLevel> for InventoryLevel {
    type Error = WireError;
    fn try_from(level: wire::InventoryLevel) -> Result<Self, WireError> {
        Ok(Self {
            inventory_item_id: parse("level.inventory_item_id", &level.inventory_item_id)?,
            location_id: parse("level.location_id", &level.location_id)?,
            available: level.available,
        })
    }
}

fn to_parcel_lines(lines: &[ParcelLine]) -> Vec<wire::ParcelLine> {
    lines
        .iter()
        .map(|line| wire::ParcelLine { line_id: line.line_id.clone(), sku: line.sku.clone(), quantity: line.quantity })
        .collect()
}

fn from_parcel_lines(lines: Vec<wire::ParcelLine>) -> Vec<ParcelLine> {
    lines.into_iter().map(|line| ParcelLine { line_id: line.line_id, sku: line.sku, quantity: line.quantity }).collect()
}

impl From<&Fulfilment> for wire::Fulfilment {
    fn from(fulfilment: &Fulfilment) -> Self {
        Self {
            id: fulfilment.id.to_string(),
            order_id: fulfilment.order_id.to_string(),
            status: fulfilment.status.clone(),
            location_id: fulfilment.location_id.as_ref().map(ToString::to_string),
            tracking_company: fulfilment.tracking_company.clone(),
            tracking_numbers: fulfilment.tracking_numbers.clone(),
            lines: to_parcel_lines(&fulfilment.lines),
        }
    }
}

impl TryFrom<wire::Fulfilment> for Fulfilment {
    type Error = WireError;
    fn try_from(fulfilment: wire::Fulfilment) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("fulfilment.id", &fulfilment.id)?,
            order_id: parse("fulfilment.order_id", &fulfilment.order_id)?,
            status: fulfilment.status,
            location_id: parse_opt("fulfilment.location_id", fulfilment.location_id.as_ref())?,
            tracking_company: fulfilment.tracking_company,
            tracking_numbers: fulfilment.tracking_numbers,
            lines: from_parcel_lines(fulfilment.lines),
        })
    }
}

impl From<&Shipment> for wire::Shipment {
    fn from(shipment: &Shipment) -> Self {
        Self {
            id: shipment.id.to_string(),
            order_id: shipment.order_id.to_string(),
            order_name: shipment.order_name.clone(),
            carrier: shipment.carrier.clone(),
            tracking_number: shipment.tracking_number.clone(),
            tracking_url: shipment.tracking_url.clone(),
            shipped_at: shipment.shipped_at.map(to_timestamp),
            voided: shipment.voided,
            lines: to_parcel_lines(&shipment.lines),
        }
    }
}

impl TryFrom<wire::Shipment> for Shipment {
    type Error = WireError;
    fn try_from(shipment: wire::Shipment) -> Result<Self, WireError> {
        Ok(Self {
            id: parse("shipment.id", &shipment.id)?,
            order_id: parse("shipment.order_id", &shipment.order_id)?,
            order_name: shipment.order_name,
            carrier: shipment.carrier,
            tracking_number: shipment.tracking_number,
            tracking_url: shipment.tracking_url,
            shipped_at: from_timestamp_opt("shipment.shipped_at", shipment.shipped_at.as_ref())?,
            voided: shipment.voided,
            lines: from_parcel_lines(shipment.lines),
        })
    }
}

impl From<&StockLevel> for wire::StockLevel {
    fn from(level: &StockLevel) -> Self {
        Self { sku: level.sku.clone(), location: level.location.clone(), quantity: level.quantity }
    }
}

impl From<wire::StockLevel> for StockLevel {
    fn from(level: wire::StockLevel) -> Self {
        Self { sku: level.sku, location: level.location, quantity: level.quantity }
    }
}

impl From<&ListPrice> for wire::ListPrice {
    fn from(price: &ListPrice) -> Self {
        Self {
            sku: price.sku.clone(),
            price: Some(Money::new(price.amount, price.currency).into()),
            category: price.category.clone(),
        }
    }
}

impl TryFrom<wire::ListPrice> for ListPrice {
    type Error = WireError;
    fn try_from(price: wire::ListPrice) -> Result<Self, WireError> {
        let money = Money::try_from(need("price.price", price.price)?)?;
        Ok(Self { sku: price.sku, currency: money.currency, amount: money.amount, category: price.category })
    }
}
