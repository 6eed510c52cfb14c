//! `FulfillmentOrder`, `Fulfillment` and what is inside them.

use std::sync::Arc;

use super::{
    Context,
    failure::Failure,
    node::{Arguments, Node, Out, bag, gid, leaf, optional, plain, text},
    orders::weight,
    page::{Entry, Page},
    search::{Field, Search},
};
use crate::shopify::{
    order::{Fulfillment, FulfillmentOrder, FulfillmentOrderStatus, Order},
    state::State,
};

/// A fulfilment order by its id.
pub(crate) fn find_order(state: &State, id: u64) -> Option<Node> {
    state.orders.values().find_map(|order| {
        let one = order.fulfillment_orders.iter().find(|one| one.id == id)?;
        Some(Node::FulfillmentOrder(order.clone(), Arc::new(one.clone())))
    })
}

/// A fulfilment by its id.
pub(crate) fn find(state: &State, id: u64) -> Option<Node> {
    state.orders.values().find_map(|order| {
        let one = order.fulfillments.iter().find(|one| one.id == id)?;
        Some(Node::Fulfillment(order.clone(), Arc::new(one.clone())))
    })
}

fn status(one: &FulfillmentOrder) -> &'static str {
    match one.status {
        FulfillmentOrderStatus::Open => "OPEN",
        FulfillmentOrderStatus::InProgress => "IN_PROGRESS",
        FulfillmentOrderStatus::Closed => "CLOSED",
    }
}

/// `fulfillmentOrders`: those not closed, unless asked for.
pub(crate) fn all_orders(state: &State, given: &Arguments) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?;
    let closed = given.get("includeClosed").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let mut entries = Vec::new();
    for order in state.orders.values() {
        for one in &order.fulfillment_orders {
            let found = search.finds(|field| {
                Some(match field {
                    "updated_at" => Field::Time(one.updated_at),
                    "id" => Field::Number(one.id),
                    "status" => Field::Text(Some(status(one))),
                    "assigned_location_id" => Field::Number(one.location),
                    _ => return None,
                })
            })?;
            if found && (closed || one.status != FulfillmentOrderStatus::Closed) {
                entries.push(Entry::by_id(one.id, Node::FulfillmentOrder(order.clone(), Arc::new(one.clone()))));
            }
        }
    }
    Page::of("FulfillmentOrderConnection", entries, given)
}

fn destination(id: u64, order: &Order) -> Out {
    let Some(to) = &order.shipping else { return Out::Null };
    plain(
        "FulfillmentOrderDestination",
        vec![
            ("id", gid("FulfillmentOrderDestination", id)),
            ("firstName", leaf(&to.first_name)),
            ("lastName", leaf(&to.last_name)),
            ("company", leaf(&to.company)),
            ("address1", leaf(&to.address1)),
            ("address2", leaf(&to.address2)),
            ("city", leaf(&to.city)),
            ("zip", leaf(&to.zip)),
            ("province", leaf(&to.province)),
            ("countryCode", leaf(&to.country_code)),
            ("email", leaf(&order.email)),
            ("phone", leaf(&to.phone)),
        ],
    )
}

