//! What resolvers answer.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{Context, failure::Failure, page::Page};
use crate::shopify::{
    money::{Exchange, Pair, graphql},
    order::{Fulfillment, FulfillmentOrder, Order, Refund},
    records::{Customer, Location, Product},
};

/// The arguments of a field, defaults put in.
pub(crate) type Arguments = serde_json::Map<String, Value>;

/// What a field holds.
#[derive(Clone)]
pub(crate) enum Out {
    Null,
    Leaf(Value),
    Object(Node),
    List(Vec<Out>),
    Page(Page),
}

/// An object, its fields not looked at yet.
#[derive(Clone)]
pub(crate) enum Node {
    /// A small object with all its fields.
    Plain(Arc<Plain>),
    QueryRoot,
    Mutation,
    Shop,
    AppInstallation,
    Order(Arc<Order>),
    /// A line, by its id.
    Line(Arc<Order>, u64),
    Refund(Arc<Order>, Arc<Refund>),
    FulfillmentOrder(Arc<Order>, Arc<FulfillmentOrder>),
    Fulfillment(Arc<Order>, Arc<Fulfillment>),
    Customer(Arc<Customer>),
    Product(Arc<Product>),
    /// A variant, by its place in the product.
    Variant(Arc<Product>, usize),
    InventoryItem(Arc<Product>, usize),
    /// Item and location.
    Level(u64, u64),
    Location(Arc<Location>),
}

/// A small object with all its fields.
pub(crate) struct Plain {
    pub(crate) type_name: &'static str,
    pub(crate) fields: Vec<(&'static str, Out)>,
}

impl Node {
    /// The object's type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Plain(plain) => plain.type_name,
            Self::QueryRoot => "QueryRoot",
            Self::Mutation => "Mutation",
            Self::Shop => "Shop",
            Self::AppInstallation => "AppInstallation",
            Self::Order(_) => "Order",
            Self::Line(..) => "LineItem",
            Self::Refund(..) => "Refund",
            Self::FulfillmentOrder(..) => "FulfillmentOrder",
            Self::Fulfillment(..) => "Fulfillment",
            Self::Customer(_) => "Customer",
            Self::Product(_) => "Product",
            Self::Variant(..) => "ProductVariant",
            Self::InventoryItem(..) => "InventoryItem",
            Self::Level(..) => "InventoryLevel",
            Self::Location(_) => "Location",
        }
    }

    /// The value of a field.
    ///
    /// # Errors
    /// Shopify's refusal, or that there is no answer here.
    pub(crate) fn resolve(&self, context: &Context<'_>, field: &str, given: &Arguments) -> Result<Out, Failure> {
        match self {
            Self::Plain(plain) => plain
                .fields
                .iter()
                .find(|(name, _)| *name == field)
                .map(|(_, out)| out.clone())
                .ok_or_else(|| Failure::unanswered(plain.type_name, field)),
            Self::QueryRoot => super::roots::resolve(context, field, given),
            Self::Mutation => super::mutations::resolve(context, field, given),
            Self::Shop => super::people::shop(context, field),
            Self::AppInstallation => super::people::installation(context, field),
            Self::Order(order) => super::orders::order(context, order, field, given),
            Self::Line(order, line) => super::orders::line(context, order, *line, field),
            Self::Refund(order, refund) => super::refunds::refund(context, order, refund, field, given),
            Self::FulfillmentOrder(order, one) => super::sending::fulfillment_order(context, order, one, field, given),
            Self::Fulfillment(order, one) => super::sending::fulfillment(context, order, one, field, given),
            Self::Customer(customer) => super::people::customer(context, customer, field, given),
            Self::Product(product) => super::catalog::product(context, product, field, given),
            Self::Variant(product, at) => super::catalog::variant(context, product, *at, field, given),
            Self::InventoryItem(product, at) => super::catalog::item(context, product, *at, field, given),
            Self::Level(item, location) => super::catalog::level(context, *item, *location, field, given),
            Self::Location(location) => super::catalog::location(context, location, field, given),
        }
    }
}

/// A value that is no object.
pub(crate) fn leaf(value: impl Serialize) -> Out {
    match serde_json::to_value(value) {
        Ok(Value::Null) | Err(_) => Out::Null,
        Ok(value) => Out::Leaf(value),
    }
}

/// A global id.
pub(crate) fn gid(kind: &str, id: u64) -> Out {
    Out::Leaf(Value::String(format!("gid://shopify/{kind}/{id}")))
}

/// A small object.
pub(crate) fn plain(type_name: &'static str, fields: Vec<(&'static str, Out)>) -> Out {
    Out::Object(Node::Plain(Arc::new(Plain { type_name, fields })))
}

/// An object that may be absent.
pub(crate) fn optional(node: Option<Node>) -> Out {
    node.map_or(Out::Null, Out::Object)
}

/// A list of texts.
pub(crate) fn texts<T: ToString>(items: &[T]) -> Out {
    Out::List(items.iter().map(|item| leaf(item.to_string())).collect())
}

/// `MoneyV2`.
pub(crate) fn money(amount: rust_decimal::Decimal, currency: &str) -> Out {
    plain("MoneyV2", vec![("amount", leaf(graphql(amount))), ("currencyCode", leaf(currency))])
}

/// `MoneyBag`.
pub(crate) fn bag(pair: Pair, exchange: &Exchange) -> Out {
    plain(
        "MoneyBag",
        vec![
            ("shopMoney", money(pair.shop, &exchange.shop)),
            ("presentmentMoney", money(pair.presentment, &exchange.presentment)),
        ],
    )
}

/// `Count`, exact.
pub(crate) fn count(number: usize) -> Out {
    plain("Count", vec![("count", leaf(number)), ("precision", leaf("EXACT"))])
}

/// A text argument.
pub(crate) fn text<'a>(given: &'a Arguments, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str)
}
