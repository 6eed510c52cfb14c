//! Shopify's global ids: `gid://shopify/Order/820982911946154508`.

use waybill_domain::RecordId;

/// The global id of a record.
pub(crate) fn gid(object: &str, id: impl std::fmt::Display) -> String {
    format!("gid://shopify/{object}/{id}")
}

/// The record id within a global id of this type of object; `None` if the text is something else.
///
/// An inventory level's global id carries its item: `gid://shopify/InventoryLevel/5?inventory_item_id=7`; what stands
/// after `?` is no part of the id.
pub(crate) fn record_id(object: &str, gid: &str) -> Option<RecordId> {
    let id = gid.strip_prefix("gid://shopify/")?.strip_prefix(object)?.strip_prefix('/')?;
    digits(id.split('?').next().unwrap_or_default())
}

/// A record id of decimal digits: exact, at most 64 bits, without leading zeros, not zero.
pub(crate) fn digits(text: &str) -> Option<RecordId> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<u64>().ok().filter(|id| *id > 0).map(RecordId::from)
}

#[cfg(test)]
mod tests {
    use super::{gid, record_id};

    #[test]
    fn a_64_bit_id_is_kept_exactly() {
        assert_eq!(
            record_id("Order", "gid://shopify/Order/820982911946154508").unwrap().as_str(),
            "820982911946154508"
        );
        assert_eq!(gid("Order", u64::MAX), "gid://shopify/Order/18446744073709551615");
    }

    #[test]
    fn an_id_of_something_else_is_none() {
        for wrong in [
            "gid://shopify/DraftOrder/1",
            "gid://shopify/OrderLine/1",
            "gid://shopify/Order/",
            "gid://shopify/Order/1x",
            "gid://shopify/Order/-1",
            "gid://shopify/Order/99999999999999999999",
            "https://www.example.com/",
        ] {
            assert_eq!(record_id("Order", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_inventory_levels_item_is_no_part_of_its_id() {
        let id = record_id("InventoryLevel", "gid://shopify/InventoryLevel/5?inventory_item_id=7").unwrap();
        assert_eq!(id.as_str(), "5");
    }
}
