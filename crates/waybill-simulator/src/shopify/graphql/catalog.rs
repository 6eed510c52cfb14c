//! Products, variants, inventory items, levels and locations.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Context,
    failure::Failure,
    id_of,
    node::{Arguments, Node, Out, count, gid, leaf, money, optional, plain, text, texts},
    orders::weight,
    page::{Entry, Page},
    people::{metafield, metafields},
    search::{Field, Search},
};
use crate::{
    catalogue::CURRENCY,
    shopify::{
        bodies::level_gid,
        money::rest,
        records::{Level, Location, Product, Variant},
        state::State,
    },
};

/// A product and the place of its variant for which something holds.
pub(crate) fn find(state: &State, holds: impl Fn(&Variant) -> bool) -> Option<(Arc<Product>, usize)> {
    state.products.values().find_map(|product| Some((product.clone(), product.variants.iter().position(&holds)?)))
}

fn units(state: &State, variant: &Variant) -> i64 {
    let here = state.levels.iter().filter(|((item, _), _)| *item == variant.inventory_item_id);
    here.map(|(_, level)| level.available).sum()
}

/// `products`.
pub(crate) fn products(state: &State, given: &Arguments, behind: Duration) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?.behind(behind);
    let mut entries = Vec::new();
    for product in state.products.values() {
        let skus: Vec<String> = product.variants.iter().filter_map(|variant| variant.sku.clone()).collect();
        let found = search.finds(|field| {
            Some(match field {
                "updated_at" => Field::Time(product.updated_at),
                "created_at" => Field::Time(product.created_at),
                "id" => Field::Number(product.id),
                "title" => Field::Text(Some(&product.title)),
                "handle" => Field::Text(Some(&product.handle)),
                "vendor" => Field::Text(Some(&product.vendor)),
                "product_type" => Field::Text(Some(&product.product_type)),
                "status" => Field::Text(Some(product.status)),
                "tag" => Field::Texts(&product.tags),
                "sku" => Field::Texts(&skus),
                _ => return None,
            })
        })?;
        if !found {
            continue;
        }
        let key = match text(given, "sortKey") {
            Some("UPDATED_AT") => product.updated_at.utc(),
            Some("CREATED_AT") => product.created_at.utc(),
            Some("TITLE") => product.title.to_lowercase(),
            Some("ID") | None => format!("{:020}", product.id),
            Some(other) => return Err(Failure::unanswered("ProductSortKeys", other)),
        };
        entries.push(Entry::by(key, product.id, Node::Product(product.clone())));
    }
    Page::of("ProductConnection", entries, given)
}

fn each_variant<'a>(
    state: &'a State,
    given: &Arguments,
    number: fn(&Variant) -> u64,
) -> Result<Vec<(&'a Arc<Product>, usize)>, Failure> {
    let search = Search::parse(text(given, "query"))?;
    let mut found = Vec::new();
    for product in state.products.values() {
        for (at, variant) in product.variants.iter().enumerate() {
            let hit = search.finds(|field| {
                Some(match field {
                    "sku" => Field::Text(variant.sku.as_deref()),
                    "id" => Field::Number(number(variant)),
                    "product_id" => Field::Number(product.id),
                    "title" => Field::Text(Some(&variant.title)),
                    "updated_at" => Field::Time(product.updated_at),
                    "created_at" => Field::Time(product.created_at),
                    "product_status" => Field::Text(Some(product.status)),
                    _ => return None,
                })
            })?;
            if hit {
                found.push((product, at));
            }
        }
    }
    Ok(found)
}

