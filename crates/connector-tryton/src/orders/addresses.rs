//! The addresses of orders. A party's addresses are found by their content and never changed: older sales show them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value as Json, json};
use waybill_connector::{Applied, Effect, Failure, Known};
use waybill_domain::document::OrderDocument;

use super::Call;
use crate::{
    Tryton,
    client::Query,
    mapping::address::{self, PostalAddress},
    steps::Outcomes,
    wire::{AddressRow, Id},
};

pub(super) const INVOICE: &str = "invoice_address";
pub(super) const SHIPMENT: &str = "shipment_address";

/// The document's names of the two addresses.
const FIELDS: [&str; 2] = ["billing_address", "shipping_address"];

const ADDRESS_FIELDS: &[&str] =
    &["attn", "city", "country.code", "party.name", "party_name", "postal_code", "street", "subdivision.code"];

/// An address as Tryton can hold it, with the ids of its country and subdivision.
type Place = (PostalAddress, Option<Id>, Option<Id>);

impl Tryton {
    /// The two addresses of each document, as Tryton can hold them.
    pub(super) async fn places(
        &self,
        documents: &[&OrderDocument],
    ) -> Result<Vec<Result<[Place; 2], Failure>>, Failure> {
        let wanted: Vec<[PostalAddress; 2]> = documents.iter().map(|document| address::of_order(document)).collect();
        self.book.learn_places(&self.client, &wanted.iter().flatten().collect::<Vec<_>>()).await?;
        Ok(wanted
            .into_iter()
            .map(|[invoice, shipment]| {
                Ok([self.book.place(invoice, FIELDS[0])?, self.book.place(shipment, FIELDS[1])?])
            })
            .collect())
    }

    pub(super) async fn apply_addresses(&self, calls: &[Call<'_>]) -> Outcomes {
        let parties = self.parties_of(calls).await?;
        let places = self.places(&calls.iter().map(|call| call.document).collect::<Vec<_>>()).await?;
        let there = self.address_rows(parties.iter().flatten().copied().flatten().collect()).await?;
        let mut missing: BTreeMap<(Id, PostalAddress), Json> = BTreeMap::new();
        for (party, places) in parties.iter().zip(&places) {
            let (Ok(Some(party)), Ok(places)) = (party, places) else { continue };
            for (address, country, subdivision) in places {
                if found(&there, *party, address).is_none() {
                    let values = address.values(*party, *country, *subdivision);
                    missing.insert((*party, address.clone()), values);
                }
            }
        }
        let values: Vec<Json> = missing.values().cloned().collect();
        let outcomes = self.client.create("party.address", Effect::UnkeyedWrite, &values).await;
        let made: HashMap<(Id, PostalAddress), Result<Id, Failure>> = missing.into_keys().zip(outcomes).collect();
        Ok(parties
            .into_iter()
            .zip(places)
            .map(|(party, places)| {
                let party =
                    party?.ok_or_else(|| Failure::Transient { message: "the party is not there".to_owned() })?;
                let mut ids = [0; 2];
                let mut wrote = false;
                for (id, (address, ..)) in ids.iter_mut().zip(places?) {
                    match found(&there, party, &address) {
                        Some(there) => *id = there,
                        None => {
                            *id = made.get(&(party, address)).cloned().unwrap_or_else(|| {
                                Err(Failure::Transient { message: "the address is not there".to_owned() })
                            })?;
                            wrote = true;
                        }
                    }
                }
                Ok(applied(ids, wrote))
            })
            .collect())
    }

    pub(super) async fn find_addresses(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let Some(party) = self.party_of(call).await? else { return Ok(None) };
        let places = self.places(&[call.document]).await?.remove(0)?;
        let there = self.address_rows(BTreeSet::from([party])).await?;
        let ids: Vec<Id> = places.iter().filter_map(|(address, ..)| found(&there, party, address)).collect();
        Ok(<[Id; 2]>::try_from(ids).ok().map(|ids| applied(ids, false)))
    }

    async fn address_rows(&self, parties: BTreeSet<Id>) -> Result<Vec<AddressRow>, Failure> {
        if parties.is_empty() {
            return Ok(Vec::new());
        }
        self.client.find("party.address", &Query::new(json!([["party", "in", parties]]), ADDRESS_FIELDS)).await
    }
}

/// The oldest record that is the address.
fn found(rows: &[AddressRow], party: Id, address: &PostalAddress) -> Option<Id> {
    let is_partys = |row: &&AddressRow| row.party.as_ref().is_some_and(|there| there.id == party);
    rows.iter().filter(is_partys).find(|row| address.is(row)).map(|row| row.id)
}

fn applied([invoice, shipment]: [Id; 2], wrote: bool) -> Applied {
    let known = [(INVOICE, invoice), (SHIPMENT, shipment)];
    let known: Known = known.into_iter().map(|(role, id)| (role.to_owned(), id.to_string())).collect();
    Applied { external_id: None, known, wrote }
}
