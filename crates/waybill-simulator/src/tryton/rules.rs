//! What a record must be: `ModelStorage._validate` and `check_modification`, with the rules of each model.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::{
    names::rec_name,
    python, read,
    schema::{self, Field, Kind, Model},
    store::Store,
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// What characters a single line does not take (`fields.Char.forbidden_chars`).
const FORBIDDEN: &[char] = &['\t', '\n', '\r', '\u{b}', '\u{c}'];

/// Refuses to change a field that is read-only, for ever or in the record's state.
pub(super) fn check_changeable(store: &Store, model: &Model, id: Id, field: &Field, new: bool) -> Outcome<()> {
    let (label, name) = (field.label, model.label);
    if field.readonly {
        return Err(Trouble::user(format!("You are not allowed to modify the field \"{label}\" of \"{name}\".")));
    }
    // Lists are guarded by the records in them.
    if matches!(field.kind, Kind::One2Many(..) | Kind::Many2Many(_)) && field.name != "taxes" {
        return Ok(());
    }
    if !readonly_now(store, model, id, field, new) {
        return Ok(());
    }
    let record = rec_name(store, model, id);
    Err(Trouble::user(format!(
        "You are not allowed to modify the field \"{label}\" in record \"{record}\" of \"{name}\"."
    )))
}

fn readonly_now(store: &Store, model: &Model, id: Id, field: &Field, new: bool) -> bool {
    let inactive = model.hides_inactive() && store.value(model, id, "active") == Value::Bool(false);
    let state = |sale: Option<Id>| {
        let state = sale.map(|sale| store.value(schema::known("sale.sale"), sale, "state"));
        state.and_then(|state| state.as_text().map(str::to_owned)).unwrap_or_default()
    };
    match (model.name, field.name) {
        (_, "active") => false,
        _ if inactive && !new => true,
        ("party.party", "code" | "email" | "phone" | "mobile") | ("party.address", "party") => !new,
        ("sale.sale", "comment" | "contact" | "reference") => false,
        ("sale.sale", "sale_date") => !["draft", "quotation"].contains(&state(Some(id)).as_str()),
        ("sale.sale", "shipping_date") => ["processing", "done", "cancelled"].contains(&state(Some(id)).as_str()),
        ("sale.sale", _) => state(Some(id)) != "draft",
        ("sale.line", "note" | "sequence" | "taxes") => false,
        ("sale.line", _) => state(store.value(model, id, "sale").as_id()) != "draft",
        _ => false,
    }
}

/// Refuses a record that breaks a rule; the first in the order of its fields.
pub(super) fn validate(store: &Store, model: &Model, id: Id) -> Outcome<()> {
    for field in model.fields.iter().filter(|field| !field.computed) {
        let value = store.value(model, id, field.name);
        check_domain(store, model, id, field, &value)?;
        if (field.required || required_now(store, model, id, field)) && value.is_empty() {
            let (label, name, record) = (field.label, model.label, rec_name(store, model, id));
            return Err(Trouble::user(format!(
                "A value is required for field \"{label}\" in record \"{record}\" of \"{name}\"."
            )));
        }
        check_digits(store, model, id, field, &value)?;
        check_text(store, model, id, field, &value)?;
    }
    Ok(())
}

fn required_now(store: &Store, model: &Model, id: Id, field: &Field) -> bool {
    let value = |name: &str| store.value(model, id, name);
    match (model.name, field.name) {
        ("sale.sale", "invoice_address" | "sale_date") => {
            !["draft", "quotation", "cancelled"].iter().any(|state| value("state") == Value::text(*state))
        }
        ("sale.line", "quantity" | "unit_price") => value("type") == Value::text("line"),
        ("sale.line", "unit") => value("product") != Value::Null,
        _ => false,
    }
}