/// `productVariants`.
pub(crate) fn variants(state: &State, given: &Arguments) -> Result<Out, Failure> {
    let all = each_variant(state, given, |variant| variant.id)?;
    if let Some(other) = text(given, "sortKey").filter(|key| !["ID", "SKU"].contains(key)) {
        return Err(Failure::unanswered("ProductVariantSortKeys", other));
    }
    let by_sku = text(given, "sortKey") == Some("SKU");
    let entry = |(product, at): (&Arc<Product>, usize)| {
        let variant = &product.variants[at];
        let key = if by_sku { variant.sku.clone().unwrap_or_default() } else { format!("{:020}", variant.id) };
        Entry::by(key, variant.id, Node::Variant(product.clone(), at))
    };
    Page::of("ProductVariantConnection", all.into_iter().map(entry).collect(), given)
}

/// `inventoryItems`.
pub(crate) fn items(state: &State, given: &Arguments) -> Result<Out, Failure> {
    let all = each_variant(state, given, |variant| variant.inventory_item_id)?;
    let entry = |(product, at): (&Arc<Product>, usize)| {
        Entry::by_id(product.variants[at].inventory_item_id, Node::InventoryItem(product.clone(), at))
    };
    Page::of("InventoryItemConnection", all.into_iter().map(entry).collect(), given)
}

/// `locations`.
pub(crate) fn locations(state: &State, given: &Arguments) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?;
    let mut entries = Vec::new();
    for location in state.locations.values() {
        let found = search.finds(|field| {
            Some(match field {
                "id" => Field::Number(location.id),
                "name" => Field::Text(Some(&location.name)),
                "active" => Field::Flag(true),
                _ => return None,
            })
        })?;
        if found {
            let key = match text(given, "sortKey") {
                Some("ID") => format!("{:020}", location.id),
                Some("NAME") | None => location.name.to_lowercase(),
                Some(other) => return Err(Failure::unanswered("LocationSortKeys", other)),
            };
            entries.push(Entry::by(key, location.id, Node::Location(location.clone())));
        }
    }
    Page::of("LocationConnection", entries, given)
}

/// Stock levels for which something holds.
pub(crate) fn levels_of(state: &State, holds: impl Fn((u64, u64)) -> bool, given: &Arguments) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?;
    let mut entries = Vec::new();
    for ((item, location), level) in state.levels.iter().filter(|(place, _)| holds(**place)) {
        let found = search.finds(|field| {
            Some(match field {
                "inventory_item_id" => Field::Number(*item),
                "updated_at" => Field::Time(level.updated_at),
                _ => return None,
            })
        })?;
        if found {
            let key = format!("{location:020}{item:020}");
            entries.push(Entry::by(key, *item, Node::Level(*item, *location)));
        }
    }
    Page::of("InventoryLevelConnection", entries, given)
}

/// A field of `Product`.
pub(crate) fn product(
    context: &Context<'_>,
    product: &Arc<Product>,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let state = context.state.borrow();
    Ok(match field {
        "id" => gid("Product", product.id),
        "legacyResourceId" => leaf(product.id.to_string()),
        "title" => leaf(&product.title),
        "handle" => leaf(&product.handle),
        "vendor" => leaf(&product.vendor),
        "productType" => leaf(&product.product_type),
        "status" => leaf(product.status.to_uppercase()),
        "tags" => texts(&product.tags),
        "isGiftCard" => leaf(product.gift_card),
        "description" | "descriptionHtml" => leaf(""),
        "createdAt" | "publishedAt" => leaf(product.created_at.utc()),
        "updatedAt" => leaf(product.updated_at.utc()),
        "hasOnlyDefaultVariant" => leaf(product.variants.iter().all(|variant| variant.title == "Default Title")),
        "hasVariantsThatRequiresComponents" | "requiresSellingPlan" => leaf(false),
        "tracksInventory" => leaf(product.variants.iter().any(|variant| variant.tracked)),
        "totalInventory" => leaf(product.variants.iter().map(|variant| units(&state, variant)).sum::<i64>()),
        "totalVariants" => leaf(product.variants.len()),
        "variantsCount" => count(product.variants.len()),
        "variants" => {
            let entry = |(at, variant): (usize, &Variant)| {
                Entry::by(format!("{:020}", variant.position), variant.id, Node::Variant(product.clone(), at))
            };
            Page::of("ProductVariantConnection", product.variants.iter().enumerate().map(entry).collect(), given)?
        }
        "metafield" => metafield(&product.metafields, given),
        "metafields" => metafields(&product.metafields, given)?,
        _ => return Err(Failure::unanswered("Product", field)),
    })
}

