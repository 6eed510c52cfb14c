//! The fields of `QueryRoot`, and the scopes that they need.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Context, bulk,
    catalog::{levels_of, locations},
    failure::Failure,
    id_of,
    node::{Arguments, Node, Out, count, optional, text},
    page::{Entry, Page},
    search::{Field, Search},
    subscriptions,
};
use crate::shopify::{order::Order, records::Customer};

/// The scope that a root field needs, if it needs one.
fn scope(field: &str) -> Option<&'static str> {
    Some(match field {
        "order" | "orders" | "ordersCount" | "refund" | "orderUpdate" => {
            if field == "orderUpdate" {
                "write_orders"
            } else {
                "read_orders"
            }
        }
        "customer" | "customers" | "customersCount" => "read_customers",
        "product" | "products" | "productsCount" | "productVariant" | "productVariants" => "read_products",
        "productVariantsBulkUpdate" => "write_products",
        "inventoryItem" | "inventoryItems" | "inventoryLevel" => "read_inventory",
        "inventorySetQuantities" => "write_inventory",
        "location" | "locations" => "read_locations",
        "fulfillmentOrder" | "fulfillmentOrders" => "read_merchant_managed_fulfillment_orders",
        "fulfillment" => "read_orders",
        "fulfillmentCreate" | "fulfillmentCancel" | "fulfillmentTrackingInfoUpdate" => {
            "write_merchant_managed_fulfillment_orders"
        }
        _ => return None,
    })
}

/// Whether the app may ask for a root field.
///
/// # Errors
/// `ACCESS_DENIED`, as recorded.
pub(crate) fn allowed(context: &Context<'_>, field: &str) -> Result<(), Failure> {
    let Some(needed) = scope(field) else { return Ok(()) };
    // A scope to write includes the one to read.
    let writes = needed.replacen("read_", "write_", 1);
    if context.store.0.settings.scopes.iter().any(|held| *held == needed || *held == writes) {
        return Ok(());
    }
    Err(Failure::Refused {
        message: format!("Access denied for {field} field. Required access: `{needed}` access scope."),
        code: "ACCESS_DENIED",
        documentation: Some("https://shopify.dev/api/usage/access-scopes"),
    })
}

/// A field of `QueryRoot`.
pub(crate) fn resolve(context: &Context<'_>, field: &str, given: &Arguments) -> Result<Out, Failure> {
    allowed(context, field)?;
    let absent = Value::Null;
    let id = given.get("id").unwrap_or(&absent);
    let state = context.state.borrow();
    let behind = context.store.0.settings.search_behind;
    Ok(match field {
        "shop" => Out::Object(Node::Shop),
        "currentAppInstallation" => Out::Object(Node::AppInstallation),
        "order" => optional(state.orders.get(&id_of("Order", id)?).cloned().map(Node::Order)),
        "orders" => orders(state.orders.values(), given, behind)?,
        "ordersCount" => {
            let search = Search::parse(text(given, "query"))?;
            let mut found = 0;
            for order in state.orders.values() {
                found += usize::from(search.finds(order_field(order))?);
            }
            count(found)
        }
        "customer" => optional(state.customers.get(&id_of("Customer", id)?).cloned().map(Node::Customer)),
        "customers" => {
            let search = Search::parse(text(given, "query"))?.behind(behind);
            let mut entries = Vec::new();
            for customer in state.customers.values() {
                if search.finds(customer_field(customer))? {
                    let key = match text(given, "sortKey") {
                        Some("UPDATED_AT") => customer.updated_at.utc(),
                        Some("CREATED_AT") => customer.created_at.utc(),
                        Some("ID") | None => format!("{:020}", customer.id),
                        Some(other) => return Err(Failure::unanswered("CustomerSortKeys", other)),
                    };
                    entries.push(Entry::by(key, customer.id, Node::Customer(customer.clone())));
                }
            }
            Page::of("CustomerConnection", entries, given)?
        }
        "customersCount" => count(state.customers.len()),
        "product" => optional(state.products.get(&id_of("Product", id)?).cloned().map(Node::Product)),
        "productsCount" => count(state.products.len()),
        "products" => super::catalog::products(&state, given, behind)?,
        "productVariant" => {
            let id = id_of("ProductVariant", id)?;
            optional(
                super::catalog::find(&state, |variant| variant.id == id)
                    .map(|(product, at)| Node::Variant(product, at)),
            )
        }
        "productVariants" => super::catalog::variants(&state, given)?,
        "inventoryItem" => {
            let id = id_of("InventoryItem", id)?;
            let found = super::catalog::find(&state, |variant| variant.inventory_item_id == id);
            optional(found.map(|(product, at)| Node::InventoryItem(product, at)))
        }
        "inventoryItems" => super::catalog::items(&state, given)?,
        "inventoryLevel" => {
            let location = id_of("InventoryLevel", id)?;
            let item = id.as_str().and_then(|text| text.split_once("inventory_item_id=")?.1.parse().ok());
            let item = item.ok_or_else(|| Failure::invalid_id(id.as_str().unwrap_or_default()))?;
            optional(state.levels.get(&(item, location)).map(|_| Node::Level(item, location)))
        }
        "location" => match id {
            Value::Null => optional(state.locations.values().next().cloned().map(Node::Location)),
            id => optional(state.locations.get(&id_of("Location", id)?).cloned().map(Node::Location)),
        },
        "locations" => locations(&state, given)?,
        "fulfillmentOrder" => {
            let id = id_of("FulfillmentOrder", id)?;
            optional(super::sending::find_order(&state, id))
        }
        "fulfillmentOrders" => super::sending::all_orders(&state, given)?,
        "fulfillment" => {
            let id = id_of("Fulfillment", id)?;
            optional(super::sending::find(&state, id))
        }
        "refund" => {
            let id = id_of("Refund", id)?;
            optional(state.orders.values().find_map(|order| {
                let refund = order.refunds.iter().find(|refund| refund.id == id)?;
                Some(Node::Refund(order.clone(), Arc::new(refund.clone())))
            }))
        }
        "webhookSubscription" => {
            let id = id_of("WebhookSubscription", id)?;
            state.subscriptions.get(&id).map_or(Out::Null, subscriptions::body)
        }
        "webhookSubscriptions" => subscriptions::all(&state, given)?,
        "webhookSubscriptionsCount" => count(state.subscriptions.len()),
        "bulkOperation" => {
            drop(state);
            bulk::one(context, id)?
        }
        "currentBulkOperation" => {
            drop(state);
            bulk::current(context, given)
        }
        "node" => node(context, id)?,
        "nodes" => {
            let ids = given.get("ids").and_then(Value::as_array).cloned().unwrap_or_default();
            Out::List(ids.iter().map(|id| node(context, id)).collect::<Result<_, _>>()?)
        }
        _ => return Err(Failure::unanswered("QueryRoot", field)),
    })
}