fn check_digits(store: &Store, model: &Model, id: Id, field: &Field, value: &Value) -> Outcome<()> {
    let digits = match field.kind {
        Kind::Numeric(digits) => digits,
        Kind::Float if model.name == "sale.line" => store
            .value(model, id, "unit")
            .as_id()
            .and_then(|unit| store.value(schema::known("product.uom"), unit, "digits").as_id())
            .and_then(|digits| u32::try_from(digits).ok()),
        _ => None,
    };
    let (Some(digits), Some(number)) = (digits, value.as_decimal()) else { return Ok(()) };
    // A Decimal's digits are counted as they are written, a float's as they matter.
    let used = if field.kind == Kind::Float { number.normalize().scale() } else { number.scale() };
    if used <= digits {
        return Ok(());
    }
    let shown = if field.kind == Kind::Float { number.normalize().to_string() } else { number.to_string() };
    let (label, name, record) = (field.label, model.label, rec_name(store, model, id));
    Err(Trouble::user(format!(
        "The number of digits in the value \"'{shown}'\" for field \"{label}\" in record \"{record}\" of \"{name}\" \
         exceeds the limit of \"(None, {digits})\"."
    )))
}

fn check_text(store: &Store, model: &Model, id: Id, field: &Field, value: &Value) -> Outcome<()> {
    let Some(text) = value.as_text() else { return Ok(()) };
    let (label, name) = (field.label, model.label);
    let record = || rec_name(store, model, id);
    match field.kind {
        Kind::Char | Kind::RawChar => {
            let found: Vec<_> = FORBIDDEN
                .iter()
                .filter(|letter| text.contains(**letter))
                .map(|letter| python::repr(&letter.to_string()))
                .collect();
            if found.is_empty() {
                return Ok(());
            }
            Err(Trouble::user(format!(
                "The value \"{text}\" for field \"{label}\" in record \"{}\" of \"{name}\" contains some invalid \
                 chars \"{}\".",
                record(),
                found.join(",")
            )))
        }
        Kind::Reference(models) => match text.split_once(',').map_or(text, |(model, _)| model) {
            model if models.contains(&model) => Ok(()),
            // Tryton takes the name of a model that it does not have.
            model => schema::model(model).and_then(|_| {
                Err(Trouble::user(format!(
                    "The value \"{model}\" for field \"{label}\" in record \"{}\" of \"{name}\" is not one of the \
                     allowed options.",
                    record()
                )))
            }),
        },
        Kind::Selection(words) if !words.contains(&text) => Err(Trouble::user(format!(
            "The value \"{text}\" for field \"{label}\" in record \"{}\" of \"{name}\" is not one of the allowed \
             options.",
            record()
        ))),
        _ => Ok(()),
    }
}

/// Refuses a reference to a record that is not there or that the field's domain excludes.
fn check_domain(store: &Store, model: &Model, id: Id, field: &Field, value: &Value) -> Outcome<()> {
    if let Some((culprit, domain)) = outside_domain(store, model, id, field, value) {
        let (label, name, record) = (field.label, model.label, rec_name(store, model, id));
        return Err(Trouble::User {
            message: format!(
                "The value \"{culprit}\" for field \"{label}\" in record \"{record}\" of \"{name}\" is not valid \
                 according to its domain."
            ),
            description: String::new(),
            domain: json!([domain, {}]),
        });
    }
    let Some(target) = read::target(field) else { return Ok(()) };
    let Value::Integer(target_id) = value else { return Ok(()) };
    if store.get(target, *target_id).is_some() {
        return Ok(());
    }
    if matches!((model.name, field.name), ("sale.sale", "currency") | ("sale.line", "unit")) {
        return read::check_there(store, target, &[*target_id], "read");
    }
    let (label, name) = (field.label, model.label);
    Err(Trouble::user(format!("The value \"{target_id}\" for field \"{label}\" in \"{name}\" does not exist.")))
}

