//! Customers and addresses.

use waybill_domain::{
    Kind,
    customer::{Address, Customer, Person},
};

use super::{
    Parsed, Problem,
    json::{Node, Read},
};

/// Where bodies from before 2025-01 carry the consent.
const CONSENT: &str = "email_marketing_consent";

/// The fields of a customer that a body does not carry.
pub(super) fn lacks(root: &Node<'_, '_>) -> &'static [&'static str] {
    match (root.has("tags"), root.has(CONSENT)) {
        (true, true) => &[],
        (true, false) => &["email_consent"],
        (false, true) => &["tags"],
        (false, false) => &["tags", "email_consent"],
    }
}

pub(super) fn read(root: &Node<'_, '_>) -> Read<Customer> {
    Ok(Customer {
        id: root.own_id("Customer")?,
        created_at: root.at("created_at").time()?,
        first_name: root.at("first_name").personal()?,
        last_name: root.at("last_name").personal()?,
        email: root.at("email").personal()?,
        email_consent: root.at(CONSENT).at("state").word()?,
        phone: root.at("phone").personal()?,
        verified_email: root.at("verified_email").flag()?,
        state: root.at("state").word()?,
        note: root.at("note").personal()?,
        tax_exempt: root.at("tax_exempt").flag()?,
        tags: root.at("tags").tags()?,
        default_address: address(&root.at("default_address"))?,
    })
}

/// The customer as an order carries it.
pub(super) fn person(node: &Node<'_, '_>) -> Read<Option<Person>> {
    let Some(node) = node.object()? else {
        return Ok(None);
    };
    Ok(Some(Person {
        id: node.own_id("Customer")?,
        first_name: node.at("first_name").personal()?,
        last_name: node.at("last_name").personal()?,
        email: node.at("email").personal()?,
        phone: node.at("phone").personal()?,
    }))
}

pub(super) fn address(node: &Node<'_, '_>) -> Read<Option<Address>> {
    let Some(node) = node.object()? else {
        return Ok(None);
    };
    Ok(Some(Address {
        first_name: node.at("first_name").personal()?,
        last_name: node.at("last_name").personal()?,
        company: node.at("company").personal()?,
        address1: node.at("address1").personal()?,
        address2: node.at("address2").personal()?,
        city: node.at("city").personal()?,
        zip: node.at("zip").personal()?,
        province: node.at("province").text()?,
        province_code: node.at("province_code").text()?,
        country: node.at("country").text()?,
        country_code: node.at("country_code").text()?,
        phone: node.at("phone").personal()?,
    }))
}

/// `customers/merge`: once it is completed, one customer has taken in the other, and both are read again.
pub(super) fn merged(root: &Node<'_, '_>) -> Read<Parsed> {
    if root.at("status").word()? != "completed" {
        return Ok(Parsed::Unknown);
    }
    let customer = |key| {
        let node = root.at(key);
        let id = node.id("Customer")?.ok_or_else(|| node.wrong(Problem::Missing))?;
        Ok(Parsed::Refetch { kind: Kind::Customer, id })
    };
    Ok(Parsed::Several(vec![
        customer("admin_graphql_api_customer_kept_id")?,
        customer("admin_graphql_api_customer_deleted_id")?,
    ]))
}
