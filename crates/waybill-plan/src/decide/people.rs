//! Customers, and the buyers of orders.

use minijinja::Value;
use waybill_domain::{
    Kind, ObjectKey, RecordKey, Snapshot, customer::Customer, document::CustomerDocument, order::Order,
};

use super::{Facts, Unfit, fields, merge};
use crate::{
    expression::Expression,
    plan::{Buyer, Flow, Plan},
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

pub(super) fn document(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    customer: &Customer,
    view: &Value,
) -> Result<CustomerDocument, Unfit> {
    let email: waybill_domain::Personal = customer.email.expose().trim().to_lowercase().into();
    Ok(CustomerDocument {
        key: ObjectKey::new(&snapshot.key, "customer"),
        source_id: Some(customer.id.clone()),
        first_name: customer.first_name.clone(),
        last_name: customer.last_name.clone(),
        policy: merge::person_policy(plan, &email, &customer.phone, view)?,
        email,
        phone: customer.phone.clone(),
        fields: fields(&flow.fields, view)?,
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
) -> Result<Option<CustomerDocument>, Unfit> {
    if let Some(buyer) = &flow.buyer {
        return collective(flow, buyer, snapshot, view).map(Some);
    }
    let email = person_email(order);
    let address = order.billing_address.as_ref().or(order.shipping_address.as_ref());
    if order.customer.is_none() && email.expose().is_empty() && address.is_none() {
        return Ok(None);
    }
    let named = |person: Option<&waybill_domain::Personal>, address: Option<&waybill_domain::Personal>| {
        person.filter(|text| !text.expose().is_empty()).or(address).cloned().unwrap_or_default()
    };
    let own = order.customer.as_ref();
    let person = facts.buyer.as_ref().filter(|person| own.is_some_and(|own| own.id == person.id)).or(own);
    let first_name = named(person.map(|p| &p.first_name), address.map(|a| &a.first_name));
    let last_name = named(person.map(|p| &p.last_name), address.map(|a| &a.last_name));
    let phone = named(person.map(|p| &p.phone), Some(&order.phone));
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
        fields: fields(&flow.customer_fields, &view)?,
    }))
}

/// The one customer that stands for a flow's buyers. Nothing of the person goes there.
fn collective(flow: &Flow, buyer: &Buyer, snapshot: &Snapshot, view: &Value) -> Result<CustomerDocument, Unfit> {
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
        first_name: waybill_domain::Personal::default(),
        last_name: text(&buyer.name, "name")?.into(),
        email: waybill_domain::Personal::default(),
        phone: waybill_domain::Personal::default(),
        fields: fields(&flow.customer_fields, view)?,
        policy: waybill_domain::document::WritePolicy::default(),
    })
}