fn node(context: &Context<'_>, id: &Value) -> Result<Out, Failure> {
    let text = id.as_str().unwrap_or_default();
    let kind = text.strip_prefix("gid://shopify/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let field = match kind {
        "Order" => "order",
        "Customer" => "customer",
        "Product" => "product",
        "ProductVariant" => "productVariant",
        "InventoryItem" => "inventoryItem",
        "InventoryLevel" => "inventoryLevel",
        "Location" => "location",
        "FulfillmentOrder" => "fulfillmentOrder",
        "Fulfillment" => "fulfillment",
        "Refund" => "refund",
        "WebhookSubscription" => "webhookSubscription",
        "BulkOperation" => "bulkOperation",
        other => return Err(Failure::unanswered("QueryRoot.node of", other)),
    };
    resolve(context, field, &Arguments::from_iter([("id".to_owned(), id.clone())]))
}

/// A window on orders, as an index shows them that is so far behind.
pub(crate) fn orders<'a>(
    orders: impl Iterator<Item = &'a Arc<Order>>,
    given: &Arguments,
    behind: Duration,
) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?.behind(behind);
    let mut entries = Vec::new();
    for order in orders {
        if !search.finds(order_field(order))? {
            continue;
        }
        let key = match text(given, "sortKey") {
            Some("UPDATED_AT") => order.updated_at.utc(),
            Some("CREATED_AT" | "PROCESSED_AT") | None => order.created_at.utc(),
            Some("ID" | "ORDER_NUMBER") => format!("{:020}", order.id),
            Some(other) => return Err(Failure::unanswered("OrderSortKeys", other)),
        };
        entries.push(Entry::by(key, order.id, Node::Order(order.clone())));
    }
    Page::of("OrderConnection", entries, given)
}

fn order_field<'a>(order: &'a Order) -> impl Fn(&str) -> Option<Field<'a>> {
    let name = order.name();
    move |field| {
        Some(match field {
            "updated_at" => Field::Time(order.updated_at),
            "created_at" | "processed_at" => Field::Time(order.created_at),
            "id" => Field::Number(order.id),
            "customer_id" => Field::Number(order.customer.unwrap_or_default()),
            "email" => Field::Text(order.email.as_deref()),
            "tag" => Field::Texts(&order.tags),
            "test" => Field::Flag(false),
            "financial_status" => Field::Text(Some(order.financial_status())),
            "fulfillment_status" => Field::Text(Some(order.fulfillment_status().unwrap_or("unfulfilled"))),
            "status" => Field::Text(Some(match (&order.cancelled, &order.closed_at) {
                (Some(_), _) => "cancelled",
                (None, Some(_)) => "closed",
                (None, None) => "open",
            })),
            // A name is found with and without its sign.
            "name" => Field::Number(name.trim_start_matches('#').parse().ok()?),
            _ => return None,
        })
    }
}

fn customer_field<'a>(customer: &'a Customer) -> impl Fn(&str) -> Option<Field<'a>> {
    move |field| {
        Some(match field {
            "updated_at" => Field::Time(customer.updated_at),
            "customer_date" | "created_at" => Field::Time(customer.created_at),
            "id" => Field::Number(customer.id),
            "email" => Field::Text(customer.email.as_deref()),
            "phone" => Field::Text(customer.phone.as_deref()),
            "first_name" => Field::Text(customer.first_name.as_deref()),
            "last_name" => Field::Text(customer.last_name.as_deref()),
            "tag" => Field::Texts(&customer.tags),
            _ => return None,
        })
    }
}

/// The stock of an item at all places.
pub(crate) fn item_levels(context: &Context<'_>, item: u64, given: &Arguments) -> Result<Out, Failure> {
    levels_of(&context.state.borrow(), |(one, _)| one == item, given)
}
