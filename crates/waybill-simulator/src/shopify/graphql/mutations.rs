//! The fields of `Mutation`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Context, bulk,
    failure::Failure,
    id_of,
    node::{Arguments, Node, Out, gid, leaf, optional, plain, texts},
    people::{APP_NAMESPACE, metafield_body},
    roots, sending, subscriptions,
};
use crate::shopify::{
    clock::Moment,
    metafield::Metafield,
    order::Tracking,
    shipping::{Portion, Refusal},
    state::About,
    stock::{SetOutcome, Target},
};

/// A mutation's answer: its own fields and user errors without codes.
pub(crate) fn payload(type_name: &'static str, mut fields: Vec<(&'static str, Out)>, errors: &[Refusal]) -> Out {
    let error = |error: &Refusal| {
        let field = if error.field.is_empty() { Out::Null } else { texts(&error.field) };
        plain("UserError", vec![("field", field), ("message", leaf(&error.message))])
    };
    fields.push(("userErrors", Out::List(errors.iter().map(error).collect())));
    plain(type_name, fields)
}

/// A field of `Mutation`.
pub(crate) fn resolve(context: &Context<'_>, field: &str, given: &Arguments) -> Result<Out, Failure> {
    roots::allowed(context, field)?;
    match field {
        "bulkOperationRunQuery" => bulk::run_query(context, given),
        "bulkOperationCancel" => bulk::cancel(context, given),
        "fulfillmentCreate" => fulfillment_create(context, given),
        "fulfillmentTrackingInfoUpdate" => {
            let id = id_of("Fulfillment", &given["fulfillmentId"])?;
            let tracking = tracking(&given["trackingInfoInput"]);
            let done = context.state.borrow_mut().retrack(id, tracking);
            sent(context, "FulfillmentTrackingInfoUpdatePayload", "update", done, &given["trackingInfoInput"])
        }
        "fulfillmentCancel" => {
            let id = id_of("Fulfillment", &given["id"])?;
            let done = context.state.borrow_mut().cancel_fulfillment(id);
            sent(context, "FulfillmentCancelPayload", "cancel", done, &Value::Null)
        }
        "inventorySetQuantities" => set_quantities(context, given),
        "productVariantsBulkUpdate" => super::prices::update(context, given),
        "metafieldsSet" => metafields_set(context, given),
        "tagsAdd" => tags(context, given, true),
        "tagsRemove" => tags(context, given, false),
        "orderUpdate" => order_update(context, given),
        "webhookSubscriptionCreate" => subscriptions::create(context, given),
        "webhookSubscriptionUpdate" => subscriptions::update(context, given),
        "webhookSubscriptionDelete" => subscriptions::delete(context, given),
        _ => Err(Failure::unanswered("Mutation", field)),
    }
}

fn tracking(input: &Value) -> Tracking {
    let list = |one: &str, many: &str| -> Vec<String> {
        let many =
            input[many].as_array().map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        many.unwrap_or_else(|| input[one].as_str().map(str::to_owned).into_iter().collect())
    };
    Tracking {
        company: input["company"].as_str().map(str::to_owned),
        numbers: list("number", "numbers"),
        urls: list("url", "urls"),
    }
}

fn fulfillment_create(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let input = &given["fulfillment"];
    let mut portions = Vec::new();
    for group in input["lineItemsByFulfillmentOrder"].as_array().into_iter().flatten() {
        let lines = match group["fulfillmentOrderLineItems"].as_array() {
            None => None,
            Some(items) if items.is_empty() => None,
            Some(items) => {
                let mut lines = Vec::new();
                for item in items {
                    let id = id_of("FulfillmentOrderLineItem", &item["id"])?;
                    lines.push((id, item["quantity"].as_i64().unwrap_or_default()));
                }
                Some(lines)
            }
        };
        portions.push(Portion { fulfillment_order: id_of("FulfillmentOrder", &group["fulfillmentOrderId"])?, lines });
    }
    let done = context.state.borrow_mut().fulfill(&portions, tracking(&input["trackingInfo"]));
    sent(context, "FulfillmentCreatePayload", "create", done, input)
}

