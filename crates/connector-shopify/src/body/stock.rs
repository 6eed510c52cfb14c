//! Inventory levels.

use serde_json::Value;
use waybill_domain::{RecordId, stock::InventoryLevel};

use super::{
    Problem,
    json::{Node, Read},
};
use crate::gid;

/// The record id of an inventory level: `<inventory item>-<location>`, as the webhook has no id of its own for it.
pub(super) fn record_id(root: &Node<'_, '_>) -> Read<RecordId> {
    Ok(level_id(&item(root)?, &location(root)?))
}

pub(super) fn read(root: &Node<'_, '_>) -> Read<InventoryLevel> {
    Ok(InventoryLevel {
        inventory_item_id: item(root)?,
        location_id: location(root)?,
        available: root.at("available").integer()?,
    })
}

/// `<inventory item>-<location>`.
pub(crate) fn level_id(item: &RecordId, location: &RecordId) -> RecordId {
    format!("{item}-{location}").parse().expect("two numbers and a hyphen make a record id")
}

fn item(root: &Node<'_, '_>) -> Read<RecordId> {
    // The level's global id names its item exactly: gid://shopify/InventoryLevel/5?inventory_item_id=7
    if let Some(Value::String(gid)) = root.at("admin_graphql_api_id").value()
        && gid.starts_with("gid://shopify/InventoryLevel/")
        && let Some((_, item)) = gid.split_once("inventory_item_id=")
        && let Some(id) = gid::digits(item)
    {
        return Ok(id);
    }
    let node = root.at("inventory_item_id");
    node.id("InventoryItem")?.ok_or_else(|| node.wrong(Problem::Missing))
}

fn location(root: &Node<'_, '_>) -> Read<RecordId> {
    let node = root.at("location_id");
    node.id("Location")?.ok_or_else(|| node.wrong(Problem::Missing))
}
