//! What is there of the records that were written: batches of reads, and nothing else.

use std::collections::{BTreeSet, HashMap};

use waybill_connector::{Failure, Finding, Look, LookCall, Seen};
use waybill_domain::{
    Personal,
    document::{CustomerDocument, MatchBy, MatchRule, OnMatch, OrderDocument, ShipmentDocument, WritePolicy},
};

use crate::{
    ADOPTED_PROPERTY, CONTACT_KEY_PROPERTY, HubSpot,
    batch::{Deadline, MOST_INPUTS},
    contacts::CUSTOMER,
    matching::{Place, Sought},
    orders::ORDER,
    wire::{Kind, Object},
};

/// The role under which a missing association is told.
const ASSOCIATION: &str = "association";

type Looks = Vec<Result<Look, Failure>>;
type Records = Vec<Result<Option<Object>, Failure>>;

/// A person by id, key and e-mail: HubSpot has one contact for each address, so two stores' customers share it.
fn person<'a>(document: &'a CustomerDocument, known: Option<&'a str>) -> Sought<'a> {
    let email = document.email.expose();
    let by_email = MatchRule { by: MatchBy::Email, value: Personal::new(email), ask: false };
    let rules = if email.is_empty() { Vec::new() } else { vec![by_email] };
    Sought { key: document.key.as_str(), id: known, rules, on_match: &OnMatch::Merge }
}

/// A contact that carries no key is none of ours, whatever its address: ours was deleted and a person made another.
fn ours(place: Place) -> Option<Object> {
    match place {
        Place::Ours(record) => Some(record),
        Place::Before(record) => Some(record).filter(|record| !record.value(CONTACT_KEY_PROPERTY).is_empty()),
        Place::Nowhere => None,
    }
}

/// The fields that are written of a record that was adopted for some of them only.
fn only(record: &Object, policy: &WritePolicy) -> Option<BTreeSet<String>> {
    match &policy.on_match {
        OnMatch::Fields(names) if record.value(ADOPTED_PROPERTY) == "true" => Some(names.clone()),
        OnMatch::Fields(_) | OnMatch::Merge | OnMatch::CreateSecond => None,
    }
}

fn seen(role: &str, record: Option<&Object>, policy: &WritePolicy) -> Seen {
    let Some(record) = record else {
        return Seen { findings: vec![Finding::Missing { role: role.to_owned() }], ..Seen::default() };
    };
    Seen {
        findings: Vec::new(),
        only: only(record, policy).map(|names| (role.to_owned(), names)).into_iter().collect(),
    }
}

impl HubSpot {
    async fn there(&self, kind: Kind, sought: &[Sought<'_>]) -> Records {
        let places = self.locate(kind, sought, [], Deadline::from_now()).await;
        places.into_iter().map(|place| place.map(ours)).collect()
    }

    pub(crate) async fn look_for_customers(&self, calls: &[LookCall<'_, CustomerDocument>]) -> Looks {
        let sought: Vec<_> =
            calls.iter().map(|call| person(call.document, call.known.get(CUSTOMER).map(String::as_str))).collect();
        let records = self.there(Kind::Contacts, &sought).await;
        let look = |(record, call): (Result<Option<Object>, Failure>, &LookCall<'_, CustomerDocument>)| {
            Ok(Look::Seen(seen(CUSTOMER, record?.as_ref(), &call.document.policy)))
        };
        records.into_iter().zip(calls).map(look).collect()
    }

    /// Parcels are properties of their orders. Several parcels write the same ones, so that only the order's being
    /// there is looked at.
    pub(crate) async fn look_for_shipments(&self, calls: &[LookCall<'_, ShipmentDocument>]) -> Looks {
        let id = |call: &LookCall<'_, ShipmentDocument>| call.known.get(ORDER).cloned();
        let ids: Vec<Option<String>> = calls.iter().map(id).collect();
        let sought: Vec<_> = calls
            .iter()
            .zip(&ids)
            .map(|(call, id)| Sought::written(call.document.order_key.as_str(), id.as_deref()))
            .collect();
        let records = self.there(Kind::Orders, &sought).await;
        let look = |record: Option<Object>| record.map_or_else(|| Look::missing(ORDER), |_| Look::whole());
        records.into_iter().map(|record| record.map(look)).collect()
    }

    /// Orders, their buyers' contacts, and what holds the two together.
    pub(crate) async fn look_for_orders(&self, calls: &[LookCall<'_, OrderDocument>]) -> Looks {
        let sought: Vec<_> = calls
            .iter()
            .map(|call| Sought::written(call.document.key.as_str(), call.known.get(ORDER).map(String::as_str)))
            .collect();
        let orders = self.there(Kind::Orders, &sought).await;
        let people: Vec<_> =
            calls.iter().filter_map(|call| call.document.customer.as_ref()).map(|one| person(one, None)).collect();
        let mut contacts = self.there(Kind::Contacts, &people).await.into_iter();
        let contacts: Records = calls
            .iter()
            .map(|call| if call.document.customer.is_some() { contacts.next().unwrap_or(Ok(None)) } else { Ok(None) })
            .collect();
        let ids: Vec<&str> = orders.iter().flatten().flatten().map(|order| order.id.as_str()).collect();
        let associated = self.contacts_of(&ids).await;
        calls
            .iter()
            .zip(orders.iter().zip(contacts))
            .map(|(call, (order, contact))| {
                look_at_order(call.document, order.clone()?, contact?, associated.as_ref().map_err(Failure::clone)?)
            })
            .collect()
    }

    /// The contacts that each of these orders is associated with.
    async fn contacts_of(&self, orders: &[&str]) -> Result<HashMap<String, Vec<String>>, Failure> {
        let mut of = HashMap::new();
        for part in orders.chunks(MOST_INPUTS) {
            for one in self.client.associations(part).await?.results {
                of.insert(one.from.id, one.to.into_iter().map(|to| to.to_object_id).collect());
            }
        }
        Ok(of)
    }
}

fn look_at_order(
    document: &OrderDocument,
    order: Option<Object>,
    contact: Option<Object>,
    associated: &HashMap<String, Vec<String>>,
) -> Result<Look, Failure> {
    let mut look = seen(ORDER, order.as_ref(), &document.policy);
    if let Some(buyer) = &document.customer {
        let of_buyer = seen(CUSTOMER, contact.as_ref(), &buyer.policy);
        look.findings.extend(of_buyer.findings);
        look.only.extend(of_buyer.only);
    }
    if let (Some(order), Some(contact)) = (order, contact)
        && !associated.get(&order.id).is_some_and(|contacts| contacts.contains(&contact.id))
    {
        look.findings.push(Finding::Missing { role: ASSOCIATION.to_owned() });
    }
    Ok(Look::Seen(look))
}
