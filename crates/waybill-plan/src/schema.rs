//! What expressions can name, and of what type it is.

use std::collections::BTreeMap;

use waybill_domain::Kind;

/// The type of a value within an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// Nothing is known of it.
    Unknown,
    /// `none`.
    Nothing,
    /// An exact amount of money or another exact number with a point.
    Amount,
    /// An exact number that stands as text.
    NumberText,
    /// A whole number.
    Whole,
    /// A number with a point as it is written in an expression: not exact by itself.
    Float,
    /// A text.
    Text,
    /// A text that is one of these; the list may be open at the end.
    Word(Vec<String>),
    /// An instant, as text in RFC 3339, UTC.
    Time,
    /// Yes or no.
    Flag,
    /// Several of one type.
    List(Box<Type>),
    /// A record with fields.
    Record(Fields),
    /// The plan's tables, which `lookup` reads.
    Tables,
}

impl Type {
    /// What people call it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Unknown => "a value",
            Self::Nothing => "none",
            Self::Amount => "an exact amount",
            Self::NumberText => "a number as text",
            Self::Whole => "a whole number",
            Self::Float => "an inexact number",
            Self::Text | Self::Word(_) => "a text",
            Self::Time => "a time",
            Self::Flag => "yes or no",
            Self::List(_) => "a list",
            Self::Record(_) | Self::Tables => "a record of several fields",
        }
    }
}

/// Field → type.
pub(crate) type Fields = BTreeMap<&'static str, Type>;