fn sent(
    context: &Context<'_>,
    type_name: &'static str,
    action: &str,
    done: Result<(u64, u64), Refusal>,
    input: &Value,
) -> Result<Out, Failure> {
    Ok(match done {
        Err(refusal) => payload(type_name, vec![("fulfillment", Out::Null)], &[refusal]),
        Ok((order, id)) => {
            let state = context.state.borrow();
            let name = state.orders.get(&order).map(|order| order.name()).unwrap_or_default();
            context.store.0.journal.write(action, "fulfillment", id, &name, input.clone());
            payload(type_name, vec![("fulfillment", optional(sending::find(&state, id)))], &[])
        }
    })
}

fn set_quantities(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let key = context.idempotency_key.borrow().clone();
    let key = key.ok_or_else(|| {
        Failure::bad_request("The @idempotent directive is required for this mutation but was not provided.")
    })?;
    let input = &given["input"];
    let mut targets = Vec::new();
    for quantity in input["quantities"].as_array().into_iter().flatten() {
        let change_from = quantity.get("changeFromQuantity").ok_or_else(|| Failure::Refused {
            message: "InventoryQuantityInput must include the following argument: changeFromQuantity.".into(),
            code: "INVALID_FIELD_ARGUMENTS",
            documentation: None,
        })?;
        targets.push(Target {
            item: id_of("InventoryItem", &quantity["inventoryItemId"])?,
            location: id_of("Location", &quantity["locationId"])?,
            quantity: quantity["quantity"].as_i64().unwrap_or_default(),
            change_from: change_from.as_i64(),
        });
    }
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let mut state = context.state.borrow_mut();
    let known = state.remembered.contains_key(&key);
    let outcome = state.set_quantities(&key, input.clone(), text("name"), text("reason"), &targets);
    drop(state);
    if !known {
        let journal = &context.store.0.journal;
        if let Some((id, ..)) = &outcome.group {
            journal.write("update", "inventory_level", id, &key, input.clone());
        }
        for (item, location) in &outcome.unchanged {
            journal.write("unchanged", "inventory_level", format!("{item}?{location}"), &key, input.clone());
        }
    }
    Ok(adjustment(context, input, &outcome))
}

fn adjustment(context: &Context<'_>, input: &Value, outcome: &SetOutcome) -> Out {
    let state = context.state.borrow();
    let group = outcome.group.as_ref().map_or(Out::Null, |(id, at, changes)| {
        let changes = changes.iter().map(|change| {
            let item = super::catalog::find(&state, |variant| variant.inventory_item_id == change.item);
            plain(
                "InventoryChange",
                vec![
                    ("name", leaf(change.name)),
                    ("delta", leaf(change.delta)),
                    ("quantityAfterChange", Out::Null),
                    ("ledgerDocumentUri", Out::Null),
                    ("item", optional(item.map(|(product, at)| Node::InventoryItem(product, at)))),
                    ("location", optional(state.locations.get(&change.location).cloned().map(Node::Location))),
                ],
            )
        });
        plain(
            "InventoryAdjustmentGroup",
            vec![
                ("id", gid("InventoryAdjustmentGroup", *id)),
                ("createdAt", leaf(at.utc())),
                ("reason", leaf(&input["reason"])),
                ("referenceDocumentUri", leaf(&input["referenceDocumentUri"])),
                ("changes", Out::List(changes.collect())),
            ],
        )
    });
    let errors = outcome.errors.iter().map(|error| {
        let field = if error.field.is_empty() { Out::Null } else { texts(&error.field) };
        plain(
            "InventorySetQuantitiesUserError",
            vec![("field", field), ("message", leaf(&error.message)), ("code", leaf(error.code))],
        )
    });
    let errors = Out::List(errors.collect());
    plain("InventorySetQuantitiesPayload", vec![("inventoryAdjustmentGroup", group), ("userErrors", errors)])
}

/// The most values that one `metafieldsSet` writes. Source: its description in the schema.
const MOST_METAFIELDS: usize = 25;

