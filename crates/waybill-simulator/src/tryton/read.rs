//! `read`: stored and computed fields, and those of related records by a dotted path.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{
    amounts,
    context::Context,
    names, python,
    schema::{self, Field, Kind, Model},
    stock,
    store::Store,
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// `ModelStorage.read(ids, fields_names)`.
pub(super) fn read(store: &Store, context: &Context, model: &Model, ids: &[Id], fields: &[String]) -> Outcome<Json> {
    check_there(store, model, ids, "read")?;
    let mut once: Vec<Id> = Vec::new();
    for id in ids {
        if !once.contains(id) {
            once.push(*id);
        }
    }
    let wanted = Wanted::parse(model, fields)?;
    once.iter().map(|id| wanted.of(store, context, model, *id)).collect::<Outcome<Vec<_>>>().map(Json::Array)
}

/// Refuses ids that are not there, as all of Tryton's methods do.
pub(super) fn check_there(store: &Store, model: &Model, ids: &[Id], action: &str) -> Outcome<()> {
    let missing: Vec<_> = ids.iter().filter(|id| store.get(model, **id).is_none()).map(Id::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (ids, model) = (missing.join(", "), model.label);
    let verb = if action == "write" { "write to" } else { "read" };
    Err(Trouble::user(format!("You are trying to {verb} records \"{ids}\" of \"{model}\" that don't exist.")))
}

/// The fields wanted of a model, and those of its relations.
struct Wanted {
    plain: Vec<&'static Field>,
    related: BTreeMap<&'static str, (&'static Field, Wanted)>,
}

impl Wanted {
    fn parse(model: &Model, fields: &[String]) -> Outcome<Self> {
        let mut plain = Vec::new();
        let mut dotted: BTreeMap<&'static str, (&'static Field, Vec<String>)> = BTreeMap::new();
        for name in fields {
            match name.split_once('.') {
                None => plain.push(model.field(name)?),
                Some((first, rest)) => {
                    let field = model.field(first)?;
                    dotted.entry(field.name).or_insert((field, Vec::new())).1.push(rest.to_owned());
                }
            }
        }
        let related = dotted
            .into_iter()
            .map(|(name, (field, rest))| {
                let target = target(field).ok_or_else(|| {
                    let class = class_of(field.kind);
                    Trouble::Exception(format!("'{class}' object has no attribute 'get_target'"))
                })?;
                Ok((name, (field, Self::parse(target, &rest)?)))
            })
            .collect::<Outcome<_>>()?;
        Ok(Self { plain, related })
    }

    fn of(&self, store: &Store, context: &Context, model: &Model, id: Id) -> Outcome<Json> {
        let mut row = Map::new();
        row.insert("id".to_owned(), id.into());
        for field in &self.plain {
            row.insert(field.name.to_owned(), value(store, context, model, id, field).to_json());
        }
        for (name, (field, wanted)) in &self.related {
            let Some(target) = target(field) else { continue };
            let related = match value(store, context, model, id, field) {
                Value::Integer(target_id) => wanted.of(store, context, target, target_id)?,
                Value::Ids(ids) => {
                    Json::Array(ids.iter().map(|id| wanted.of(store, context, target, *id)).collect::<Outcome<_>>()?)
                }
                _ => Json::Null,
            };
            row.insert(format!("{name}."), related);
        }
        Ok(Json::Object(row))
    }
}

/// The model that a field points to.
pub(super) fn target(field: &Field) -> Option<&'static Model> {
    match field.kind {
        Kind::Many2One(name) | Kind::One2Many(name, _) | Kind::Many2Many(name) => Some(schema::known(name)),
        Kind::Boolean
        | Kind::Integer
        | Kind::Char
        | Kind::RawChar
        | Kind::Text
        | Kind::Numeric(_)
        | Kind::Float
        | Kind::Date
        | Kind::Reference(_)
        | Kind::Selection(_)
        | Kind::MultiSelection => None,
    }
}

fn class_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "Boolean",
        Kind::Integer => "Integer",
        Kind::Char | Kind::RawChar => "Char",
        Kind::Text => "Text",
        Kind::Numeric(_) => "Numeric",
        Kind::Float => "Float",
        Kind::Date => "Date",
        Kind::Selection(_) => "Selection",
        Kind::MultiSelection => "MultiSelection",
        Kind::Many2One(_) => "Many2One",
        Kind::Reference(_) => "Reference",
        Kind::One2Many(..) => "One2Many",
        Kind::Many2Many(_) => "Many2Many",
    }
}