fn record<const N: usize>(fields: [(&'static str, Type); N]) -> Type {
    Type::Record(BTreeMap::from(fields))
}

fn list(of: Type) -> Type {
    Type::List(Box::new(of))
}

fn words(words: &[&str]) -> Type {
    Type::Word(words.iter().map(|&word| word.to_owned()).collect())
}

fn texts<const N: usize>(names: [&'static str; N]) -> Fields {
    names.into_iter().map(|name| (name, Type::Text)).collect()
}

fn with<const N: usize>(mut fields: Fields, more: [(&'static str, Type); N]) -> Type {
    fields.extend(more);
    Type::Record(fields)
}

fn money() -> Type {
    let one = || record([("currency", Type::Text), ("amount", Type::NumberText)]);
    record([("shop", one()), ("presentment", one())])
}

fn address() -> Type {
    Type::Record(texts([
        "first_name",
        "last_name",
        "company",
        "address1",
        "address2",
        "city",
        "zip",
        "province",
        "province_code",
        "country",
        "country_code",
        "phone",
    ]))
}

fn tax_line() -> Type {
    record([("title", Type::Text), ("rate", Type::NumberText), ("amount", money())])
}

fn parcel_line() -> Type {
    record([("line_id", Type::Text), ("sku", Type::Text), ("quantity", Type::Whole)])
}

/// A line of an order.
pub(crate) fn order_line() -> Type {
    with(
        texts(["id", "variant_id", "product_id", "sku", "title"]),
        [
            ("quantity", Type::Whole),
            ("current_quantity", Type::Whole),
            ("fulfillable_quantity", Type::Whole),
            ("unit_price", money()),
            ("discount", money()),
            ("taxes", list(tax_line())),
            ("duties", list(money())),
            ("requires_shipping", Type::Flag),
            ("gift_card", Type::Flag),
            ("grams", Type::Whole),
        ],
    )
}

/// A line of a refund.
pub(crate) fn refund_line() -> Type {
    with(
        texts(["line_id", "sku", "title"]),
        [("taxes", list(tax_line())), ("quantity", Type::Whole), ("subtotal", money()), ("tax", money())],
    )
}

/// A tax within a line.
pub(crate) fn tax() -> Type {
    record([("title", Type::Text), ("rate", Type::Amount)])
}

fn refund() -> Fields {
    let Type::Record(fields) = with(
        texts(["id", "order_id", "note"]),
        [("created_at", Type::Time), ("refunded", money()), ("lines", list(refund_line())), ("total", Type::Amount)],
    ) else {
        return Fields::new();
    };
    fields
}

const FINANCIAL: &[&str] =
    &["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"];
/// Shopify's words, and the empty one while nothing is shipped.
const FULFILMENT: &[&str] = &["", "fulfilled", "partial", "restocked", "unfulfilled"];
const CANCEL_REASONS: &[&str] = &["customer", "declined", "fraud", "inventory", "other", "staff"];

fn order() -> Type {
    let shipping_line = with(
        texts(["id", "title", "code"]),
        [("price", money()), ("discounted_price", money()), ("taxes", list(tax_line())), ("removed", Type::Flag)],
    );
    let totals = [
        "lines",
        "discounts",
        "shipping",
        "tax",
        "duties",
        "tip",
        "additional_fees",
        "cash_rounding",
        "total",
        "current_total",
    ];
    let mut fields = texts([
        "id",
        "name",
        "currency",
        "presentment_currency",
        "source_name",
        "note",
        "locale",
        "email",
        "phone",
        "person_email",
        "country",
        "shipping_method",
    ]);
    for name in ["created_at", "processed_at", "cancelled_at", "closed_at"] {
        fields.insert(name, Type::Time);
    }
    for name in
        ["total", "current_total", "subtotal", "discount_total", "shipping_total", "tax_total", "refunded_total"]
    {
        fields.insert(name, Type::Amount);
    }
    for name in ["taxes_included", "test", "cancelled", "captured", "requires_shipping"] {
        fields.insert(name, Type::Flag);
    }
    with(
        fields,
        [
            ("cancel_reason", words(CANCEL_REASONS)),
            ("financial_status", words(FINANCIAL)),
            ("fulfillment_status", words(FULFILMENT)),
            ("tags", list(Type::Text)),
            ("customer", Type::Record(texts(["id", "first_name", "last_name", "email", "phone"]))),
            ("billing_address", address()),
            ("shipping_address", address()),
            ("lines", list(order_line())),
            ("shipping_lines", list(shipping_line)),
            ("refunds", list(Type::Record(refund()))),
            ("totals", Type::Record(totals.into_iter().map(|name| (name, money())).collect())),
        ],
    )
}

/// Shopify's words, and the empty one while it is not known.
const EMAIL_CONSENTS: &[&str] =
    &["", "subscribed", "not_subscribed", "pending", "unsubscribed", "invalid", "redacted"];

fn customer() -> Type {
    with(
        texts(["id", "first_name", "last_name", "email", "phone", "note"]),
        [
            ("created_at", Type::Time),
            ("verified_email", Type::Flag),
            ("state", words(&["disabled", "invited", "enabled", "declined"])),
            ("tax_exempt", Type::Flag),
            ("email_consent", words(EMAIL_CONSENTS)),
            ("tags", list(Type::Text)),
            ("default_address", address()),
        ],
    )
}

/// The buyer within an order's `customer_fields`.
pub(crate) fn buyer() -> Type {
    Type::Record(texts(["id", "first_name", "last_name", "email", "phone"]))
}

/// A record of a kind, as expressions see it under the kind's name.
pub(crate) fn of_kind(kind: Kind) -> Type {
    match kind {
        Kind::Order => order(),
        Kind::Customer => customer(),
        Kind::Refund => Type::Record(refund()),
        Kind::Shipment => with(
            texts(["id", "order_id", "order_name", "carrier", "tracking_number", "tracking_url"]),
            [("shipped_at", Type::Time), ("voided", Type::Flag), ("lines", list(parcel_line()))],
        ),
        Kind::Fulfilment => with(
            texts(["id", "order_id", "status", "location_id", "tracking_company"]),
            [("tracking_numbers", list(Type::Text)), ("lines", list(parcel_line()))],
        ),
        Kind::StockLevel => with(texts(["sku", "location"]), [("quantity", Type::Whole)]),
        Kind::InventoryLevel => with(texts(["inventory_item_id", "location_id"]), [("available", Type::Whole)]),
        Kind::Product | Kind::Incident => Type::Unknown,
    }
}

/// The name of a kind's record in expressions.
pub(crate) fn variable(kind: Kind) -> String {
    kind.as_str().replace('-', "_")
}

/// A person's totals over all orders that count.
pub(crate) fn totals() -> Type {
    record([("orders", Type::Whole), ("spent", Type::Amount), ("last_order_at", Type::Time)])
}
