//! The sales of documents by our key, which is their reference.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Failure, StepCall, sink::looks_before_resending};

use super::Booked;
use crate::{
    Tryton,
    client::Query,
    wire::{Id, OriginalRow, SaleRow, StateRow},
};

/// A sale with its mapped fields as Tryton gave them.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) row: SaleRow,
    pub(crate) raw: Map<String, Json>,
}

/// One sale per key, or why there is not one.
pub(crate) type ByKey<T> = HashMap<String, Result<T, Failure>>;

/// A row that says which of several it is.
pub(crate) trait Referred: Send + Sync + Sized {
    fn read(raw: Map<String, Json>) -> Result<Self, Failure>;
    fn id(&self) -> Id;
    fn reference(&self) -> &str;
    fn state(&self) -> &str;

    /// Whether the sale has the key of a document.
    fn carries<D: Booked>(&self, document: &D) -> bool {
        self.reference() == document.key().as_str()
    }
}

fn typed<T: DeserializeOwned>(raw: Map<String, Json>) -> Result<T, Failure> {
    serde_json::from_value(Json::Object(raw))
        .map_err(|error| Failure::malformed(format!("Tryton's sale cannot be read: {error}"), b""))
}

macro_rules! referred {
    ($($row:ty),+) => {
        $(impl Referred for $row {
            fn read(raw: Map<String, Json>) -> Result<Self, Failure> {
                typed(raw)
            }
            fn id(&self) -> Id {
                self.id
            }
            fn reference(&self) -> &str {
                self.reference.as_deref().unwrap_or_default()
            }
            fn state(&self) -> &str {
                &self.state
            }
        })+
    };
}
referred!(StateRow, SaleRow, OriginalRow);

impl Referred for Sale {
    fn read(raw: Map<String, Json>) -> Result<Self, Failure> {
        Ok(Self { row: SaleRow::read(raw.clone())?, raw })
    }
    fn id(&self) -> Id {
        self.row.id
    }
    fn reference(&self) -> &str {
        self.row.reference()
    }
    fn state(&self) -> &str {
        &self.row.state
    }
}

const SALE_FIELDS: &[&str] = &[
    "currency.code",
    "invoice_address.attn",
    "invoice_address.city",
    "invoice_address.country.code",
    "invoice_address.party.name",
    "invoice_address.party_name",
    "invoice_address.postal_code",
    "invoice_address.street",
    "invoice_address.subdivision.code",
    "lines.description",
    "lines.product.code",
    "lines.quantity",
    "lines.taxes.name",
    "lines.unit_price",
    "number",
    "party.code",
    "reference",
    "shipment_address.attn",
    "shipment_address.city",
    "shipment_address.country.code",
    "shipment_address.party.name",
    "shipment_address.party_name",
    "shipment_address.postal_code",
    "shipment_address.street",
    "shipment_address.subdivision.code",
    "state",
    "tax_amount",
    "total_amount",
];

pub(super) const STATE_FIELDS: &[&str] = &["number", "reference", "state"];

const ORIGINAL_FIELDS: &[&str] = &[
    "currency.code",
    "description",
    "invoice_address",
    "invoice_method",
    "invoice_party",
    "number",
    "party",
    "payment_term",
    "reference",
    "shipment_address",
    "shipment_method",
    "shipment_party",
    "state",
    "warehouse",
];

impl Tryton {
    /// The sales of calls with all that a document may change; those from before us too.
    pub(super) async fn sales<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Result<ByKey<Sale>, Failure> {
        let mapped = calls.iter().flat_map(|call| call.document.fields().keys().map(String::as_str));
        let fields: BTreeSet<&str> = SALE_FIELDS.iter().copied().chain(mapped).chain(["description"]).collect();
        self.by_key_or_rules(calls, &fields.into_iter().collect::<Vec<_>>()).await
    }

    /// The states of calls' sales that carry our key.
    pub(crate) async fn states<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Result<ByKey<StateRow>, Failure> {
        self.by_key(calls, STATE_FIELDS).await
    }

    /// The states of calls' sales; those from before us too.
    pub(crate) async fn states_or_found<D: Booked>(
        &self,
        calls: &[StepCall<'_, D>],
    ) -> Result<ByKey<StateRow>, Failure> {
        self.by_key_or_rules(calls, STATE_FIELDS).await
    }

    /// The sales with these keys, as far as a return takes after them.
    pub(crate) async fn originals(&self, keys: &BTreeSet<&str>) -> Result<ByKey<OriginalRow>, Failure> {
        Ok(settled(self.by_reference(keys, ORIGINAL_FIELDS).await?).0)
    }

    pub(super) async fn by_key<D: Booked, T: Referred>(
        &self,
        calls: &[StepCall<'_, D>],
        fields: &[&str],
    ) -> Result<ByKey<T>, Failure> {
        let keys: BTreeSet<&str> = calls.iter().map(|call| call.document.key().as_str()).collect();
        let mut rows: Vec<T> = self.by_reference(&keys, fields).await?;
        for call in calls.iter().filter(|call| !looks_before_resending(call.document.record().as_str())) {
            let known = call.known.get(D::ROLE).and_then(|id| id.parse().ok());
            rows.retain(|row| row.reference() != call.document.key().as_str() || Some(row.id()) == known);
        }
        let (sales, surplus) = settled(rows);
        if !surplus.is_empty() {
            self.client.delete("sale.sale", &surplus).await?;
        }
        Ok(sales)
    }

    pub(super) async fn by_reference<T: Referred>(
        &self,
        keys: &BTreeSet<&str>,
        fields: &[&str],
    ) -> Result<Vec<T>, Failure> {
        let query = Query::new(json!([["reference", "in", keys]]), fields);
        let rows: Vec<Map<String, Json>> = self.client.find("sale.sale", &query).await?;
        rows.into_iter().map(T::read).collect()
    }
}

/// One sale per reference, which Tryton does not keep unique: the one that has gone further than a draft, else the
/// oldest. The other drafts are surplus; where several have gone further, a person must decide. Cancelled ones count
/// only where there is no other.
fn settled<T: Referred>(rows: Vec<T>) -> (ByKey<T>, Vec<Id>) {
    let mut groups: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.reference().to_owned()).or_default().push(row);
    }
    let mut settled = HashMap::new();
    let mut surplus = Vec::new();
    for (reference, mut group) in groups {
        if group.iter().any(|row| row.state() != "cancelled") {
            group.retain(|row| row.state() != "cancelled");
        }
        group.sort_by_key(|row| (row.state() == "draft", row.id()));
        let (drafts, further): (Vec<_>, Vec<_>) =
            group.iter().skip(1).map(|row| (row.id(), row.state())).partition(|(_, state)| *state == "draft");
        let cancelled = group[0].state() == "cancelled";
        let outcome = if further.is_empty() || cancelled {
            surplus.extend(drafts.iter().map(|(id, _)| *id));
            Ok(group.remove(0))
        } else {
            let message = format!("Tryton has {} sales with the reference {reference}", group.len());
            Err(Failure::rejected("duplicate", "reference", message))
        };
        settled.insert(reference, outcome);
    }
    (settled, surplus)
}

/// The one sale of a call.
pub(crate) fn sale_of<T, D: Booked>(sales: &mut ByKey<T>, call: &StepCall<'_, D>) -> Result<Option<T>, Failure> {
    sales.remove(call.document.key().as_str()).transpose()
}