fn metafields_set(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let inputs = given["metafields"].as_array().cloned().unwrap_or_default();
    let mut errors: Vec<(usize, &str, String, &str)> = Vec::new();
    if inputs.len() > MOST_METAFIELDS {
        let text = format!("Exceeded the maximum metafields input limit of {MOST_METAFIELDS}.");
        errors.push((0, "", text, "LESS_THAN_OR_EQUAL_TO"));
    }
    let mut state = context.state.borrow_mut();
    let now = Moment::now();
    let mut written = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let owner = input["ownerId"].as_str().unwrap_or_default();
        let kind = owner.strip_prefix("gid://shopify/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let existing = match kind {
            "Order" => state.orders.get(&id_of(kind, &input["ownerId"])?).map(|order| order.metafields.clone()),
            "Customer" => state.customers.get(&id_of(kind, &input["ownerId"])?).map(|one| one.metafields.clone()),
            "Product" => state.products.get(&id_of(kind, &input["ownerId"])?).map(|one| one.metafields.clone()),
            other => return Err(Failure::unanswered("metafieldsSet on", other)),
        };
        let Some(existing) = existing else {
            errors.push((index, "ownerId", "Owner does not exist.".into(), "INVALID"));
            continue;
        };
        let namespace = input["namespace"].as_str().unwrap_or(APP_NAMESPACE);
        let key = input["key"].as_str().unwrap_or_default();
        let value = input["value"].as_str().unwrap_or_default();
        let known = existing.iter().find(|one| one.namespace == namespace && one.key == key);
        if value.is_empty() {
            errors.push((index, "value", "Value can't be blank.".into(), "BLANK"));
        }
        if key.len() > 64 {
            errors.push((index, "key", "Key is too long (maximum is 64 characters)".into(), "TOO_LONG"));
        }
        if input["type"].as_str().is_none() && known.is_none() {
            errors.push((index, "type", "Type can't be blank".into(), "BLANK"));
        }
        // A digest that is given must be that of the value there; null: there must be none.
        if let Some(digest) = input.get("compareDigest")
            && digest.as_str().map(str::to_owned) != known.map(Metafield::digest)
        {
            let text =
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.";
            errors.push((index, "compareDigest", text.into(), "STALE_OBJECT"));
        }
        let kind_of_value = input["type"].as_str().map(str::to_owned).or_else(|| known.map(|one| one.kind.clone()));
        written.push((
            owner.to_owned(),
            Metafield {
                id: known.map_or(0, |one| one.id),
                namespace: namespace.to_owned(),
                key: key.to_owned(),
                kind: kind_of_value.unwrap_or_default(),
                value: value.to_owned(),
                created_at: known.map_or(now, |one| one.created_at),
                updated_at: now,
            },
        ));
    }
    if !errors.is_empty() {
        let error = |(index, field, message, code): &(usize, &str, String, &str)| {
            let index_text = index.to_string();
            let mut path = vec!["metafields"];
            if !field.is_empty() {
                path.extend([index_text.as_str(), field]);
            }
            plain(
                "MetafieldsSetUserError",
                vec![
                    ("field", texts(&path)),
                    ("message", leaf(message)),
                    ("code", leaf(code)),
                    ("elementIndex", if field.is_empty() { Out::Null } else { leaf(index) }),
                ],
            )
        };
        let errors = Out::List(errors.iter().map(error).collect());
        return Ok(plain("MetafieldsSetPayload", vec![("metafields", Out::Null), ("userErrors", errors)]));
    }
    let mut bodies = Vec::new();
    for (owner, mut one) in written {
        if one.id == 0 {
            one.id = state.ids.next("Metafield");
        }
        bodies.push(metafield_body(&one));
        let id = owner.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        let reference = format!("{}.{}", one.namespace, one.key);
        context.store.0.journal.write(
            "update",
            "metafield",
            one.id,
            &reference,
            json!({"owner": owner, "value": one.value}),
        );
        let all = if owner.contains("/Order/") {
            state.tell("orders/updated", About::Order(id));
            state.order_mut(id).map(|order| &mut order.metafields)
        } else if owner.contains("/Customer/") {
            state.tell("customers/update", About::Customer(id));
            state.customer_mut(id).map(|customer| &mut customer.metafields)
        } else {
            state.tell("products/update", About::Product(id));
            state.product_mut(id).map(|product| &mut product.metafields)
        };
        if let Some(all) = all {
            all.retain(|known| known.id != one.id);
            all.push(one);
        }
    }
    let errors = ("userErrors", Out::List(Vec::new()));
    Ok(plain("MetafieldsSetPayload", vec![("metafields", Out::List(bodies)), errors]))
}

