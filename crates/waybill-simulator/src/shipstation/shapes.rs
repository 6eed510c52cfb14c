//! The shapes of requests, as the vendor's OpenAPI document has them.

use super::shape::{FILLED, Field, ID, Kind, Shape, TEXT, is_package_code, is_service_code, is_uri, may, must};

const STATUSES: Kind = Kind::OneOf(&["pending", "processing", "label_purchased", "cancelled"]);
const VALIDATE: Kind = Kind::OneOf(&["no_validation", "validate_only", "validate_and_clean"]);
const COUNTRY: Kind = Kind::Text { min: 2, max: 2 };
const POSITIVE: Kind = Kind::Number { positive: true };
const AMOUNT: Kind = Kind::Number { positive: false };
const SOURCES: Kind = Kind::OneOf(&[
    "amazon_ca",
    "amazon_us",
    "brightpearl",
    "channel_advisor",
    "cratejoy",
    "ebay",
    "etsy",
    "jane",
    "groupon_goods",
    "magento",
    "paypal",
    "seller_active",
    "shopify",
    "stitch_labs",
    "squarespace",
    "three_dcart",
    "tophatter",
    "walmart",
    "woo_commerce",
    "volusion",
]);

/// `create_shipments_request_body`
pub(super) static CREATE_SHIPMENTS: Shape =
    Shape(&[must("shipments", Kind::List { of: &Kind::Object(&CREATE_SHIPMENT), min: 1 })]);

/// `create_shipment_request`
static CREATE_SHIPMENT: Shape = Shape(&[
    may("validate_address", VALIDATE),
    may("external_shipment_id", Kind::Text { min: 0, max: 50 }),
    may("carrier_id", ID),
    may("create_sales_order", Kind::Bool),
    may("store_id", TEXT),
    may("notes_from_buyer", TEXT),
    may("notes_for_gift", TEXT),
    may("is_gift", Kind::Bool),
    may("zone", Kind::Count),
    may("display_scheme", TEXT),
    may("assigned_user", TEXT),
    may("shipment_status", STATUSES),
    may("amount_paid", Kind::Object(&MONEY)),
    may("shipping_paid", Kind::Object(&MONEY)),
    may("tax_paid", Kind::Object(&MONEY)),
    may("ship_to", Kind::Object(&SHIP_TO)),
    may("ship_from", Kind::Object(&SHIP_FROM)),
    may("items", Kind::List { of: &Kind::Object(&ITEM), min: 0 }),
    may("packages", Kind::List { of: &Kind::Object(&PACKAGE), min: 1 }),
]);

/// What an update may hold: docs.shipstation.com/shipments/update with its example; no OpenAPI document has it.
pub(super) static UPDATE_SHIPMENT: Shape = Shape(&[
    may("validate_address", VALIDATE),
    may("external_shipment_id", Kind::Text { min: 0, max: 50 }),
    may("external_order_id", TEXT),
    may("shipment_number", Kind::Text { min: 0, max: 50 }),
    may("carrier_id", ID),
    may("service_code", Kind::Form { min: 0, max: 0, matches: is_service_code }),
    may("requested_shipment_service", TEXT),
    may("shipping_rule_id", ID),
    may("warehouse_id", ID),
    may("store_id", TEXT),
    may("notes_from_buyer", TEXT),
    may("notes_for_gift", TEXT),
    may("is_gift", Kind::Bool),
    may("zone", Kind::Count),
    may("display_scheme", TEXT),
    may("assigned_user", TEXT),
    may("ship_date", TEXT),
    may("ship_by_date", TEXT),
    may("hold_until_date", TEXT),
    may("is_return", Kind::Bool),
    may("confirmation", CONFIRMATION),
    may("insurance_provider", Kind::OneOf(&["none", "shipsurance", "carrier", "third_party"])),
    may("order_source_code", SOURCES),
    may("comparison_rate_type", TEXT),
    may("retail_rate", Kind::Object(&MONEY)),
    may("amount_paid", Kind::Object(&MONEY)),
    may("shipping_paid", Kind::Object(&MONEY)),
    may("tax_paid", Kind::Object(&MONEY)),
    may("customs", Kind::AnyObject),
    may("advanced_options", Kind::AnyObject),
    may("tax_identifiers", Kind::List { of: &Kind::AnyObject, min: 0 }),
    may("ship_to", Kind::Object(&SHIP_TO)),
    may("ship_from", Kind::Object(&SHIP_FROM)),
    may("return_to", Kind::Object(&SHIP_FROM)),
    may("items", Kind::List { of: &Kind::Object(&ITEM), min: 0 }),
    may("packages", Kind::List { of: &Kind::Object(&PACKAGE), min: 1 }),
]);

const CONFIRMATION: Kind = Kind::OneOf(&[
    "none",
    "delivery",
    "signature",
    "adult_signature",
    "direct_signature",
    "delivery_mailed",
    "verbal_confirmation",
]);

/// `create_label_from_shipment_request_body`
pub(super) static BUY_LABEL: Shape = Shape(&[
    may("validate_address", VALIDATE),
    may("label_layout", Kind::OneOf(&["4x6", "letter"])),
    may("label_format", Kind::OneOf(&["pdf", "png", "zpl"])),
    may("label_download_type", Kind::OneOf(&["url", "inline"])),
    may("display_scheme", Kind::OneOf(&["label", "qr_code", "label_and_qr_code", "paperless", "label_and_paperless"])),
]);

/// `monetary_value`
static MONEY: Shape = Shape(&[must("currency", TEXT), must("amount", AMOUNT)]);

const RESIDENTIAL: Kind = Kind::OneOf(&["unknown", "yes", "no"]);

