//! What a query may cost, computed before it runs.
//!
//! Shopify documents the weights (an object one point, a mutation ten, a connection by its `first` or `last`), not the
//! sizing of connections. Recorded answers fit `2 + max(1, ⌊2·ln n⌋) × what one node costs`, `nodes` and `edges` each
//! counted; counts at the root cost ten; of fragments on an interface the dearest counts; amounts of money, page
//! information, user errors, weights, a customer's default address, and a mutation's payload with its first object are
//! free. A test compares with all recorded requests.

use apollo_compiler::{
    ExecutableDocument,
    executable::{Field, Operation, Selection, SelectionSet},
    schema::ExtendedType,
    validation::Valid,
};
use serde_json::{Map, Value};

use super::{document::SCHEMA, execute::arguments};

/// Points of a mutation, and of a count at the root.
pub(crate) const MUTATION: u64 = 10;

/// How many times a node of a connection counts, if it has so many.
pub(crate) fn weight(nodes: u64) -> u64 {
    if nodes == 0 { 0 } else { ((2.0 * (nodes as f64).ln()).floor() as u64).max(1) }
}

/// Points of an object of a type.
pub(crate) fn of_object(type_name: &str) -> u64 {
    let free = ["MoneyBag", "MoneyV2", "PageInfo", "UserError", "ApiVersion", "Count", "SelectedOption", "Weight"];
    u64::from(!free.contains(&type_name) && !type_name.ends_with("UserError"))
}

/// The requested cost of an operation.
pub(crate) fn requested(
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &Map<String, Value>,
) -> u64 {
    let walk = Walk { document, variables };
    if !operation.is_mutation() {
        return walk.selections(&operation.selection_set).max(1);
    }
    operation
        .root_fields(document)
        .map(|field| {
            let payload = &field.selection_set;
            // The payload's own objects come with the mutation's ten points.
            let inside: u64 = payload
                .selections
                .iter()
                .map(|selection| match selection {
                    Selection::Field(field) => walk.selections(&field.selection_set),
                    _ => walk.selection(selection),
                })
                .sum();
            MUTATION + inside
        })
        .sum()
}

struct Walk<'a> {
    document: &'a Valid<ExecutableDocument>,
    variables: &'a Map<String, Value>,
}

impl Walk<'_> {
    fn selections(&self, set: &SelectionSet) -> u64 {
        let costs = || set.selections.iter().map(|selection| (selection, self.selection(selection)));
        if !matches!(SCHEMA.types.get(&set.ty), Some(ExtendedType::Interface(_) | ExtendedType::Union(_))) {
            return costs().map(|(_, cost)| cost).sum();
        }
        let own: u64 = costs().filter(|(selection, _)| selection.as_field().is_some()).map(|(_, cost)| cost).sum();
        own + costs().filter(|(selection, _)| selection.as_field().is_none()).map(|(_, cost)| cost).max().unwrap_or(0)
    }

    fn selection(&self, selection: &Selection) -> u64 {
        match selection {
            Selection::Field(field) => self.field(field),
            Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
            Selection::FragmentSpread(spread) => self
                .document
                .fragments
                .get(&spread.fragment_name)
                .map_or(0, |fragment| self.selections(&fragment.selection_set)),
        }
    }

    fn field(&self, field: &Field) -> u64 {
        let type_name = field.selection_set.ty.as_str();
        if field.selection_set.selections.is_empty()
            || matches!(SCHEMA.types.get(type_name), Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)))
        {
            return 0;
        }
        if !type_name.ends_with("Connection") {
            let own = match (type_name, field.name.as_str()) {
                ("Count", "fulfillmentsCount" | "transactionsCount" | "variantsCount" | "locationsCount") => 0,
                ("Count", _) => MUTATION,
                ("MailingAddress", "defaultAddress") => 0,
                _ => of_object(type_name),
            };
            return own + self.selections(&field.selection_set);
        }
        let size = arguments(field, self.variables);
        let size = |name: &str| size.get(name).and_then(Value::as_u64);
        let nodes = size("first").or_else(|| size("last")).unwrap_or(0);
        2 + weight(nodes) * self.nodes(&field.selection_set)
    }

    /// What one node of a connection costs.
    fn nodes(&self, set: &SelectionSet) -> u64 {
        set.selections
            .iter()
            .map(|selection| match selection {
                Selection::Field(field) if field.name == "nodes" || field.name == "node" => {
                    of_object(field.selection_set.ty.as_str()) + self.selections(&field.selection_set)
                }
                Selection::Field(field) if field.name == "edges" => self.nodes(&field.selection_set),
                Selection::Field(_) => 0,
                Selection::InlineFragment(inline) => self.nodes(&inline.selection_set),
                Selection::FragmentSpread(spread) => self
                    .document
                    .fragments
                    .get(&spread.fragment_name)
                    .map_or(0, |fragment| self.nodes(&fragment.selection_set)),
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::{super::document::parse, requested, weight};

    #[test]
    fn connections_weigh_as_recorded() {
        let recorded = [(0, 0), (1, 1), (2, 1), (3, 2), (5, 3), (10, 4), (20, 5), (50, 7), (250, 11)];
        for (nodes, expected) in recorded {
            assert_eq!(weight(nodes), expected, "{nodes}");
        }
    }

    #[test]
    fn whole_queries_cost_as_recorded() {
        let cost = |text: &str| {
            let document = parse(text).unwrap();
            requested(&document, document.operations.get(None).unwrap(), &Map::new())
        };
        assert_eq!(cost("{ products(first: 1) { nodes { id } } }"), 3);
        assert_eq!(
            cost(
                r#"{ order(id: "gid://shopify/Order/1") { id lineItems(first: 50) { nodes { id
                variant { id } originalUnitPriceSet { shopMoney { amount currencyCode } } } } } }"#
            ),
            17
        );
        assert_eq!(
            cost(
                r#"{ fulfillmentOrder(id: "gid://shopify/FulfillmentOrder/1") { id order { id
                fulfillments(first: 5) { id trackingInfo { number url company } }
                fulfillmentOrders(first: 10) { nodes { id status requestStatus lineItems(first: 10) { nodes { id
                totalQuantity lineItem { id title } } } } } } } }"#
            ),
            50
        );
        assert_eq!(
            cost(
                r#"mutation { fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: []}) { fulfillment { id
                fulfillmentLineItems(first: 5) { nodes { id quantity lineItem { id title } } } }
                userErrors { field message } } }"#
            ),
            18
        );
    }
}