/// A field's value, stored or computed.
pub(super) fn value(store: &Store, context: &Context, model: &Model, id: Id, field: &Field) -> Value {
    if let Kind::One2Many(target, via) = field.kind {
        return Value::Ids(children(store, target, via, id));
    }
    if !field.computed {
        let empty = if matches!(field.kind, Kind::Many2Many(_)) { Value::Ids(Vec::new()) } else { Value::Null };
        return match (field.name, store.value(model, id, field.name)) {
            ("id", _) => Value::Integer(id),
            (_, Value::Null) => empty,
            (_, value) if matches!(field.kind, Kind::Reference(_)) && !refers(store, &value) => empty,
            (_, value) => value,
        };
    }
    computed(store, context, model, id, field)
}

/// Whether the record that a reference names is there: Tryton shows nothing of one that is gone.
fn refers(store: &Store, reference: &Value) -> bool {
    let parts = reference.as_text().and_then(|text| text.split_once(','));
    let Some((Ok(model), Ok(id))) = parts.map(|(name, id)| (schema::model(name), id.parse::<Id>())) else {
        return false;
    };
    store.get(model, id).is_some()
}

/// Inactive children are hidden unless they are asked for, which no caller here does.
fn children(store: &Store, target: &'static str, via: &'static str, id: Id) -> Vec<Id> {
    let model = schema::known(target);
    let mut ids = store.pointing_to(model.name, via, id);
    ids.retain(|child| store.value(model, *child, "active") != Value::Bool(false));
    ids.sort_by(|a, b| {
        let sequence = |id: &Id| store.value(model, *id, "sequence").as_id();
        sequence(a).cmp(&sequence(b)).then(a.cmp(b))
    });
    ids
}

fn computed(store: &Store, context: &Context, model: &Model, id: Id, field: &Field) -> Value {
    let stored = |name: &str| store.value(model, id, name);
    match (model.name, field.name) {
        (_, "rec_name") => Value::text(names::rec_name(store, model, id)),
        ("party.party", "full_name") => stored("name"),
        ("party.party", mechanism) => first_mechanism(store, id, mechanism),
        ("party.contact_mechanism", "value_compact") => stored("value"),
        ("party.identifier", "code_compact") => stored("code"),
        ("party.address", "street") => stored("street_unstructured"),
        ("party.address", "street_single_line") => match stored("street_unstructured") {
            Value::Text(text) => Value::text(text.lines().collect::<Vec<_>>().join(" ")),
            other => other,
        },
        ("product.product", "list_price_used") => stored("template")
            .as_id()
            .map_or(Value::Null, |template| store.value(schema::known("product.template"), template, "list_price")),
        ("product.product", "account_category") => stored("template").as_id().map_or(Value::Null, |template| {
            store.value(schema::known("product.template"), template, "account_category")
        }),
        ("product.product", "quantity") => Value::Float(stock::quantity(store, context, id)),
        ("product.product", "forecast_quantity") => Value::Float(stock::forecast(store, context, id)),
        ("sale.sale", "invoices") => Value::Ids(store.pointing_to("account.invoice", "~sale", id)),
        ("sale.sale", "shipments") => Value::Ids(store.pointing_to("stock.shipment.out", "~sale", id)),
        ("sale.sale", "shipment_returns") => Value::Ids(store.pointing_to("stock.shipment.out.return", "~sale", id)),
        ("sale.sale", "untaxed_amount") => Value::Numeric(amounts::of_sale(store, id).untaxed),
        ("sale.sale", "tax_amount") => Value::Numeric(amounts::of_sale(store, id).tax),
        ("sale.sale", "total_amount") => Value::Numeric(amounts::of_sale(store, id).total),
        ("sale.line", "amount") => Value::Numeric(amounts::of_line(store, id)),
        _ => Value::Null,
    }
}

/// A party's first contact mechanism of a type; an empty text where there is none.
fn first_mechanism(store: &Store, party: Id, kind: &str) -> Value {
    let model = schema::known("party.contact_mechanism");
    children(store, model.name, "party", party)
        .into_iter()
        .find(|id| store.value(model, *id, "type") == Value::text(kind))
        .map_or(Value::text(""), |id| store.value(model, id, "value"))
}

/// The names of a call's `fields_names`.
pub(super) fn field_names(given: &Json) -> Outcome<Vec<String>> {
    let Json::Array(names) = given else { return Err(Trouble::not_iterable(given)) };
    names
        .iter()
        .map(|name| match name {
            Json::String(name) => Ok(name.clone()),
            other => {
                Err(Trouble::Exception(format!("argument of type '{}' is not iterable", python::type_name(other))))
            }
        })
        .collect()
}
