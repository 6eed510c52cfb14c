//! `create`, `write` and `delete`.

use http::StatusCode;
use serde_json::{Map, Value as Json};

use super::{
    commands,
    context::Context,
    read, rules,
    schema::{self, Field, Kind, Model},
    store::{Record, Store},
    taking,
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// `create(vlist)`.
pub(super) fn create(store: &mut Store, context: &Context, model: &'static Model, vlist: &Json) -> Outcome<Vec<Id>> {
    check_simulated(model)?;
    let list = match vlist {
        Json::Array(list) => list,
        Json::Object(_) | Json::String(_) => return Err(Trouble::attribute(&Json::from(""), "copy")),
        other => return Err(Trouble::not_iterable(other)),
    };
    let all = list
        .iter()
        .map(|values| values.as_object().ok_or_else(|| Trouble::not_iterable(values)))
        .collect::<Outcome<Vec<_>>>()?;
    create_all(store, context, model, &all)
}

pub(super) fn create_all(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    all: &[&Map<String, Json>],
) -> Outcome<Vec<Id>> {
    let mut ids = Vec::with_capacity(all.len());
    for values in all {
        let mut record = Record::new();
        let mut lists = Vec::new();
        for (name, given) in *values {
            let field = model.field(name)?;
            match field.kind {
                Kind::One2Many(..) | Kind::Many2Many(_) => lists.push((field, given)),
                _ if field.computed => {}
                _ => {
                    record.insert(field.name, taking::taken(field, given)?);
                }
            }
        }
        add_defaults(store, context, model, &mut record);
        check_unique(store, model, &record)?;
        let id = store.insert(model, record);
        ids.push(id);
        for (field, given) in lists {
            commands::set_list(store, context, model, id, field, given)?;
        }
        for (name, given) in *values {
            set_computed(store, context, model, id, model.field(name)?, given)?;
        }
    }
    for (id, values) in ids.iter().zip(all) {
        for name in values.keys() {
            rules::check_changeable(store, model, *id, model.field(name)?, true)?;
        }
    }
    for id in &ids {
        rules::validate(store, model, *id)?;
    }
    Ok(ids)
}

/// `write(records, values, …)`, one pair.
pub(super) fn write(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    ids: &[Id],
    values: &Json,
) -> Outcome<()> {
    check_simulated(model)?;
    let Json::Object(values) = values else { return Err(Trouble::attribute(values, "keys")) };
    let fields = values.iter().map(|(name, given)| Ok((model.field(name)?, given))).collect::<Outcome<Vec<_>>>()?;
    read::check_there(store, model, ids, "write")?;
    for id in ids {
        for (field, given) in &fields {
            rules::check_changeable(store, model, *id, field, false)?;
            check_move(store, model, *id, field, given)?;
        }
    }
    for id in ids {
        for (field, given) in &fields {
            match field.kind {
                Kind::One2Many(..) | Kind::Many2Many(_) => {
                    commands::set_list(store, context, model, *id, field, given)?
                }
                _ if field.computed => set_computed(store, context, model, *id, field, given)?,
                _ => store.set(model, *id, field.name, taking::taken(field, given)?),
            }
        }
    }
    ids.iter().try_for_each(|id| rules::validate(store, model, *id))
}

/// `delete(records)`.
pub(super) fn delete(store: &mut Store, model: &'static Model, ids: &[Id]) -> Outcome<()> {
    check_simulated(model)?;
    read::check_there(store, model, ids, "read")?;
    for id in ids {
        check_deletable(store, model, *id)?;
    }
    ids.iter().try_for_each(|id| remove(store, model, *id))
}

/// Removes a record with what belongs to it, unless another record needs it.
fn remove(store: &mut Store, model: &'static Model, id: Id) -> Outcome<()> {
    const BELONG: &[(&str, &str)] = &[
        ("party.contact_mechanism", "party"),
        ("party.identifier", "party"),
        ("party.address", "party"),
        ("sale.line", "sale"),
        ("stock.inventory.line", "inventory"),
    ];
    let mut children = Vec::new();
    for other in schema::all() {
        for field in other.fields.iter().filter(|field| field.kind == Kind::Many2One(model.name)) {
            let pointing = store.pointing_to(other.name, field.name, id);
            if BELONG.contains(&(other.name, field.name)) {
                children.extend(pointing.into_iter().map(|child| (other, child)));
            } else if !field.required {
                // A reference that may be empty is emptied.
                for holder in pointing {
                    store.set(other, holder, field.name, Value::Null);
                    rules::validate(store, other, holder)?;
                }
            } else if !pointing.is_empty() {
                let (label, name) = (field.label, other.label);
                return Err(Trouble::user(format!(
                    "The records could not be deleted because they are used by field \"{label}\" of \"{name}\"."
                )));
            }
        }
    }
    for (other, child) in children {
        remove(store, other, child)?;
    }
    store.remove(model, id);
    Ok(())
}

fn check_deletable(store: &Store, model: &Model, id: Id) -> Outcome<()> {
    let deletable = |sale: Id| {
        let state = store.value(schema::known("sale.sale"), sale, "state");
        state == Value::text("draft") || state == Value::text("cancelled")
    };
    let name = |model: &Model, id: Id| super::names::rec_name(store, model, id);
    match model.name {
        "sale.sale" if !deletable(id) => {
            Err(Trouble::user(format!("To delete sale \"{}\" you must cancel it.", name(model, id))))
        }
        "sale.line" => match store.value(model, id, "sale") {
            Value::Integer(sale) if !deletable(sale) => {
                let (line, sale) = (name(model, id), name(schema::known("sale.sale"), sale));
                Err(Trouble::user(format!(
                    "To delete line \"{line}\" you must cancel or reset to draft sale \"{sale}\"."
                )))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_simulated(model: &Model) -> Outcome<()> {
    if model.writable { Ok(()) } else { Err(Trouble::not_simulated(format!("writing {}", model.name))) }
}

/// `party.party.code` is unique by a constraint of the database.
fn check_unique(store: &Store, model: &Model, record: &Record) -> Outcome<()> {
    let code = record.get("code").and_then(Value::as_text).unwrap_or_default();
    if model.name == "party.party" && !store.with_text("party.party", "code", code).is_empty() {
        return Err(Trouble::user("The code on party must be unique."));
    }
    Ok(())
}

/// A contact mechanism stays with its party.
fn check_move(store: &Store, model: &Model, id: Id, field: &Field, given: &Json) -> Outcome<()> {
    if model.name != "party.contact_mechanism" || field.name != "party" {
        return Ok(());
    }
    if taking::taken(field, given)?.same(&store.value(model, id, "party")) {
        return Ok(());
    }
    let name = super::names::rec_name(store, model, id);
    Err(Trouble::user(format!("You cannot change the party of contact mechanism \"{name}\".")))
}

fn add_defaults(store: &mut Store, context: &Context, model: &'static Model, record: &mut Record) {
    let default = |record: &mut Record, field: &'static str, value: Value| {
        record.entry(field).or_insert(value);
    };
    if model.hides_inactive() {
        default(record, "active", Value::Bool(true));
    }
    let company = Value::reference(context.company);
    match model.name {
        "party.party" => {
            if record.get("code").is_none_or(Value::is_empty) {
                record.insert("code", store.number(model));
            }
            let locations = schema::known("stock.location");
            let customers = store
                .ids(locations)
                .into_iter()
                .find(|id| store.value(locations, *id, "type") == Value::text("customer"));
            default(record, "customer_location", Value::reference(customers));
        }
        "party.contact_mechanism" => default(record, "type", Value::text("other")),
        "sale.sale" => {
            let currency = context
                .company
                .map_or(Value::Null, |company| store.value(schema::known("company.company"), company, "currency"));
            default(record, "company", company);
            default(record, "currency", currency);
            default(record, "warehouse", default_warehouse(store, context));
            for (field, word) in [
                ("invoice_method", "order"),
                ("shipment_method", "order"),
                ("invoice_state", "none"),
                ("shipment_state", "none"),
                ("state", "draft"),
            ] {
                default(record, field, Value::text(word));
            }
        }
        "sale.line" => default(record, "type", Value::text("line")),
        "stock.inventory" => {
            default(record, "company", company);
            default(record, "date", Value::Date(super::calls::today()));
            default(record, "state", Value::text("draft"));
            let number = store.number(model);
            record.insert("number", number);
        }
        _ => {}
    }
}

/// `stock.location.get_default_warehouse`: the context's, else the only one.
fn default_warehouse(store: &Store, context: &Context) -> Value {
    if context.warehouse.is_some() {
        return Value::reference(context.warehouse);
    }
    let locations = schema::known("stock.location");
    let mut warehouses = store.ids(locations);
    warehouses.retain(|id| store.value(locations, *id, "type") == Value::text("warehouse"));
    match warehouses.as_slice() {
        [only] => Value::Integer(*only),
        _ => Value::Null,
    }
}

/// The setters of computed fields.
fn set_computed(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    id: Id,
    field: &'static Field,
    given: &Json,
) -> Outcome<()> {
    if !field.computed {
        return Ok(());
    }
    let value = taking::taken(field, given)?;
    match (model.name, field.name) {
        ("party.party", "email" | "phone" | "mobile") => {
            if let Value::Text(value) = value
                && !value.is_empty()
            {
                let values = serde_json::json!({"party": id, "type": field.name, "value": value});
                create(store, context, schema::known("party.contact_mechanism"), &Json::Array(vec![values]))?;
            }
            Ok(())
        }
        ("party.address", "street") => {
            store.set(model, id, "street_unstructured", value);
            Ok(())
        }
        // Tryton stores these and fills them itself.
        ("party.contact_mechanism", "value_compact") | ("party.identifier", "code_compact") => {
            rules::check_changeable(store, model, id, field, true)
        }
        _ => Err(Trouble::Exception(format!(
            "Missing setter function for field \"{}\" in \"{}\".",
            field.label, model.label
        ))),
    }
}

/// `party.replace`: the fields that refer to a party refer to another one, and its addresses and contacts sleep.
pub(super) fn replace_party(store: &mut Store, code: &str, by: &str) -> bool {
    const REFERRING: &[(&str, &str)] = &[
        ("account.invoice", "party"),
        ("party.address", "party"),
        ("party.contact_mechanism", "party"),
        ("party.identifier", "party"),
        ("sale.sale", "invoice_party"),
        ("sale.sale", "party"),
        ("sale.sale", "shipment_party"),
        ("stock.shipment.out", "customer"),
        ("stock.shipment.out.return", "customer"),
    ];
    let parties = schema::known("party.party");
    let one = |code| store.with_text("party.party", "code", code).first().copied();
    let (Some(source), Some(destination)) = (one(code), one(by)) else { return false };
    for (name, field) in REFERRING.iter().copied() {
        let model = schema::known(name);
        for id in store.pointing_to(name, field, source) {
            if model.hides_inactive() {
                store.set(model, id, "active", Value::Bool(false));
            }
            store.set(model, id, field, Value::Integer(destination));
        }
    }
    store.set(parties, source, "active", Value::Bool(false));
    store.set(parties, source, "replaced_by", Value::Integer(destination));
    true
}

/// What a restored backup does not have: sales by their reference with their lines, parties by their code.
pub(super) fn lose(store: &mut Store, model: &str, key: &str) -> usize {
    let (name, field) = match model {
        "sale.sale" => ("sale.sale", "reference"),
        "party.party" => ("party.party", "code"),
        _ => return 0,
    };
    let ids = store.with_text(name, field, key);
    for id in &ids {
        if name == "sale.sale" {
            for line in store.pointing_to("sale.line", "sale", *id) {
                store.remove(schema::known("sale.line"), line);
            }
        }
        store.remove(schema::known(name), *id);
    }
    ids.len()
}

/// The records that a method is called on, each once (`trytond.rpc.RPC.convert`).
pub(super) fn records(given: &Json) -> Outcome<Vec<Id>> {
    let ids = match given {
        Json::Array(ids) => ids.iter().map(taking::integer).collect::<Outcome<Vec<_>>>()?,
        Json::String(text) => {
            text.chars().map(|letter| taking::integer(&Json::from(letter.to_string()))).collect::<Outcome<_>>()?
        }
        Json::Number(_) | Json::Bool(_) | Json::Object(_) => {
            return Err(Trouble::not_simulated("a call on one record without a list"));
        }
        Json::Null => return Err(Trouble::Exception("object of type 'NoneType' has no len()".to_owned())),
    };
    let once: std::collections::BTreeSet<_> = ids.iter().collect();
    if once.len() != ids.len() {
        return Err(Trouble::Page(StatusCode::UNPROCESSABLE_ENTITY, "Duplicate records"));
    }
    Ok(ids)
}
