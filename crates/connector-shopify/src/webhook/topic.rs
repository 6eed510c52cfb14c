//! What a topic asks for.
//!
//! Source for what each topic's body holds: <https://shopify.dev/docs/api/webhooks> (2026-07).

use waybill_domain::Kind;

/// A privacy request. These topics are configured with the app, not subscribed by API.
///
/// Source: <https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compliance {
    /// `customers/data_request`: a customer asks what is held of them.
    DataRequest,
    /// `customers/redact`: a customer is to be forgotten.
    RedactCustomer,
    /// `shop/redact`: the app was uninstalled; all of the shop is to be forgotten.
    RedactShop,
}

/// What a topic asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// The body is the whole record of this kind.
    Snapshot(Kind),
    /// The body tells that a record changed, not how: it is read by API.
    Partial {
        /// The record's kind.
        kind: Kind,
        /// Where in the body its id stands (RFC 6901).
        id_at: &'static str,
    },
    /// A record of this kind is gone.
    Deleted(Kind),
    /// Two customers became one.
    CustomersMerged,
    /// A privacy request.
    Compliance(Compliance),
    /// A topic that changes no record we keep, or one that we do not know.
    Unknown,
}

impl Topic {
    /// Reads the word of the topic header.
    pub fn parse(word: &str) -> Self {
        const ORDER_ID: &str = "/order_id";
        const CUSTOMER_ID: &str = "/customerId";
        match word {
            "orders/create"
            | "orders/updated"
            | "orders/paid"
            | "orders/cancelled"
            | "orders/fulfilled"
            | "orders/partially_fulfilled"
            | "orders/link_requested" => Self::Snapshot(Kind::Order),
            "customers/create" | "customers/update" | "customers/enable" | "customers/disable" => {
                Self::Snapshot(Kind::Customer)
            }
            "products/create" | "products/update" => Self::Snapshot(Kind::Product),
            "inventory_levels/connect" | "inventory_levels/update" => Self::Snapshot(Kind::InventoryLevel),
            "fulfillments/create" | "fulfillments/update" => Self::Snapshot(Kind::Fulfilment),
            "refunds/create" => Self::Snapshot(Kind::Refund),
            "orders/edited" => Self::Partial { kind: Kind::Order, id_at: "/order_edit/order_id" },
            "order_transactions/create" => Self::Partial { kind: Kind::Order, id_at: ORDER_ID },
            "customer.tags_added" | "customer.tags_removed" => {
                Self::Partial { kind: Kind::Customer, id_at: CUSTOMER_ID }
            }
            "customers_email_marketing_consent/update" => Self::Partial { kind: Kind::Customer, id_at: "/customer_id" },
            "orders/delete" => Self::Deleted(Kind::Order),
            "customers/delete" => Self::Deleted(Kind::Customer),
            "products/delete" => Self::Deleted(Kind::Product),
            "inventory_levels/disconnect" => Self::Deleted(Kind::InventoryLevel),
            "customers/merge" => Self::CustomersMerged,
            "customers/data_request" => Self::Compliance(Compliance::DataRequest),
            "customers/redact" => Self::Compliance(Compliance::RedactCustomer),
            "shop/redact" => Self::Compliance(Compliance::RedactShop),
            _ => Self::Unknown,
        }
    }
}
