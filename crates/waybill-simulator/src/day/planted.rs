//! Records that are wrong on purpose, and what must become of each.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    basket::{Wish, fill, line},
    people::{Market, Person, person_in},
};
use crate::{
    catalogue::{ITEMS, UNKNOWN_ITEM, UNMAPPED_TAX},
    shopify::{NewCustomer, NewLine, NewOrder, Payment, Store},
};

/// What must become of a planted record in one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// `order` or `customer`.
    pub kind: &'static str,
    /// The store's id.
    pub id: String,
    /// What people call it: `#1001`, or the customer's number.
    pub name: String,
    /// The system that must park it, by the name that the example plan gives it.
    pub system: &'static str,
    /// With this code.
    pub code: &'static str,
}

/// A way for a record to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// An item that the ERP does not have.
    UnknownItem,
    /// A tax that the plan's table does not have.
    UnmappedTax,
    /// A postal code that is none of its country.
    InvalidAddress,
    /// A customer whose e-mail the store takes and the CRM does not.
    InvalidEmail,
    /// An order whose stated total is not the sum of its parts.
    WrongSums,
    /// A line without SKU: an item that staff made up.
    MissingSku,
    /// An order that is cancelled once the ERP has booked it and the packers see it: the shipping system cancels its
    /// shipment, and the ERP does not take back what it has processed.
    LateCancellation,
}

/// All flaws.
pub(crate) const FLAWS: &[Flaw] = &[
    Flaw::UnknownItem,
    Flaw::UnmappedTax,
    Flaw::InvalidAddress,
    Flaw::InvalidEmail,
    Flaw::WrongSums,
    Flaw::MissingSku,
    Flaw::LateCancellation,
];

fn customer_of(person: &Person) -> NewCustomer {
    NewCustomer {
        first_name: Some(person.first.clone()),
        last_name: Some(person.last.clone()),
        email: Some(person.email.clone()),
        phone: Some(person.phone.replace(' ', "")),
        address: Some(person.address.clone()),
        ..NewCustomer::default()
    }
}

/// Plants one wrong record.
pub(crate) fn plant(store: &Store, flaw: Flaw, number: usize, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let mut person = person_in(rng, number, Market::Austria);
    if flaw == Flaw::InvalidEmail {
        // The store checks for a sign and a dot; the CRM knows which endings there are.
        person.email = format!("buyer.{number}@example.invalid");
        let id = store.add_customer(customer_of(&person));
        return vec![Planted {
            kind: "customer",
            id: id.to_string(),
            name: id.to_string(),
            system: "crm",
            code: "invalid_email",
        }];
    }
    if flaw == Flaw::InvalidAddress {
        person.address.zip = "A-10".into();
    }
    let customer = store.add_customer(customer_of(&person));
    let mut order = fill(Market::Austria, Wish { editable: true, ..Wish::default() }, rng);
    order.discounts.clear();
    let expected: &[(&'static str, &'static str)] = match flaw {
        Flaw::UnknownItem => {
            order.lines.push(line(Market::Austria, &UNKNOWN_ITEM, 1));
            &[("erp", "unknown_item")]
        }
        Flaw::UnmappedTax => {
            let item = ITEMS.iter().find(|item| item.code == "BOTTLE-750").expect("an item of the catalogue");
            let mut taxed = line(Market::Austria, item, 2);
            taxed.taxes.push((UNMAPPED_TAX.title.into(), UNMAPPED_TAX.rate()));
            // A price that both taxes divide exactly: 25.00 net, 31.25 with 20 % and 5 %.
            taxed.price = Decimal::new(31_25, 2);
            order.lines.push(taxed);
            &[("erp", "unmapped")]
        }
        Flaw::InvalidAddress => &[("shipping", "invalid_address")],
        Flaw::WrongSums => {
            order.skew = Decimal::new(1_00, 2);
            &[("erp", "totals"), ("crm", "totals"), ("shipping", "totals")]
        }
        Flaw::MissingSku => {
            order.lines.push(NewLine {
                sku: None,
                title: "Engraving, by arrangement".into(),
                quantity: 1,
                price: Decimal::new(24_00, 2),
                taxes: order.lines[0].taxes.clone(),
                duty: Decimal::ZERO,
            });
            &[("erp", "missing_sku")]
        }
        Flaw::LateCancellation => &[("erp", "not_amendable")],
        Flaw::InvalidEmail => &[],
    };
    let id = store.place(NewOrder {
        customer: Some(customer),
        email: Some(person.email.clone()),
        billing: Some(person.address.clone()),
        shipping_address: Some(person.address.clone()),
        payment: Payment::Paid,
        ..order
    });
    let name = store.order(id).map(|order| order.name).unwrap_or_default();
    expected
        .iter()
        .map(|(system, code)| Planted { kind: "order", id: id.to_string(), name: name.clone(), system, code })
        .collect()
}