/// A field of `ProductVariant`.
pub(crate) fn variant(
    context: &Context<'_>,
    product: &Arc<Product>,
    at: usize,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let variant = &product.variants[at];
    let state = context.state.borrow();
    Ok(match field {
        "id" => gid("ProductVariant", variant.id),
        "legacyResourceId" => leaf(variant.id.to_string()),
        "title" => leaf(&variant.title),
        "displayName" => leaf(format!("{} - {}", product.title, variant.title)),
        "sku" => leaf(&variant.sku),
        "barcode" | "compareAtPrice" | "taxCode" | "unitPrice" => Out::Null,
        "price" => leaf(rest(variant.price, CURRENCY)),
        "position" => leaf(variant.position),
        "taxable" => leaf(variant.taxable),
        "inventoryPolicy" => leaf("DENY"),
        "inventoryQuantity" | "sellableOnlineQuantity" => leaf(units(&state, variant)),
        "availableForSale" => leaf(!variant.tracked || units(&state, variant) > 0),
        "requiresComponents" | "showUnitPrice" => leaf(false),
        "createdAt" => leaf(product.created_at.utc()),
        "updatedAt" => leaf(product.updated_at.utc()),
        "selectedOptions" => {
            Out::List(vec![plain("SelectedOption", vec![("name", leaf("Title")), ("value", leaf(&variant.title))])])
        }
        "inventoryItem" => Out::Object(Node::InventoryItem(product.clone(), at)),
        "product" => Out::Object(Node::Product(product.clone())),
        "metafield" => metafield(&[], given),
        "metafields" => metafields(&[], given)?,
        _ => return Err(Failure::unanswered("ProductVariant", field)),
    })
}

/// A field of `InventoryItem`.
pub(crate) fn item(
    context: &Context<'_>,
    product: &Arc<Product>,
    at: usize,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let variant = &product.variants[at];
    let id = variant.inventory_item_id;
    Ok(match field {
        "id" => gid("InventoryItem", id),
        "legacyResourceId" => leaf(id.to_string()),
        "sku" => leaf(&variant.sku),
        "tracked" => leaf(variant.tracked),
        "requiresShipping" => leaf(variant.requires_shipping),
        "createdAt" => leaf(product.created_at.utc()),
        "updatedAt" => leaf(product.updated_at.utc()),
        "duplicateSkuCount" => leaf(0),
        "countryCodeOfOrigin" | "harmonizedSystemCode" | "provinceCodeOfOrigin" | "inventoryHistoryUrl" => Out::Null,
        "unitCost" => money(variant.price / rust_decimal::Decimal::TWO, CURRENCY),
        "measurement" => plain(
            "InventoryItemMeasurement",
            vec![("id", gid("InventoryItemMeasurement", id)), ("weight", weight(variant.grams))],
        ),
        "variant" => Out::Object(Node::Variant(product.clone(), at)),
        "variants" => {
            let entry = Entry::by_id(variant.id, Node::Variant(product.clone(), at));
            Page::of("ProductVariantConnection", vec![entry], given)?
        }
        "inventoryLevel" => {
            let absent = Value::Null;
            let location = id_of("Location", given.get("locationId").unwrap_or(&absent))?;
            let there = context.state.borrow().levels.contains_key(&(id, location));
            optional(there.then_some(Node::Level(id, location)))
        }
        "inventoryLevels" => super::roots::item_levels(context, id, given)?,
        "locationsCount" => count(context.state.borrow().levels.keys().filter(|(one, _)| *one == id).count()),
        _ => return Err(Failure::unanswered("InventoryItem", field)),
    })
}

