//! The GraphQL documents that are sent, one file each in `graphql/`, with the fragments that they use.

/// A document as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// Its operation's name.
    pub name: &'static str,
    /// Its text with all fragments.
    pub text: &'static str,
}

macro_rules! documents {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, [$($file:literal),+];)+) => {
        $(
            $(#[$doc])*
            pub(crate) const $constant: Document =
                Document { name: $name, text: concat!($(include_str!(concat!("../../graphql/", $file))),+) };
        )+
        /// Every document that this connector sends, or has a person send.
        pub const DOCUMENTS: &[Document] = &[$($constant),+];
    };
}

documents! {
    ORDER = "Order", [
        "order.graphql", "fragment_order.graphql", "fragment_shipping_line.graphql", "fragment_line.graphql",
        "fragment_tax.graphql", "fragment_address.graphql", "fragment_money.graphql"
    ];
    /// Run in bulk, as the next two: see [`crate::bulk`].
    BULK_ORDERS = "BulkOrders", [
        "bulk_orders.graphql", "fragment_order.graphql", "fragment_shipping_line.graphql", "fragment_line.graphql",
        "fragment_refund_line.graphql", "fragment_tax.graphql", "fragment_address.graphql", "fragment_money.graphql"
    ];
    BULK_CUSTOMERS = "BulkCustomers", ["bulk_customers.graphql", "fragment_address.graphql"];
    BULK_PRODUCTS = "BulkProducts", ["bulk_products.graphql"];
    BULK_RUN = "BulkRun", ["bulk_run.graphql", "fragment_operation.graphql"];
    BULK_OPERATION = "BulkOperation", ["bulk_operation.graphql", "fragment_operation.graphql"];
    BULK_CANCEL = "BulkCancel", ["bulk_cancel.graphql", "fragment_operation.graphql"];
    ORDER_LINES = "OrderLines", [
        "order_lines.graphql", "fragment_line.graphql", "fragment_tax.graphql", "fragment_money.graphql"
    ];
    REFUND_LINES = "RefundLines", ["refund_lines.graphql", "fragment_refund_line.graphql", "fragment_money.graphql"];
    CUSTOMER = "Customer", ["customer.graphql", "fragment_address.graphql"];
    PRODUCT = "Product", ["product.graphql"];
    INVENTORY_LEVEL = "InventoryLevel", ["inventory_level.graphql"];
    CHANGED_ORDERS = "ChangedOrders", ["changed_orders.graphql"];
    CHANGED_CUSTOMERS = "ChangedCustomers", ["changed_customers.graphql"];
    CHANGED_PRODUCTS = "ChangedProducts", ["changed_products.graphql"];
    CHANGED_LEVELS = "ChangedLevels", ["changed_levels.graphql"];
    PRESENT = "Present", ["present.graphql"];
    LOCATIONS = "Locations", ["locations.graphql"];
    STOCK_LEVELS = "StockLevels", ["stock_levels.graphql"];
    ITEMS_BY_SKU = "ItemsBySku", ["items_by_sku.graphql"];
    SET_QUANTITIES = "SetQuantities", ["set_quantities.graphql"];
    VARIANT_PRICES = "VariantPrices", ["variant_prices.graphql"];
    VARIANTS_BY_SKU = "VariantsBySku", ["variants_by_sku.graphql"];
    UPDATE_PRICES = "UpdatePrices", ["update_prices.graphql"];
    FULFILLMENT_WORK = "FulfillmentWork", ["fulfillment_work.graphql"];
    FULFILLMENT_ORDER_LINES = "FulfillmentOrderLines", ["fulfillment_order_lines.graphql"];
    FULFILLMENT_LINES = "FulfillmentLines", ["fulfillment_lines.graphql"];
    FULFILLMENT_CREATE = "FulfillmentCreate", ["fulfillment_create.graphql"];
    FULFILLMENT_TRACKING = "FulfillmentTracking", ["fulfillment_tracking.graphql"];
    FULFILLMENT_CANCEL = "FulfillmentCancel", ["fulfillment_cancel.graphql"];
    WEBHOOK_SUBSCRIPTIONS = "WebhookSubscriptions", ["webhook_subscriptions.graphql"];
    WEBHOOK_SUBSCRIPTION_CREATE = "WebhookSubscriptionCreate", ["webhook_subscription_create.graphql"];
    WEBHOOK_SUBSCRIPTION_UPDATE = "WebhookSubscriptionUpdate", ["webhook_subscription_update.graphql"];
    INSTALLATION = "Installation", ["installation.graphql"];
    SHOP = "Shop", ["shop.graphql"];
}