/// A field of `FulfillmentOrder`.
pub(crate) fn fulfillment_order(
    context: &Context<'_>,
    order: &Arc<Order>,
    one: &Arc<FulfillmentOrder>,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let state = context.state.borrow();
    let location = state.locations.get(&one.location).cloned();
    Ok(match field {
        "id" => gid("FulfillmentOrder", one.id),
        "createdAt" => leaf(one.created_at.utc()),
        "updatedAt" => leaf(one.updated_at.utc()),
        "status" => leaf(status(one)),
        "requestStatus" => leaf("UNSUBMITTED"),
        "order" => Out::Object(Node::Order(order.clone())),
        "orderId" => gid("Order", order.id),
        "orderName" => leaf(order.name()),
        "orderProcessedAt" => leaf(order.created_at.utc()),
        "fulfillAt" => leaf(order.created_at.utc()),
        "fulfillBy" => Out::Null,
        "fulfillmentHolds" => Out::List(Vec::new()),
        "destination" => destination(one.id, order),
        "deliveryMethod" => plain(
            "DeliveryMethod",
            vec![
                ("id", gid("DeliveryMethod", one.id)),
                ("methodType", leaf(if order.shipping_lines.is_empty() { "NONE" } else { "SHIPPING" })),
                ("presentedName", leaf(order.shipping_lines.first().map(|line| &line.title))),
                ("serviceCode", leaf(order.shipping_lines.first().map(|line| &line.code))),
                ("sourceReference", Out::Null),
                ("minDeliveryDateTime", Out::Null),
                ("maxDeliveryDateTime", Out::Null),
            ],
        ),
        "assignedLocation" => {
            let address = location.as_ref().map(|location| &location.address);
            plain(
                "FulfillmentOrderAssignedLocation",
                vec![
                    ("name", leaf(location.as_ref().map(|location| &location.name))),
                    ("address1", leaf(address.map(|address| &address.address1))),
                    ("address2", leaf(address.and_then(|address| address.address2.as_ref()))),
                    ("city", leaf(address.map(|address| &address.city))),
                    ("zip", leaf(address.map(|address| &address.zip))),
                    ("province", leaf(address.and_then(|address| address.province.as_ref()))),
                    ("countryCode", leaf(address.map(|address| &address.country_code))),
                    ("phone", Out::Null),
                    ("location", optional(location.map(Node::Location))),
                ],
            )
        }
        "supportedActions" => {
            let actions: &[&str] = match one.status {
                FulfillmentOrderStatus::Open => &["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT"],
                FulfillmentOrderStatus::InProgress => {
                    &["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "MARK_AS_OPEN"]
                }
                FulfillmentOrderStatus::Closed => &[],
            };
            let action = |action: &&str| {
                plain("FulfillmentOrderSupportedAction", vec![("action", leaf(action)), ("externalUrl", Out::Null)])
            };
            Out::List(actions.iter().map(action).collect())
        }
        "lineItems" => {
            let mut entries = Vec::new();
            for entry in &one.lines {
                let Some(line) = order.line(entry.line) else { continue };
                let variant = line.variant_id.and_then(|id| super::catalog::find(&state, |variant| variant.id == id));
                let fields = vec![
                    ("id", gid("FulfillmentOrderLineItem", entry.id)),
                    ("lineItem", Out::Object(Node::Line(order.clone(), entry.line))),
                    ("totalQuantity", leaf(entry.total)),
                    ("remainingQuantity", leaf(entry.remaining)),
                    ("requiresShipping", leaf(line.requires_shipping)),
                    ("sku", leaf(&line.sku)),
                    ("productTitle", leaf(&line.title)),
                    ("variantTitle", leaf(&line.variant_title)),
                    ("vendor", leaf(&line.vendor)),
                    ("inventoryItemId", line.inventory_item_id.map_or(Out::Null, |id| gid("InventoryItem", id))),
                    ("weight", weight(line.grams)),
                    ("variant", optional(variant.map(|(product, at)| Node::Variant(product, at)))),
                    ("originalUnitPriceSet", bag(line.price, &order.exchange)),
                ];
                entries.push(Entry::plain(entry.id, plain("FulfillmentOrderLineItem", fields)));
            }
            Page::of("FulfillmentOrderLineItemConnection", entries, given)?
        }
        "fulfillments" => {
            let of_this = |sent: &&Fulfillment| sent.lines.iter().any(|line| line.fulfillment_order == one.id);
            let all = order.fulfillments.iter().filter(of_this);
            let all = all.map(|sent| Entry::by_id(sent.id, Node::Fulfillment(order.clone(), Arc::new(sent.clone()))));
            Page::of("FulfillmentConnection", all.collect(), given)?
        }
        _ => return Err(Failure::unanswered("FulfillmentOrder", field)),
    })
}

/// A field of `Fulfillment`.
pub(crate) fn fulfillment(
    context: &Context<'_>,
    order: &Arc<Order>,
    one: &Arc<Fulfillment>,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    Ok(match field {
        "id" => gid("Fulfillment", one.id),
        "legacyResourceId" => leaf(one.id.to_string()),
        "name" => leaf(format!("{}-F{}", order.name(), one.number)),
        "createdAt" => leaf(one.created_at.utc()),
        "updatedAt" => leaf(one.updated_at.utc()),
        "status" => leaf(if one.cancelled { "CANCELLED" } else { "SUCCESS" }),
        "displayStatus" => leaf(if one.cancelled { "CANCELED" } else { "FULFILLED" }),
        "deliveredAt" | "estimatedDeliveryAt" | "inTransitAt" => Out::Null,
        "order" => Out::Object(Node::Order(order.clone())),
        "location" => optional(context.state.borrow().locations.get(&one.location).cloned().map(Node::Location)),
        "requiresShipping" => {
            leaf(one.lines.iter().any(|part| order.line(part.line).is_some_and(|line| line.requires_shipping)))
        }
        "totalQuantity" => leaf(one.lines.iter().map(|line| line.quantity).sum::<i64>()),
        "trackingInfo" => {
            let first =
                given.get("first").and_then(serde_json::Value::as_u64).map_or(usize::MAX, |first| first as usize);
            let tracking = &one.tracking;
            let all = (0..tracking.numbers.len().max(tracking.urls.len())).take(first);
            Out::List(
                all.map(|at| {
                    plain(
                        "FulfillmentTrackingInfo",
                        vec![
                            ("company", leaf(&tracking.company)),
                            ("number", leaf(tracking.numbers.get(at))),
                            ("url", leaf(tracking.urls.get(at))),
                        ],
                    )
                })
                .collect(),
            )
        }
        "fulfillmentLineItems" => {
            let mut entries = Vec::new();
            for part in &one.lines {
                let Some(line) = order.line(part.line) else { continue };
                let (value, _) = line.worth(part.quantity, &order.exchange);
                let fields = vec![
                    ("id", gid("FulfillmentLineItem", part.id)),
                    ("quantity", leaf(part.quantity)),
                    ("lineItem", Out::Object(Node::Line(order.clone(), part.line))),
                    ("originalTotalSet", bag(line.price.times(part.quantity), &order.exchange)),
                    ("discountedTotalSet", bag(value, &order.exchange)),
                ];
                entries.push(Entry::plain(part.id, plain("FulfillmentLineItem", fields)));
            }
            Page::of("FulfillmentLineItemConnection", entries, given)?
        }
        "fulfillmentOrders" => {
            let of_this = |open: &&FulfillmentOrder| one.lines.iter().any(|line| line.fulfillment_order == open.id);
            let all = order.fulfillment_orders.iter().filter(of_this);
            let all =
                all.map(|open| Entry::by_id(open.id, Node::FulfillmentOrder(order.clone(), Arc::new(open.clone()))));
            Page::of("FulfillmentOrderConnection", all.collect(), given)?
        }
        _ => return Err(Failure::unanswered("Fulfillment", field)),
    })
}