/// `shipping_address_to`
static SHIP_TO: Shape = Shape(&[
    must("name", FILLED),
    must("phone", FILLED),
    may("email", TEXT),
    may("company_name", FILLED),
    must("address_line1", FILLED),
    may("address_line2", FILLED),
    may("address_line3", FILLED),
    must("city_locality", FILLED),
    must("state_province", FILLED),
    must("postal_code", FILLED),
    must("country_code", COUNTRY),
    must("address_residential_indicator", RESIDENTIAL),
    may("instructions", FILLED),
    may("geolocation", Kind::List { of: &Kind::AnyObject, min: 0 }),
]);

/// `shipping_address`
static SHIP_FROM: Shape = Shape(&[
    must("name", FILLED),
    must("phone", FILLED),
    may("email", TEXT),
    may("company_name", FILLED),
    must("address_line1", FILLED),
    may("address_line2", FILLED),
    may("address_line3", FILLED),
    must("city_locality", FILLED),
    must("state_province", FILLED),
    must("postal_code", FILLED),
    must("country_code", COUNTRY),
    must("address_residential_indicator", RESIDENTIAL),
    may("instructions", FILLED),
]);

/// `shipment_item`
static ITEM: Shape = Shape(&[
    may("name", TEXT),
    may("sales_order_id", TEXT),
    may("sales_order_item_id", TEXT),
    may("quantity", Kind::Count),
    may("sku", TEXT),
    may("bundle_sku", TEXT),
    may("external_order_id", TEXT),
    may("external_order_item_id", TEXT),
    may("asin", Kind::Text { min: 10, max: 10 }),
    may("order_source_code", SOURCES),
    may("item_id", TEXT),
    may("allocation_status", TEXT),
    may("image_url", Kind::Form { min: 0, max: 0, matches: is_uri }),
    may("weight", Kind::Object(&WEIGHT)),
    may("unit_price", AMOUNT),
    may("tax_amount", AMOUNT),
    may("shipping_amount", AMOUNT),
    may("inventory_location", TEXT),
    may("options", Kind::List { of: &Kind::AnyObject, min: 0 }),
    may("product_id", TEXT),
    may("fullfilment_sku", TEXT),
    may("upc", TEXT),
]);

/// `weight`
static WEIGHT: Shape =
    Shape(&[must("value", POSITIVE), must("unit", Kind::OneOf(&["pound", "ounce", "gram", "kilogram"]))]);

/// `dimensions`
static DIMENSIONS: Shape = Shape(&[
    must("unit", Kind::OneOf(&["inch", "centimeter"])),
    must("length", AMOUNT),
    must("width", AMOUNT),
    must("height", AMOUNT),
]);

/// `label_messages`
static LABEL_MESSAGES: Shape = Shape(&[must("reference1", TEXT), must("reference2", TEXT), must("reference3", TEXT)]);

const fn package_type() -> Kind {
    Kind::Form { min: 1, max: 50, matches: is_package_code }
}

/// `package` without what it says of itself
static PACKAGE: Shape = Shape(&[
    may("package_id", ID),
    may("package_code", package_type()),
    may("package_name", TEXT),
    must("weight", Kind::Object(&WEIGHT)),
    may("dimensions", Kind::Object(&DIMENSIONS)),
    may("insured_value", Kind::Object(&MONEY)),
    may("label_messages", Kind::Object(&LABEL_MESSAGES)),
    may("external_package_id", FILLED),
    may("content_description", Kind::Text { min: 1, max: 35 }),
    may("products", Kind::List { of: &Kind::Object(&PRODUCT), min: 0 }),
]);

/// `products` of a package
static PRODUCT: Shape = Shape(&[
    may("description", Kind::Text { min: 0, max: 100 }),
    may("quantity", Kind::Count),
    may("value", Kind::Object(&MONEY)),
    may("weight", Kind::Object(&WEIGHT)),
    may("harmonized_tariff_code", TEXT),
    may("country_of_origin", COUNTRY),
    may("unit_of_measure", TEXT),
    may("sku", TEXT),
    may("sku_description", TEXT),
    may("mid_code", TEXT),
    may("product_url", TEXT),
    may("vat_rate", Kind::AnyNumber),
    may("dangerous_goods", Kind::List { of: &Kind::Object(&DANGEROUS_GOODS), min: 0 }),
]);

/// `dangerous_goods`
static DANGEROUS_GOODS: Shape = Shape(&[
    may("id_number", TEXT),
    may("shipping_name", TEXT),
    may("technical_name", TEXT),
    may("product_class", TEXT),
    may("product_class_subsidiary", TEXT),
    may("packaging_group", Kind::OneOf(&["i", "ii", "iii"])),
    may("dangerous_amount", Kind::Object(&Shape(DANGEROUS_AMOUNT))),
    may("quantity", Kind::Count),
    may("packaging_instruction", TEXT),
    may("packaging_instruction_section", Kind::OneOf(&["section_1", "section_2", "section_1a", "section_1b"])),
    may("packaging_type", TEXT),
    may("transport_mean", Kind::OneOf(&["ground", "water", "cargo_aircraft_only", "passenger_aircraft"])),
    may("transport_category", TEXT),
    may("regulation_authority", TEXT),
    may(
        "regulation_level",
        Kind::OneOf(&["lightly_regulated", "fully_regulated", "limited_quantities", "excepted_quantity"]),
    ),
    may("radioactive", Kind::Bool),
    may("reportable_quantity", Kind::Bool),
    may("tunnel_code", TEXT),
    may("additional_description", TEXT),
]);

const DANGEROUS_AMOUNT: &[Field] = &[may("amount", AMOUNT), may("unit", TEXT)];
