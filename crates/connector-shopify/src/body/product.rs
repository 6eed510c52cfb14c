//! Products.

use waybill_domain::product::{Product, Variant};

use super::{
    Problem,
    json::{Node, Read, Stop},
};
use crate::amount;

pub(super) fn read(root: &Node<'_, '_>) -> Read<Product> {
    let variants = root.at("variants").items(|variant| read_variant(&variant))?;
    // The body shows the first 100 variants and names all of them.
    if root.at("variant_gids").items(|_| Ok(()))?.len() > variants.len() {
        return Err(Stop::NotWhole);
    }
    Ok(Product {
        id: root.own_id("Product")?,
        title: root.at("title").text()?,
        status: root.at("status").word()?,
        vendor: root.at("vendor").text()?,
        tags: root.at("tags").tags()?,
        variants,
    })
}

fn read_variant(node: &Node<'_, '_>) -> Read<Variant> {
    let price = node.at("price");
    Ok(Variant {
        id: node.own_id("ProductVariant")?,
        sku: node.at("sku").text()?,
        title: node.at("title").text()?,
        price: amount::price(price.decimal()?.ok_or_else(|| price.wrong(Problem::Missing))?),
        inventory_item_id: node.at("inventory_item_id").id("InventoryItem")?,
    })
}
