//! What expressions can name, and of what type it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use waybill_domain::Kind;

/// The type of a value within an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// Nothing is known of it.
    Unknown,
    /// `none`.
    Nothing,
    /// This, or `none`.
    Maybe(Box<Type>),
    /// This, or nothing at all, which fails wherever it is used.
    Void(Box<Type>, Lack),
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
    Record(Arc<Fields>),
    /// The plan's tables, which `lookup` reads.
    Tables,
}

/// A value that may not exist: why, and where it stands in its expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) why: Why,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Why a value may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is of this part, which a record need not have.
    Part(String),
    /// It is of a list, which may be empty.
    Item,
    /// A choice without `else`.
    Choice,
}

impl Type {
    /// What people call it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Unknown => "a value",
            Self::Nothing => "none",
            Self::Maybe(of) | Self::Void(of, _) => of.describe(),
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

    /// The same, where it is there.
    pub(crate) fn certain(self) -> Self {
        match self {
            Self::Maybe(of) | Self::Void(of, _) => of.certain(),
            of => of,
        }
    }

    /// Whether it is a text, or stands as one.
    pub(crate) const fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Word(_) | Self::NumberText | Self::Time)
    }

    /// What `and` and `or` give: one of their sides, of which conditions ask only whether it is there.
    pub(crate) fn either(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::List(_) | Self::Record(_), _) | (_, Self::List(_) | Self::Record(_)) if self != other => {
                Self::Unknown
            }
            _ => self.join(other),
        }
    }

    /// What is of this type or of another one.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Void(one, lack), other) | (other, Self::Void(one, lack)) => {
                Self::Void(Box::new(one.join(other.certain()).certain()), lack)
            }
            (Self::Maybe(one), other) | (other, Self::Maybe(one)) => match other {
                Self::Nothing => Self::Maybe(one),
                other => Self::Maybe(Box::new(one.join(other).certain())),
            },
            (Self::Nothing, Self::Unknown) | (Self::Unknown, Self::Nothing) => Self::Unknown,
            (Self::Nothing, other) | (other, Self::Nothing) => Self::Maybe(Box::new(other)),
            (Self::Word(mut one), Self::Word(other)) => {
                one.extend(other);
                Self::Word(one)
            }
            (one, other) if one.is_text() && other.is_text() => Self::Text,
            // What is several things in one case is no single value.
            (several @ (Self::List(_) | Self::Record(_)), _) | (_, several @ (Self::List(_) | Self::Record(_))) => {
                several
            }
            _ => Self::Unknown,
        }
    }
}

/// Field → type.
pub(crate) type Fields = BTreeMap<&'static str, Type>;

