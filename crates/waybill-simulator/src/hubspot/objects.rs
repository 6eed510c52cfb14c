//! The calls on single records and the list.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    account::Way,
    answers::Refusal,
    associations,
    batch::{self, Answer},
    body,
    hub::Hub,
    record::Kind,
    routes::Query,
};
use crate::kit::now_ms;

/// A list's default and longest page (contacts guide, "Retrieve all contacts").
const PAGE: usize = 10;
const LONGEST_PAGE: usize = 100;

/// What a read asks for.
struct Wanted {
    properties: Vec<String>,
    with_history: Vec<String>,
    associations: Vec<Kind>,
    archived: bool,
}

impl Wanted {
    fn of(query: &Query) -> Result<Self, Refusal> {
        let kinds = query.list("associations");
        Ok(Self {
            properties: query.list("properties"),
            with_history: query.list("propertiesWithHistory"),
            associations: kinds
                .iter()
                .map(|word| {
                    Kind::from_path(word)
                        .ok_or_else(|| Refusal::validation(format!("Unable to infer object type from: {word}")))
                })
                .collect::<Result<_, _>>()?,
            archived: query.flag("archived")?.unwrap_or_default(),
        })
    }
}

/// `GET /crm/objects/2026-03/{type}`
pub(super) fn list(hub: &Hub, kind: Kind, query: &Query) -> Result<Answer, Refusal> {
    let wanted = Wanted::of(query)?;
    let limit = query.number("limit")?.unwrap_or(PAGE);
    if limit > LONGEST_PAGE {
        return Err(Refusal::validation(format!("limit {limit} is more than the maximum of {LONGEST_PAGE}")));
    }
    let after: u64 = match query.text("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(after) => {
            after.parse().map_err(|_| Refusal::validation(format!("after {after} is not a paging cursor")))?
        }
    };
    let account = hub.account();
    let mut records = account
        .table(kind)
        .records
        .range(after..)
        .map(|(_, record)| record)
        .filter(|record| record.archived_ms.is_some() == wanted.archived);
    let page: Vec<Value> = records
        .by_ref()
        .take(limit)
        .map(|record| {
            let shown = hub.show(&account, kind, record, &wanted.properties, &wanted.with_history);
            with_associations(shown, &account.associations, kind, record.id, &wanted.associations)
        })
        .collect();
    let mut answer = json!({"results": page});
    // The cursor is the id of the first record of the next page, as the guide says.
    if let Some(next) = records.next() {
        let link = format!("https://api.hubapi.com/crm/objects/2026-03/{}?after={}", kind.plural(), next.id);
        answer["paging"] = json!({"next": {"after": next.id.to_string(), "link": link}});
    }
    Ok((StatusCode::OK, Some(answer)))
}

fn with_associations(
    mut shown: Value,
    all: &associations::Associations,
    kind: Kind,
    id: u64,
    wanted: &[Kind],
) -> Value {
    let found = associations::of_object(all, kind, id, wanted);
    if !found.is_empty() {
        shown["associations"] = found.into();
    }
    shown
}

/// `GET /crm/objects/2026-03/{type}/{id}`
pub(super) fn get(hub: &Hub, kind: Kind, id: &str, query: &Query) -> Result<Answer, Refusal> {
    let wanted = Wanted::of(query)?;
    let account = hub.account();
    let found = if wanted.archived {
        let id = id.parse().ok();
        id.and_then(|id| account.table(kind).records.get(&id)).filter(|record| record.archived_ms.is_some())
    } else {
        account.find(kind, query.text("idProperty"), id)?.and_then(|id| account.record(kind, id))
    };
    let record = found.ok_or_else(Refusal::not_found)?;
    let shown = hub.show(&account, kind, record, &wanted.properties, &wanted.with_history);
    let shown = with_associations(shown, &account.associations, kind, record.id, &wanted.associations);
    Ok((StatusCode::OK, Some(shown)))
}

/// `POST /crm/objects/2026-03/{type}`
pub(super) fn create(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &["associations", "properties"])?;
    let properties = body::text_map(object, "properties")?;
    let wanted = associations::requested(kind, body::list(object, "associations")?)?;
    let mut account = hub.account();
    let written = account.write(kind, Way::Create, None, &properties, now_ms())?;
    if let Err(refusal) = batch::associate(&mut account, kind, written.id, &wanted) {
        account.undo(kind, written);
        return Err(refusal);
    }
    hub.note(&account, kind, &written);
    Ok((StatusCode::CREATED, Some(hub.show_written(&account, kind, &written))))
}

/// `PATCH /crm/objects/2026-03/{type}/{id}`
pub(super) fn update(hub: &Hub, kind: Kind, id: &str, query: &Query, value: &Value) -> Result<Answer, Refusal> {
    let properties = body::text_map(body::object(value, &["properties"])?, "properties")?;
    let mut account = hub.account();
    let id = account.find(kind, query.text("idProperty"), id)?.ok_or_else(Refusal::not_found)?;
    let written = account.write(kind, Way::Update, Some(id), &properties, now_ms())?;
    hub.note(&account, kind, &written);
    Ok((StatusCode::OK, Some(hub.show_written(&account, kind, &written))))
}

/// `DELETE /crm/objects/2026-03/{type}/{id}`: 204 whether the record is there or not.
pub(super) fn delete(hub: &Hub, kind: Kind, id: &str) -> Answer {
    hub.archive(kind, id);
    (StatusCode::NO_CONTENT, None)
}

/// `POST /crm/objects/2026-03/{type}/merge`
pub(super) fn merge(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &["objectIdToMerge", "primaryObjectId"])?;
    let (other, primary) =
        (body::required_text(object, "objectIdToMerge")?, body::required_text(object, "primaryObjectId")?);
    let mut account = hub.account();
    let id = |id: &str| account.find(kind, None, id)?.ok_or_else(Refusal::not_found);
    let (primary, other) = (id(&primary)?, id(&other)?);
    account.merge(kind, primary, other, now_ms())?;
    let record = account.record(kind, primary).ok_or_else(Refusal::not_found)?;
    let shown = hub.show(&account, kind, record, &[], &[]);
    hub.journal.write("merge", kind.singular(), primary, &account.reference(kind, primary), value.clone());
    Ok((StatusCode::OK, Some(shown)))
}

/// `POST /crm/objects/2026-03/contacts/gdpr-delete`
pub(super) fn gdpr_delete(hub: &Hub, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &["objectId"])?;
    let id = body::required_text(object, "objectId")?;
    let id_property = body::text(object, "idProperty")?;
    let mut account = hub.account();
    if let Some(id) = account.find(Kind::Contacts, id_property.as_deref(), &id)? {
        let reference = account.reference(Kind::Contacts, id);
        account.erase(Kind::Contacts, id);
        hub.journal.write("delete", "contact", id, &reference, json!({"gdpr": true}));
    }
    Ok((StatusCode::NO_CONTENT, None))
}