fn quantity(level: &Level, name: &str) -> Option<i64> {
    Some(match name {
        "available" => level.available,
        "committed" => level.committed,
        "on_hand" => level.on_hand(),
        "damaged" | "incoming" | "quality_control" | "reserved" | "safety_stock" => 0,
        _ => return None,
    })
}

/// A field of `InventoryLevel`.
pub(crate) fn level(
    context: &Context<'_>,
    item: u64,
    location: u64,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    let state = context.state.borrow();
    let Some(level) = state.levels.get(&(item, location)) else { return Ok(Out::Null) };
    Ok(match field {
        "id" => leaf(level_gid(item, location)),
        "createdAt" => leaf(state.opened_at.utc()),
        "updatedAt" => leaf(level.updated_at.utc()),
        "isActive" => leaf(true),
        "canDeactivate" => leaf(level.committed == 0),
        "deactivationAlert" => Out::Null,
        "item" => {
            let known = find(&state, |variant| variant.inventory_item_id == item);
            optional(known.map(|(product, at)| Node::InventoryItem(product, at)))
        }
        "location" => optional(state.locations.get(&location).cloned().map(Node::Location)),
        "quantities" => {
            let names = given.get("names").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut quantities = Vec::new();
            for name in names.iter().filter_map(Value::as_str) {
                let Some(units) = quantity(level, name) else {
                    return Err(Failure::bad_request(format!("The specified quantity name '{name}' is invalid.")));
                };
                let fields = vec![
                    (
                        "id",
                        leaf(format!(
                            "gid://shopify/InventoryQuantity/{location}?inventory_item_id={item}&name={name}"
                        )),
                    ),
                    ("name", leaf(name)),
                    ("quantity", leaf(units)),
                    ("updatedAt", leaf(level.updated_at.utc())),
                ];
                quantities.push(plain("InventoryQuantity", fields));
            }
            Out::List(quantities)
        }
        _ => return Err(Failure::unanswered("InventoryLevel", field)),
    })
}

/// A field of `Location`.
pub(crate) fn location(
    context: &Context<'_>,
    location: &Arc<Location>,
    field: &str,
    given: &Arguments,
) -> Result<Out, Failure> {
    Ok(match field {
        "id" => gid("Location", location.id),
        "legacyResourceId" => leaf(location.id.to_string()),
        "name" => leaf(&location.name),
        "isActive" | "fulfillsOnlineOrders" | "shipsInventory" | "hasActiveInventory" => leaf(true),
        "isFulfillmentService" | "activatable" | "deletable" => leaf(false),
        "createdAt" | "updatedAt" => leaf(location.created_at.utc()),
        "deactivatedAt" => Out::Null,
        "address" => {
            let address = &location.address;
            plain(
                "LocationAddress",
                vec![
                    ("address1", leaf(&address.address1)),
                    ("address2", leaf(&address.address2)),
                    ("city", leaf(&address.city)),
                    ("zip", leaf(&address.zip)),
                    ("province", leaf(&address.province)),
                    ("provinceCode", leaf(&address.province_code)),
                    ("country", leaf(&address.country)),
                    ("countryCode", leaf(&address.country_code)),
                    ("phone", leaf(&address.phone)),
                ],
            )
        }
        "inventoryLevel" => {
            let absent = Value::Null;
            let item = id_of("InventoryItem", given.get("inventoryItemId").unwrap_or(&absent))?;
            let there = context.state.borrow().levels.contains_key(&(item, location.id));
            optional(there.then_some(Node::Level(item, location.id)))
        }
        "inventoryLevels" => levels_of(&context.state.borrow(), |(_, place)| place == location.id, given)?,
        "metafield" => metafield(&[], given),
        _ => return Err(Failure::unanswered("Location", field)),
    })
}