/// What is wrong about a value, and the domain that says so.
fn outside_domain(store: &Store, model: &Model, id: Id, field: &Field, value: &Value) -> Option<(String, Json)> {
    let other = |name: &str| store.value(model, id, name);
    let name_of = |target: &'static str, id: Id| rec_name(store, schema::known(target), id);
    match (model.name, field.name, value) {
        ("sale.sale", "invoice_address" | "shipment_address", Value::Integer(address)) => {
            let own = if field.name == "invoice_address" { other("invoice_party") } else { other("shipment_party") };
            let party = if own == Value::Null { other("party") } else { own };
            if party != Value::Null && store.value(schema::known("party.address"), *address, "party") == party {
                return None;
            }
            let party = json!(["party", "=", party.to_json()]);
            let pickup = json!([["id", "=", other("warehouse").to_json()], ["allow_pickup", "=", true]]);
            let domain = if field.name == "invoice_address" {
                json!([party])
            } else {
                json!(["OR", party, ["warehouses", "where", pickup]])
            };
            Some((name_of("party.address", *address), domain))
        }
        ("sale.sale", "warehouse", Value::Integer(location)) => {
            let is = store.value(schema::known("stock.location"), *location, "type") == Value::text("warehouse");
            (!is).then(|| (name_of("stock.location", *location), json!([["type", "=", "warehouse"]])))
        }
        ("sale.sale", "shipping_date", Value::Date(date)) => match other("sale_date") {
            Value::Date(sale) if *date < sale => {
                Some((date.to_string(), json!([["shipping_date", ">=", Value::Date(sale).to_json()]])))
            }
            _ => None,
        },
        ("sale.line", "product" | "unit", Value::Integer(id)) if other("type") != Value::text("line") => {
            let target = if field.name == "product" { "product.product" } else { "product.uom" };
            Some((name_of(target, *id), json!([["id", "=", null]])))
        }
        ("sale.line", "product", Value::Integer(product)) => {
            let returned = other("quantity").as_decimal().is_some_and(|quantity| quantity < Decimal::ZERO);
            let salable = store.value(schema::known("product.product"), *product, "salable") == Value::Bool(true);
            (!returned && !salable).then(|| (name_of("product.product", *product), json!([["salable", "=", true]])))
        }
        ("sale.line", "unit", Value::Integer(unit)) => {
            let units = schema::known("product.uom");
            let product = other("product").as_id()?;
            let own = store.value(schema::known("product.product"), product, "default_uom").as_id()?;
            let (wanted, given) = (store.value(units, own, "category"), store.value(units, *unit, "category"));
            (given != Value::Null && wanted != given)
                .then(|| (name_of("product.uom", *unit), json!([["category", "=", wanted.to_json()]])))
        }
        ("sale.line", "taxes", Value::Ids(taxes)) => {
            let all = taxes.iter().map(|tax| name_of("account.tax", *tax)).collect::<Vec<_>>().join(", ");
            let sale = other("sale").as_id()?;
            let company = store.value(schema::known("sale.sale"), sale, "company");
            let foreign = taxes.iter().any(|tax| store.value(schema::known("account.tax"), *tax, "company") != company);
            foreign.then(|| (all, json!([["company", "=", company.to_json()]])))
        }
        ("party.address", "subdivision", Value::Integer(subdivision)) => {
            outside_country(store, *subdivision, &other("country"))
                .map(|domain| (name_of("country.subdivision", *subdivision), domain))
        }
        _ => None,
    }
}

/// A subdivision is of the address's country and, where Tryton lists the country, of a kind that its addresses name.
fn outside_country(store: &Store, subdivision: Id, country: &Value) -> Option<Json> {
    let subdivisions = schema::known("country.subdivision");
    if store.value(subdivisions, subdivision, "country") != *country {
        return Some(json!([["country", "=", country.to_json()]]));
    }
    let code = store.value(schema::known("country.country"), country.as_id()?, "code");
    let listed = schema::known("party.address.subdivision_type");
    let types = store
        .ids(listed)
        .into_iter()
        .find(|id| store.value(listed, *id, "country_code") == code)
        .map(|id| store.value(listed, id, "types"))?;
    let Value::Words(words) = &types else { return None };
    let kind = store.value(subdivisions, subdivision, "type");
    let allowed = kind.as_text().is_some_and(|kind| words.iter().any(|word| word == kind));
    (!allowed).then(|| json!([["type", "in", types.to_json()]]))
}