fn tags(context: &Context<'_>, given: &Arguments, add: bool) -> Result<Out, Failure> {
    let type_name = if add { "TagsAddPayload" } else { "TagsRemovePayload" };
    let gid = given["id"].as_str().unwrap_or_default();
    let kind = gid.strip_prefix("gid://shopify/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let id = id_of(kind, &given["id"])?;
    let words: Vec<String> = given["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .flat_map(|words| words.split(','))
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    let mut state = context.state.borrow_mut();
    let all = match kind {
        "Order" => state.order_mut(id).map(|order| &mut order.tags),
        "Customer" => state.customer_mut(id).map(|customer| &mut customer.tags),
        "Product" => state.product_mut(id).map(|product| &mut product.tags),
        other => return Err(Failure::unanswered("tagsAdd on", other)),
    };
    let Some(all) = all else {
        let error = Refusal::new(&["id"], format!("{kind} does not exist"));
        return Ok(payload(type_name, vec![("node", Out::Null)], &[error]));
    };
    // Tags compare without case, and are kept sorted, as recorded.
    all.retain(|known| !words.iter().any(|word| word.eq_ignore_ascii_case(known)) || add);
    for word in words.iter().filter(|_| add) {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            all.push(word.clone());
        }
    }
    all.sort();
    context.store.0.journal.write(if add { "tag" } else { "untag" }, kind, id, "", json!(words));
    let node = match kind {
        "Order" => {
            state.tell("orders/updated", About::Order(id));
            state.orders.get(&id).cloned().map(Node::Order)
        }
        "Customer" => {
            state.tell("customers/update", About::Customer(id));
            state.customers.get(&id).cloned().map(Node::Customer)
        }
        _ => {
            state.tell("products/update", About::Product(id));
            state.products.get(&id).cloned().map(Node::Product)
        }
    };
    Ok(payload(type_name, vec![("node", optional(node))], &[]))
}

fn order_update(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let input = &given["input"];
    let id = id_of("Order", &input["id"])?;
    let known = ["id", "note", "tags", "email", "phone"];
    if let Some(other) = input.as_object().and_then(|input| input.keys().find(|key| !known.contains(&key.as_str()))) {
        return Err(Failure::unanswered("OrderInput", other));
    }
    let refused = |field: &[&str], text: &str| {
        Ok(payload("OrderUpdatePayload", vec![("order", Out::Null)], &[Refusal::new(field, text)]))
    };
    let mut state = context.state.borrow_mut();
    if !state.orders.contains_key(&id) {
        return refused(&["id"], "Order does not exist");
    }
    if input.as_object().is_none_or(|input| input.len() < 2) {
        return refused(&[], "No valid update parameters have been provided");
    }
    let Some(order) = state.order_mut(id) else { return refused(&["id"], "Order does not exist") };
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    if input.get("note").is_some() {
        order.note = text("note");
    }
    if input.get("email").is_some() {
        order.email = text("email");
    }
    if input.get("phone").is_some() {
        order.phone = text("phone");
    }
    if let Some(tags) = input["tags"].as_array() {
        order.tags = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        order.tags.sort();
    }
    let name = order.name();
    state.tell("orders/updated", About::Order(id));
    context.store.0.journal.write("update", "order", id, &name, input.clone());
    let order: Option<Arc<_>> = state.orders.get(&id).cloned();
    Ok(payload("OrderUpdatePayload", vec![("order", optional(order.map(Node::Order)))], &[]))
}
