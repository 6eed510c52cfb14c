//! The remote methods of a database.

use http::StatusCode;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value as Json, json};

use super::{
    State, Tryton, answers, buttons,
    context::Context,
    python, read,
    schema::{self, Model},
    search::Query,
    sessions,
    store::{Store, Written},
    trouble::{Outcome, Trouble},
    value::{Id, Value},
    write,
};

/// Methods that Tryton offers on every model and this simulator does not answer.
const OTHERS: &[&str] = &[
    "autocomplete",
    "copy",
    "default_get",
    "export_data",
    "export_data_domain",
    "fields_get",
    "fields_view_get",
    "handle_invoice_exception",
    "handle_shipment_exception",
    "history_revisions",
    "import_data",
    "manual_invoice",
    "manual_shipment",
    "modify_header",
    "on_change",
    "on_change_notify",
    "on_change_with",
    "resources",
    "view_toolbar_get",
];

/// The vendor's date: a simulator is an outside party with a clock of its own.
pub(super) fn today() -> Date {
    Timestamp::from_millisecond(crate::kit::now_ms()).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

impl Tryton {
    /// Answers one call.
    pub(super) fn call(&self, method: &str, parameters: Vec<Json>, authorization: Option<&str>) -> Outcome<Json> {
        let mut state = self.state();
        match method {
            "common.db.login" => return login(&mut state, &parameters),
            "common.db.logout" => {
                if !state.sessions.proves(authorization) {
                    return Err(Trouble::NoSession);
                }
                state.sessions.close(authorization);
                return Ok(Json::Null);
            }
            _ => {}
        }
        if !state.sessions.proves(authorization) {
            return Err(Trouble::NoSession);
        }
        let outcome = run(&mut state.store, method, parameters);
        match &outcome {
            Ok(_) => {
                let written = state.store.commit();
                self.finish(&mut state.store, written);
            }
            Err(_) => state.store.rollback(),
        }
        outcome
    }

    /// Tells the journal what was written and runs what a confirmation has queued.
    fn finish(&self, store: &mut Store, written: Vec<Written>) {
        let confirmed: Vec<Id> =
            written.iter().filter(|entry| entry.action == "confirm").map(|entry| entry.id).collect();
        for Written { action, model, id, reference, body } in written {
            self.journal.write(&action, model, id, &reference, body);
        }
        if !confirmed.is_empty() && schema::known("sale.sale").buttons.contains(&"process") {
            buttons::process_confirmed(store, &confirmed);
            store.commit();
        }
    }
}

fn login(state: &mut State, parameters: &[Json]) -> Outcome<Json> {
    python::arguments("login", &["user", "parameters", "language"], 2, parameters.len())
        .map_err(|text| Trouble::Exception(text.replace("login() takes 4", "login() takes from 4")))?;
    let Json::String(user) = &parameters[0] else {
        return Err(Trouble::Page(StatusCode::BAD_REQUEST, "user argument must be a string"));
    };
    let token = state.sessions.open(user, parameters[1].get("password").and_then(Json::as_str))?;
    Ok(json!([sessions::USER, token, null]))
}

fn run(store: &mut Store, method: &str, mut parameters: Vec<Json>) -> Outcome<Json> {
    let (kind, rest) = method
        .split_once('.')
        .ok_or_else(|| Trouble::Exception("not enough values to unpack (expected 2, got 1)".to_owned()))?;
    let (name, method) = rest.rsplit_once('.').unwrap_or(("", rest));
    match kind {
        "model" => {}
        "wizard" | "report" => return Err(Trouble::not_simulated(format!("the {kind} {name}"))),
        _ => return Err(Trouble::key(name)),
    }
    if name == "res.user" {
        return preferences(store, method, &mut parameters);
    }
    let model = schema::model(name)?;
    let is_button = model.buttons.contains(&method);
    let is_known = ["create", "read", "write", "delete", "search", "search_count", "search_read"].contains(&method);
    if !is_button && !is_known {
        return Err(if OTHERS.contains(&method) {
            Trouble::not_simulated(format!("{name}.{method}"))
        } else {
            Trouble::Page(StatusCode::FORBIDDEN, answers::FORBIDDEN)
        });
    }
    let context = Context::take(&mut parameters)?;
    if is_button {
        return button(store, &context, model, method, &parameters);
    }
    match method {
        "create" => create(store, &context, model, &parameters),
        "write" => write_all(store, &context, model, &parameters),
        "delete" => delete(store, model, &parameters),
        "read" => {
            arguments("ModelSQL.read", &["ids", "fields_names"], 2, &parameters)?;
            let ids = read_ids(model, &parameters[0])?;
            read::read(store, &context, model, &ids, &read::field_names(&parameters[1])?)
        }
        _ => find(store, &context, model, method, &parameters),
    }
}

fn arguments(name: &str, names: &[&str], required: usize, given: &[Json]) -> Outcome<()> {
    python::arguments(name, names, required, given.len()).map_err(Trouble::Exception)
}

/// `read` looks ids up as they come, so that a text is an id that is not there.
fn read_ids(model: &Model, given: &Json) -> Outcome<Vec<Id>> {
    let Json::Array(given) = given else { return Err(Trouble::not_iterable(given)) };
    given
        .iter()
        .map(|id| match id {
            Json::Number(_) => super::taking::integer(id),
            Json::String(text) => {
                let name = model.label;
                Err(Trouble::user(format!("You are trying to read records \"{text}\" of \"{name}\" that don't exist.")))
            }
            _ => Err(Trouble::not_simulated("an id of this type")),
        })
        .collect()
}

fn find(store: &Store, context: &Context, model: &'static Model, method: &str, parameters: &[Json]) -> Outcome<Json> {
    let names = ["domain", "offset", "limit", "order", "fields_names"];
    let taken = if method == "search_read" { 5 } else { 4 };
    arguments(&format!("ModelSQL.{method}"), &names[..taken], 1, parameters)?;
    let query = Query::parse(model, parameters)?;
    let ids = query.run(store, context, model);
    match method {
        "search" => Ok(json!(ids)),
        "search_count" => Ok(json!(ids.len())),
        _ => {
            let fields = match parameters.get(4) {
                None | Some(Json::Null) => Vec::new(),
                Some(names) => read::field_names(names)?,
            };
            read::read(store, context, model, &ids, &fields)
        }
    }
}

fn create(store: &mut Store, context: &Context, model: &'static Model, parameters: &[Json]) -> Outcome<Json> {
    arguments("ModelSQL.create", &["vlist"], 1, parameters)?;
    let ids = write::create(store, context, model, &parameters[0])?;
    for (at, id) in ids.iter().enumerate() {
        let body = parameters[0].get(at).cloned().unwrap_or_default();
        note(store, "create", model, *id, body);
    }
    Ok(json!(ids))
}

fn write_all(store: &mut Store, context: &Context, model: &'static Model, parameters: &[Json]) -> Outcome<Json> {
    if parameters.len() < 2 {
        arguments("ModelSQL.write", &["records", "values"], 2, parameters)?;
    }
    for pair in parameters.chunks(2) {
        let [ids, values] = pair else { return Err(Trouble::not_simulated("records without values")) };
        let ids = write::records(ids)?;
        write::write(store, context, model, &ids, values)?;
        for id in ids {
            note(store, "update", model, id, values.clone());
        }
    }
    Ok(Json::Null)
}

fn delete(store: &mut Store, model: &'static Model, parameters: &[Json]) -> Outcome<Json> {
    let given = parameters.first().ok_or_else(|| Trouble::Exception("list index out of range".to_owned()))?;
    let ids = write::records(given)?;
    let references: Vec<_> = ids.iter().map(|id| reference(store, model, *id)).collect();
    write::delete(store, model, &ids)?;
    for (id, reference) in ids.into_iter().zip(references) {
        let action = "delete".to_owned();
        store.written.push(Written { action, model: model.name, id, reference, body: Json::Null });
    }
    Ok(Json::Null)
}

fn button(
    store: &mut Store,
    context: &Context,
    model: &'static Model,
    name: &str,
    parameters: &[Json],
) -> Outcome<Json> {
    let given = parameters.first().ok_or_else(|| Trouble::Exception("list index out of range".to_owned()))?;
    let ids = write::records(given)?;
    buttons::press(store, context, model, name, &ids)?;
    for id in ids {
        note(store, name, model, id, Json::Null);
    }
    Ok(Json::Null)
}

/// What the caller calls a record: our key as Tryton stores it.
fn reference(store: &Store, model: &Model, id: Id) -> String {
    let field = if model.name.starts_with("party.") { "code" } else { "reference" };
    store.value(model, id, field).as_text().unwrap_or_default().to_owned()
}

fn note(store: &mut Store, action: &str, model: &'static Model, id: Id, body: Json) {
    let reference = reference(store, model, id);
    store.written.push(Written { action: action.to_owned(), model: model.name, id, reference, body });
}

/// `res.user.get_preferences`: what a client puts into the context of its calls.
fn preferences(store: &Store, method: &str, parameters: &mut Vec<Json>) -> Outcome<Json> {
    if method != "get_preferences" {
        return Err(Trouble::not_simulated(format!("res.user.{method}")));
    }
    Context::take(parameters)?;
    let locations = schema::known("stock.location");
    let warehouse = store
        .ids(locations)
        .into_iter()
        .find(|id| store.value(locations, *id, "type") == Value::text("warehouse"))
        .unwrap_or_default();
    Ok(json!({
        "company": 1,
        "company.rec_name": super::names::rec_name(store, schema::known("company.company"), 1),
        "companies": [1],
        "company_filter": "one",
        "employees": [],
        "language": "en",
        "language_direction": "ltr",
        "warehouse": warehouse,
        "warehouse.rec_name": super::names::rec_name(store, locations, warehouse),
    }))
}