fn record<const N: usize>(fields: [(&'static str, Type); N]) -> Type {
    Type::Record(Arc::new(BTreeMap::from(fields)))
}

fn list(of: Type) -> Type {
    Type::List(Box::new(of))
}

fn maybe(of: Type) -> Type {
    Type::Maybe(Box::new(of))
}

fn words(words: &[&str]) -> Type {
    Type::Word(words.iter().map(|&word| word.to_owned()).collect())
}

fn texts<const N: usize>(names: [&'static str; N]) -> Fields {
    names.into_iter().map(|name| (name, Type::Text)).collect()
}

fn with<const N: usize>(mut fields: Fields, more: [(&'static str, Type); N]) -> Type {
    fields.extend(more);
    Type::Record(Arc::new(fields))
}

fn money() -> Type {
    let one = || record([("currency", Type::Text), ("amount", Type::NumberText)]);
    record([("shop", one()), ("presentment", one())])
}

fn address() -> Type {
    with(
        texts([
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
        ]),
        [],
    )
}

fn person() -> Type {
    with(texts(["id", "first_name", "last_name", "email", "phone"]), [])
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
        texts(["id", "sku", "title"]),
        [
            ("variant_id", maybe(Type::Text)),
            ("product_id", maybe(Type::Text)),
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

/// A refund within its order; as a record of its own it has a total too.
fn refund(is_own: bool) -> Type {
    let mut fields = texts(["id", "order_id", "note"]);
    if is_own {
        fields.insert("total", Type::Amount);
    }
    with(fields, [("created_at", Type::Time), ("refunded", maybe(money())), ("lines", list(refund_line()))])
}

const FINANCIAL: &[&str] =
    &["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"];
/// Shopify's words, and the empty one while nothing is shipped.
const FULFILMENT: &[&str] = &["", "fulfilled", "partial", "restocked"];
const CANCEL_REASONS: &[&str] = &["customer", "declined", "fraud", "inventory", "other", "staff"];

fn order() -> Type {
    let shipping_line = with(
        texts(["id", "title", "code"]),
        [("price", money()), ("discounted_price", money()), ("taxes", list(tax_line())), ("removed", Type::Flag)],
    );
    let totals = ["lines", "discounts", "shipping", "tax", "tip", "total", "current_total"].map(|name| (name, money()));
    let rare = ["duties", "additional_fees", "cash_rounding"].map(|name| (name, maybe(money())));
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
    for name in ["created_at", "processed_at"] {
        fields.insert(name, Type::Time);
    }
    for name in ["cancelled_at", "closed_at"] {
        fields.insert(name, maybe(Type::Time));
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
            ("cancel_reason", maybe(words(CANCEL_REASONS))),
            ("financial_status", words(FINANCIAL)),
            ("fulfillment_status", words(FULFILMENT)),
            ("tags", list(Type::Text)),
            ("customer", maybe(person())),
            ("billing_address", maybe(address())),
            ("shipping_address", maybe(address())),
            ("lines", list(order_line())),
            ("shipping_lines", list(shipping_line)),
            ("refunds", list(refund(false))),
            ("totals", Type::Record(Arc::new(totals.into_iter().chain(rare).collect()))),
        ],
    )
}

/// Shopify's words, and the empty one while it is not known.
const EMAIL_CONSENTS: &[&str] = &["", "subscribed", "not_subscribed", "pending", "unsubscribed", "invalid", "redacted"];

fn customer() -> Type {
    with(
        texts(["id", "first_name", "last_name", "email", "phone", "note"]),
        [
            ("created_at", maybe(Type::Time)),
            ("verified_email", Type::Flag),
            ("state", words(&["disabled", "invited", "enabled", "declined"])),
            ("tax_exempt", Type::Flag),
            ("email_consent", words(EMAIL_CONSENTS)),
            ("tags", list(Type::Text)),
            ("default_address", maybe(address())),
        ],
    )
}

/// The buyer within an order's `customer_fields`.
pub(crate) fn buyer() -> Type {
    person()
}

/// A record of a kind, as expressions see it under the kind's name.
pub(crate) fn of_kind(kind: Kind) -> Type {
    static KNOWN: LazyLock<BTreeMap<&'static str, Type>> = LazyLock::new(|| {
        let kinds = [Kind::Order, Kind::Customer, Kind::Refund, Kind::Shipment, Kind::StockLevel, Kind::Price];
        let kinds = kinds.into_iter().chain([Kind::Fulfilment, Kind::InventoryLevel]);
        kinds.map(|kind| (kind.as_str(), described(kind))).collect()
    });
    KNOWN.get(kind.as_str()).cloned().unwrap_or(Type::Unknown)
}

fn described(kind: Kind) -> Type {
    match kind {
        Kind::Order => order(),
        Kind::Customer => customer(),
        Kind::Refund => refund(true),
        Kind::Shipment => with(
            texts(["id", "order_id", "order_name", "carrier", "tracking_number", "tracking_url"]),
            [("shipped_at", maybe(Type::Time)), ("voided", Type::Flag), ("lines", list(parcel_line()))],
        ),
        Kind::Fulfilment => with(
            texts(["id", "order_id", "status", "tracking_company"]),
            [
                ("location_id", maybe(Type::Text)),
                ("tracking_numbers", list(Type::Text)),
                ("lines", list(parcel_line())),
            ],
        ),
        Kind::StockLevel => with(texts(["sku", "location"]), [("quantity", Type::Whole)]),
        Kind::Price => with(texts(["sku", "currency"]), [("amount", Type::Amount), ("category", maybe(Type::Text))]),
        Kind::InventoryLevel => with(texts(["inventory_item_id", "location_id"]), [("available", maybe(Type::Whole))]),
        Kind::Product | Kind::Incident => Type::Unknown,
    }
}

/// The name of a kind's record in expressions.
pub(crate) fn variable(kind: Kind) -> String {
    kind.as_str().replace('-', "_")
}

/// Every name that expressions over records of a kind can see, with the fields behind it.
pub(crate) fn paths(kind: Kind) -> Vec<String> {
    fn collect(path: &str, of: Type, found: &mut Vec<String>) {
        match of.certain() {
            Type::Record(fields) => {
                for (field, of) in fields.iter() {
                    collect(&format!("{path}.{field}"), of.clone(), found);
                }
            }
            Type::List(of) if matches!(*of, Type::Record(_)) => collect(&format!("{path}[]"), *of, found),
            _ => found.push(path.to_owned()),
        }
    }
    let mut found = Vec::new();
    collect(&variable(kind), of_kind(kind), &mut found);
    found
}

/// A person's totals over all orders that count.
pub(crate) fn totals() -> Type {
    record([("orders", Type::Whole), ("spent", Type::Amount), ("last_order_at", maybe(Type::Time))])
}

#[cfg(test)]
mod tests;
