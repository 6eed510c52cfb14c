//! Customers, and the buyers of orders.

use std::collections::BTreeMap;

use minijinja::Value;
use waybill_domain::{
    Kind, ObjectKey, Personal, RecordKey, Snapshot, customer::Customer, document::CustomerDocument, order::Order,
};

use super::{Edits, Facts, Unfit, fields, merge};
use crate::{
    expression::Expression,
    plan::{Buyer, Flow, Map, Plan},
    view::{self, person_email},
};

/// The key of a person: the store's customer record where there is one, else the order's buyer.
fn person_key(snapshot: &Snapshot, order: &Order) -> ObjectKey {
    match &order.customer {
        Some(person) => {
            let key = RecordKey { store: snapshot.key.store.clone(), kind: Kind::Customer, id: person.id.clone() };
            ObjectKey::new(&key, "customer")
        }
        None => ObjectKey::new(&snapshot.key, "customer"),
    }
}

/// What a person gave in place of a name, an address or a number. A mapped field of that name is what goes there.
fn edit(edits: &Edits<'_>, at: &str, maps: &BTreeMap<String, Map>, values: [&mut Personal; 4]) {
    for (part, value) in ["first_name", "last_name", "email", "phone"].into_iter().zip(values) {
        if !maps.contains_key(part) {
            edits.personal(format_args!("{at}{part}"), value);
        }
    }
}

pub(super) fn document(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    customer: &Customer,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<CustomerDocument, Unfit> {
    let mut email: Personal = customer.email.expose().trim().to_lowercase().into();
    let Customer { mut first_name, mut last_name, mut phone, .. } = customer.clone();
    edit(edits, "", &flow.fields, [&mut first_name, &mut last_name, &mut email, &mut phone]);
    Ok(CustomerDocument {
        key: ObjectKey::new(&snapshot.key, "customer"),
        source_id: Some(customer.id.clone()),
        first_name,
        last_name,
        policy: merge::person_policy(plan, &email, &phone, view)?,
        email,
        phone,
        fields: fields(&flow.fields, view, edits, "")?,
    })
}

/// An order's buyer; `None` if the order names nobody.
pub(super) fn buyer(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    order: &Order,
    facts: &Facts,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<Option<CustomerDocument>, Unfit> {
    if let Some(buyer) = &flow.buyer {
        return collective(flow, buyer, snapshot, view, edits).map(Some);
    }
    let mut email = person_email(order);
    let address = order.billing_address.as_ref().or(order.shipping_address.as_ref());
    if order.customer.is_none() && email.expose().is_empty() && address.is_none() {
        return Ok(None);
    }
    let named = |person: Option<&Personal>, address: Option<&Personal>| {
        person.filter(|text| !text.expose().is_empty()).or(address).cloned().unwrap_or_default()
    };
    let own = order.customer.as_ref();
    let person = facts.buyer.as_ref().filter(|person| own.is_some_and(|own| own.id == person.id)).or(own);
    let mut first_name = named(person.map(|p| &p.first_name), address.map(|a| &a.first_name));
    let mut last_name = named(person.map(|p| &p.last_name), address.map(|a| &a.last_name));
    let mut phone = named(person.map(|p| &p.phone), Some(&order.phone));
    edit(edits, "customer.", &flow.customer_fields, [&mut first_name, &mut last_name, &mut email, &mut phone]);
    // Within the buyer's fields `customer` is the buyer, whether the store has a record of them or not.
    let shown = minijinja::context! {
        id => person.map(|person| person.id.as_str()).unwrap_or_default(),
        first_name => first_name.expose(), last_name => last_name.expose(),
        email => email.expose(), phone => phone.expose(),
    };
    let view = view::with(view, "customer", shown);
    Ok(Some(CustomerDocument {
        key: person_key(snapshot, order),
        source_id: person.map(|person| person.id.clone()),
        first_name,
        last_name,
        policy: merge::person_policy(plan, &email, &phone, &view)?,
        email,
        phone,
        fields: fields(&flow.customer_fields, &view, edits, "customer.")?,
    }))
}

/// The one customer that stands for a flow's buyers. Nothing of the person goes there.
fn collective(
    flow: &Flow,
    buyer: &Buyer,
    snapshot: &Snapshot,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<CustomerDocument, Unfit> {
    let text = |expression: &Expression, what: &str| {
        let text = expression.text(view).map_err(|error| Unfit::expression(format!("buyer.{what}"), &error))?;
        if text.is_empty() {
            return Err(Unfit::new(
                "map_error",
                format!("buyer.{what}"),
                format!("{}: it is empty", expression.source()),
            ));
        }
        Ok(text)
    };
    let id = text(&buyer.key, "key")?;
    let id = id
        .parse()
        .map_err(|_| Unfit::new("map_error", "buyer.key", format!("'{id}' is no key: use letters, digits, - and _")))?;
    let key = RecordKey { store: snapshot.key.store.clone(), kind: Kind::Customer, id };
    Ok(CustomerDocument {
        key: ObjectKey::new(&key, "customer"),
        source_id: None,
        first_name: Personal::default(),
        last_name: text(&buyer.name, "name")?.into(),
        email: Personal::default(),
        phone: Personal::default(),
        fields: fields(&flow.customer_fields, view, edits, "customer.")?,
        policy: waybill_domain::document::WritePolicy::default(),
    })
}
