//! Connections: windows on sorted lists.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    node::{Arguments, Node, Out, leaf, plain},
};

/// A node with what it is sorted by.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Sortable as text: instants in RFC 3339, numbers padded.
    pub(crate) key: String,
    pub(crate) id: u64,
    pub(crate) node: Out,
}

impl Entry {
    /// An entry that is sorted by its id.
    pub(crate) fn by_id(id: u64, node: Node) -> Self {
        Self { key: format!("{id:020}"), id, node: Out::Object(node) }
    }

    /// An entry that is sorted by a text.
    pub(crate) fn by(key: String, id: u64, node: Node) -> Self {
        Self { key, id, node: Out::Object(node) }
    }

    /// An entry whose node is a small object.
    pub(crate) fn plain(id: u64, node: Out) -> Self {
        Self { key: format!("{id:020}"), id, node }
    }

    fn cursor(&self) -> String {
        STANDARD.encode(json!({"last_id": self.id, "last_value": self.key}).to_string())
    }

    fn place(&self) -> (&str, u64) {
        (&self.key, self.id)
    }
}

/// The argument, of no schema, by which a bulk operation asks for all of a connection.
pub(crate) const WHOLE: &str = "__whole";

/// A window on a list.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) type_name: &'static str,
    pub(crate) entries: Vec<Entry>,
    more_before: bool,
    more_after: bool,
}

fn read_cursor(text: &str) -> Result<(String, u64), Failure> {
    let invalid = || Failure::bad_request(format!("Invalid cursor for current pagination sort: {text}"));
    let bytes = STANDARD.decode(text).map_err(|_| invalid())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    match (value["last_value"].as_str(), value["last_id"].as_u64()) {
        (Some(key), Some(id)) => Ok((key.to_owned(), id)),
        _ => Err(invalid()),
    }
}

impl Page {
    /// The window that `first`, `after`, `last`, `before` and `reverse` open on a list.
    ///
    /// # Errors
    /// As recorded: neither or both of `first` and `last`; a cursor that is none.
    pub(crate) fn of(type_name: &'static str, mut entries: Vec<Entry>, given: &Arguments) -> Result<Out, Failure> {
        if given.contains_key(WHOLE) {
            entries.sort_by(|one, other| one.place().cmp(&other.place()));
            return Ok(Out::Page(Self { type_name, entries, more_before: false, more_after: false }));
        }
        let size = |name: &str| given.get(name).and_then(Value::as_i64);
        let (first, last) = (size("first"), size("last"));
        if first.is_none() && last.is_none() {
            return Err(Failure::bad_request("you must provide one of first or last"));
        }
        if first.is_some() && last.is_some() {
            return Err(Failure::bad_request("providing both first and last is not supported"));
        }
        let wanted = first.or(last).unwrap_or_default();
        let name = if first.is_some() { "first" } else { "last" };
        if wanted < 0 {
            return Err(Failure::bad_request(format!("{name} must be non-negative")));
        }
        if wanted > 250 {
            // Source: shopify.dev, "Paginating results with GraphQL": up to 250 resources.
            return Err(Failure::bad_request(format!("{name} cannot exceed 250")));
        }
        entries.sort_by(|one, other| one.place().cmp(&other.place()));
        let reverse = given.get("reverse").and_then(Value::as_bool).unwrap_or(false);
        if reverse {
            entries.reverse();
        }
        let total = entries.len();
        let (mut from, mut to) = (0, total);
        if let Some(after) = given.get("after").and_then(Value::as_str) {
            let cursor = read_cursor(after)?;
            let place = (cursor.0.as_str(), cursor.1);
            from =
                entries.partition_point(|entry| if reverse { entry.place() >= place } else { entry.place() <= place });
        }
        if let Some(before) = given.get("before").and_then(Value::as_str) {
            let cursor = read_cursor(before)?;
            let place = (cursor.0.as_str(), cursor.1);
            to = entries.partition_point(|entry| if reverse { entry.place() > place } else { entry.place() < place });
        }
        let to = to.max(from);
        let wanted = wanted as usize;
        let (from, to) =
            if first.is_some() { (from, to.min(from + wanted)) } else { (from.max(to.saturating_sub(wanted)), to) };
        let entries = entries.drain(from..to).collect();
        Ok(Out::Page(Self { type_name, entries, more_before: from > 0, more_after: to < total }))
    }

    /// `edges`, `nodes` or `pageInfo`.
    ///
    /// # Errors
    /// That there is no answer here.
    pub(crate) fn resolve(&self, field: &str) -> Result<Out, Failure> {
        let edge = match self.type_name {
            "OrderConnection" => "OrderEdge",
            "LineItemConnection" => "LineItemEdge",
            "CustomerConnection" => "CustomerEdge",
            "ProductConnection" => "ProductEdge",
            "ProductVariantConnection" => "ProductVariantEdge",
            "InventoryItemConnection" => "InventoryItemEdge",
            "InventoryLevelConnection" => "InventoryLevelEdge",
            "LocationConnection" => "LocationEdge",
            "FulfillmentConnection" => "FulfillmentEdge",
            "FulfillmentLineItemConnection" => "FulfillmentLineItemEdge",
            "FulfillmentOrderConnection" => "FulfillmentOrderEdge",
            "FulfillmentOrderLineItemConnection" => "FulfillmentOrderLineItemEdge",
            "RefundLineItemConnection" => "RefundLineItemEdge",
            "RefundShippingLineConnection" => "RefundShippingLineEdge",
            "OrderAdjustmentConnection" => "OrderAdjustmentEdge",
            "OrderTransactionConnection" => "OrderTransactionEdge",
            "ShippingLineConnection" => "ShippingLineEdge",
            "SalesAgreementConnection" => "SalesAgreementEdge",
            "MetafieldConnection" => "MetafieldEdge",
            "MailingAddressConnection" => "MailingAddressEdge",
            "WebhookSubscriptionConnection" => "WebhookSubscriptionEdge",
            other => return Err(Failure::unanswered(other, field)),
        };
        Ok(match field {
            "nodes" => Out::List(self.entries.iter().map(|entry| entry.node.clone()).collect()),
            "edges" => Out::List(
                self.entries
                    .iter()
                    .map(|entry| plain(edge, vec![("cursor", leaf(entry.cursor())), ("node", entry.node.clone())]))
                    .collect(),
            ),
            "pageInfo" => plain(
                "PageInfo",
                vec![
                    ("hasNextPage", leaf(self.more_after)),
                    ("hasPreviousPage", leaf(self.more_before)),
                    ("startCursor", leaf(self.entries.first().map(Entry::cursor))),
                    ("endCursor", leaf(self.entries.last().map(Entry::cursor))),
                ],
            ),
            _ => return Err(Failure::unanswered(self.type_name, field)),
        })
    }
}
