//! `productVariantsBulkUpdate`, as far as it sets prices.
//!
//! Codes are those of `ProductVariantsBulkUpdateUserErrorCode` in the schema of 2026-07. The words for a price below zero
//! and for one that is too high, the order of errors, and what is answered where some variants are refused are recorded;
//! the other words are the schema's descriptions of their codes. What else a variant's input can set is not simulated.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Context,
    failure::Failure,
    id_of,
    node::{Arguments, Node, Out, leaf, optional, plain, texts},
};
use crate::shopify::state::{About, State};

/// What is wrong with an input: path, text, code.
struct Wrong {
    field: Vec<String>,
    message: &'static str,
    code: &'static str,
}

/// One variant's input: its id, and its price where that is given.
type Wanted = (u64, Option<Decimal>);

/// Sets prices. Without partial updates one wrong variant keeps all as they are.
pub(super) fn update(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let product = id_of("Product", &given["productId"])?;
    if !context.state.borrow().products.contains_key(&product) {
        let field = vec!["productId".to_owned()];
        let wrong = Wrong { field, message: "Product does not exist", code: "PRODUCT_DOES_NOT_EXIST" };
        return Ok(payload(Out::Null, Out::Null, &[wrong]));
    }
    let (mut wanted, mut wrong) = (Vec::new(), Vec::new());
    for (index, input) in given["variants"].as_array().into_iter().flatten().enumerate() {
        match checked(&context.state.borrow(), product, index, input)? {
            Ok(one) => wanted.push(one),
            Err(one) => wrong.push(one),
        }
    }
    let is_partial = given.get("allowPartialUpdates").and_then(Value::as_bool).unwrap_or(false);
    if !wrong.is_empty() && !is_partial {
        wanted.clear();
    }
    let mut is_changed = false;
    for (id, price) in &wanted {
        is_changed |= price.is_some_and(|price| set(context, product, *id, price));
    }
    let mut state = context.state.borrow_mut();
    if is_changed {
        state.product_mut(product);
        state.tell("products/update", About::Product(product));
    }
    let shown = state.products.get(&product).cloned();
    let variants = shown.iter().flat_map(|product| {
        let at = |(id, _): &Wanted| product.variants.iter().position(|variant| variant.id == *id);
        wanted.iter().filter_map(at).map(|at| Out::Object(Node::Variant(product.clone(), at)))
    });
    let variants = if wanted.is_empty() { Out::Null } else { Out::List(variants.collect()) };
    Ok(payload(optional(shown.clone().map(Node::Product)), variants, &wrong))
}

fn payload(product: Out, variants: Out, wrong: &[Wrong]) -> Out {
    let error = |wrong: &Wrong| {
        plain(
            "ProductVariantsBulkUpdateUserError",
            vec![("field", texts(&wrong.field)), ("message", leaf(wrong.message)), ("code", leaf(wrong.code))],
        )
    };
    let errors = Out::List(wrong.iter().map(error).collect());
    plain(
        "ProductVariantsBulkUpdatePayload",
        vec![("product", product), ("productVariants", variants), ("userErrors", errors)],
    )
}

/// One variant's input, or what is wrong with it.
fn checked(state: &State, product: u64, index: usize, input: &Value) -> Result<Result<Wanted, Wrong>, Failure> {
    let wrong = |field: &str, message, code| {
        Ok(Err(Wrong { field: vec!["variants".to_owned(), index.to_string(), field.to_owned()], message, code }))
    };
    if let Some(other) = input
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .find(|name| !["id", "price"].contains(&name.as_str()))
    {
        return Err(Failure::unanswered("ProductVariantsBulkInput", other));
    }
    if input["id"].is_null() {
        return wrong("id", "Product variant is missing ID attribute", "PRODUCT_VARIANT_ID_MISSING");
    }
    let id = id_of("ProductVariant", &input["id"])?;
    // It is looked for within the product: another product's is no variant of this one.
    let is_there = state.products.get(&product).is_some_and(|one| one.variants.iter().any(|one| one.id == id));
    if !is_there {
        return wrong("id", "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST");
    }
    let price = match &input["price"] {
        Value::Null => return Ok(Ok((id, None))),
        given => given.as_str().map_or_else(|| given.to_string(), str::to_owned),
    };
    match price.parse::<Decimal>() {
        Ok(price) if price.is_sign_negative() && !price.is_zero() => {
            wrong("price", "Price must be greater than or equal to 0", "GREATER_THAN_OR_EQUAL_TO")
        }
        Ok(price) if price < Decimal::from(1_000_000_000_000_000_000_u64) => Ok(Ok((id, Some(price.round_dp(2))))),
        _ => wrong("price", "must be less than 1000000000000000000", "INVALID_INPUT"),
    }
}

/// Sets a price; whether it was another one. What was there already is `unchanged` in the journal: a write for nothing.
fn set(context: &Context<'_>, product: u64, id: u64, price: Decimal) -> bool {
    let mut state = context.state.borrow_mut();
    let all = state.products.get_mut(&product).map(std::sync::Arc::make_mut);
    let Some(variant) = all.and_then(|all| all.variants.iter_mut().find(|one| one.id == id)) else { return false };
    let before = std::mem::replace(&mut variant.price, price);
    let sku = variant.sku.clone().unwrap_or_default();
    let action = if before == price { "unchanged" } else { "update" };
    context.store.0.journal.write(action, "product_variant", id, &sku, json!({"price": price, "before": before}));
    before != price
}
