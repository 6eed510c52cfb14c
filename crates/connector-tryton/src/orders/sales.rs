//! The sales of orders by our key, which is their reference.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Applied, Failure, Known};

use super::Call;
use crate::{
    Tryton,
    client::Query,
    wire::{Id, SaleRow, StateRow},
};

/// Roles in [`Known`].
pub(super) const ORDER: &str = "order";
pub(super) const STATE: &str = "sale_state";
pub(super) const HASH: &str = "sale_hash";
pub(super) const NUMBER: &str = "sale_number";

/// A sale with its mapped fields as Tryton gave them.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    pub(super) row: SaleRow,
    pub(super) raw: Map<String, Json>,
}

/// One sale per reference, or why there is not one.
pub(super) type ByReference<T> = HashMap<String, Result<T, Failure>>;

/// A row that says which of several it is.
pub(super) trait Referred {
    fn id(&self) -> Id;
    fn reference(&self) -> &str;
    fn state(&self) -> &str;
}

impl Referred for StateRow {
    fn id(&self) -> Id {
        self.id
    }
    fn reference(&self) -> &str {
        self.reference.as_deref().unwrap_or_default()
    }
    fn state(&self) -> &str {
        &self.state
    }
}

impl Referred for Sale {
    fn id(&self) -> Id {
        self.row.id
    }
    fn reference(&self) -> &str {
        self.row.reference.as_deref().unwrap_or_default()
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
    "invoice_address.party_name",
    "invoice_address.postal_code",
    "invoice_address.street_unstructured",
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
    "shipment_address.party_name",
    "shipment_address.postal_code",
    "shipment_address.street_unstructured",
    "shipment_address.subdivision.code",
    "state",
    "tax_amount",
    "total_amount",
];

impl Tryton {
    /// The sales of calls with all that a document may change.
    pub(super) async fn sales(&self, calls: &[Call<'_>]) -> Result<ByReference<Sale>, Failure> {
        let mut fields = SALE_FIELDS.to_vec();
        let mapped: BTreeSet<&str> =
            calls.iter().flat_map(|call| call.document.fields.keys().map(String::as_str)).collect();
        fields.extend(mapped.into_iter().chain(["description"]).filter(|name| !SALE_FIELDS.contains(name)));
        fields.sort_unstable();
        fields.dedup();
        let rows: Vec<Map<String, Json>> = self.by_reference(calls, &fields).await?;
        let sales = rows
            .into_iter()
            .map(|raw| {
                let row = serde_json::from_value(Json::Object(raw.clone()))
                    .map_err(|error| Failure::malformed(format!("Tryton's sale cannot be read: {error}"), b""))?;
                Ok(Sale { row, raw })
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        self.settle(sales).await
    }

    /// The states of calls' sales.
    pub(super) async fn states(&self, calls: &[Call<'_>]) -> Result<ByReference<StateRow>, Failure> {
        let rows: Vec<StateRow> = self.by_reference(calls, &["reference", "state", "number"]).await?;
        self.settle(rows).await
    }

    async fn by_reference<T: DeserializeOwned>(&self, calls: &[Call<'_>], fields: &[&str]) -> Result<Vec<T>, Failure> {
        let keys: BTreeSet<&str> = calls.iter().map(|call| call.document.key.as_str()).collect();
        let domain = json!([["reference", "in", keys]]);
        self.client.find("sale.sale", &Query::new(domain, fields)).await
    }

    /// One sale per reference, which Tryton does not keep unique: the one that has gone further than a draft, else the
    /// oldest. The other drafts are removed; where several have gone further, a person must decide. Cancelled ones
    /// count only where there is no other.
    async fn settle<T: Referred>(&self, rows: Vec<T>) -> Result<ByReference<T>, Failure> {
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
        if !surplus.is_empty() {
            self.client.delete("sale.sale", &surplus).await?;
        }
        Ok(settled)
    }
}

/// What a sale's row says for later steps.
pub(super) fn applied(id: Id, state: &str, number: Option<&str>, wrote: bool) -> Applied {
    let mut known = Known::from([(ORDER.to_owned(), id.to_string()), (STATE.to_owned(), state.to_owned())]);
    if let Some(number) = number {
        known.insert(NUMBER.to_owned(), number.to_owned());
    }
    Applied { external_id: number.map(str::to_owned), known, wrote }
}

/// The same with the document's hash: the sale holds the document.
pub(super) fn holds(mut applied: Applied, call: &Call<'_>) -> Applied {
    applied.known.insert(HASH.to_owned(), crate::mapping::sale::hash(call.document));
    applied
}

/// Whether the document is the one that the sale was last made to hold.
pub(super) fn is_held(call: &Call<'_>) -> bool {
    call.known.get(HASH).is_some_and(|hash| *hash == crate::mapping::sale::hash(call.document))
}
