//! Privacy requests.

use waybill_domain::RecordId;

use super::{
    Parsed, Problem,
    json::{Node, Read},
};
use crate::webhook::Compliance;

/// A privacy request, with ids only: the e-mail and phone in its body are not kept.
///
/// Source: <https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyRequest {
    /// What is asked.
    pub request: Compliance,
    /// Shopify's id of the shop.
    pub shop_id: RecordId,
    /// The customer concerned; absent if the whole shop is, or if the person has no customer record.
    pub customer_id: Option<RecordId>,
    /// The person's orders that are asked for or to be redacted.
    pub order_ids: Vec<RecordId>,
    /// Shopify's id of a data request; absent for redactions.
    pub data_request_id: Option<RecordId>,
}

pub(super) fn read(request: Compliance, root: &Node<'_, '_>) -> Read<Parsed> {
    let orders = match request {
        Compliance::DataRequest => "orders_requested",
        Compliance::RedactCustomer | Compliance::RedactShop => "orders_to_redact",
    };
    let shop = root.at("shop_id");
    Ok(Parsed::Privacy(PrivacyRequest {
        request,
        shop_id: shop.id("Shop")?.ok_or_else(|| shop.wrong(Problem::Missing))?,
        customer_id: root.at("customer").at("id").id("Customer")?,
        order_ids: root.at(orders).items(|order| order.id("Order")?.ok_or_else(|| order.wrong(Problem::Missing)))?,
        data_request_id: root.at("data_request").at("id").id("DataRequest")?,
    }))
}
