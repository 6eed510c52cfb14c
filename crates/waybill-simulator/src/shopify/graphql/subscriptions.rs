//! Webhook subscriptions. Rules and texts are those of recorded answers.

use serde_json::Value;

use super::{
    Context,
    failure::Failure,
    id_of,
    mutations::payload,
    node::{Arguments, Out, gid, leaf, plain, text, texts},
    page::{Entry, Page},
    search::{Field, Search},
};
use crate::shopify::{API_VERSION, clock::Moment, records::Subscription, shipping::Refusal, state::State};

/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = 64 * 1024;

/// `orders/create` for `ORDERS_CREATE`: the last part is the action, the rest the record.
pub(crate) fn topic_of(word: &str) -> String {
    let lower = word.to_lowercase();
    crate::shopify::TOPICS.iter().find(|topic| topic.replace('/', "_") == lower).map_or_else(
        || lower.rsplit_once('_').map_or(lower.clone(), |(record, action)| format!("{record}/{action}")),
        |topic| (*topic).to_owned(),
    )
}

/// `WebhookSubscription`.
pub(crate) fn body(one: &Subscription) -> Out {
    let endpoint = plain("WebhookHttpEndpoint", vec![("callbackUrl", leaf(&one.uri))]);
    let version = plain(
        "ApiVersion",
        vec![
            ("handle", leaf(API_VERSION)),
            ("displayName", leaf(format!("{API_VERSION} (Latest)"))),
            ("supported", leaf(true)),
        ],
    );
    plain(
        "WebhookSubscription",
        vec![
            ("id", gid("WebhookSubscription", one.id)),
            ("legacyResourceId", leaf(one.id.to_string())),
            ("topic", leaf(one.topic.to_uppercase().replace('/', "_"))),
            ("uri", leaf(&one.uri)),
            ("callbackUrl", leaf(&one.uri)),
            ("endpoint", endpoint),
            ("format", leaf(&one.format)),
            ("includeFields", texts(&one.include_fields)),
            ("metafieldNamespaces", Out::List(Vec::new())),
            ("filter", leaf(&one.filter)),
            ("name", leaf(&one.name)),
            ("apiVersion", version),
            ("createdAt", leaf(one.created_at.utc())),
            ("updatedAt", leaf(one.updated_at.utc())),
        ],
    )
}

/// `webhookSubscriptions`.
pub(crate) fn all(state: &State, given: &Arguments) -> Result<Out, Failure> {
    let search = Search::parse(text(given, "query"))?;
    let topics: Option<Vec<String>> = given
        .get("topics")
        .and_then(Value::as_array)
        .map(|topics| topics.iter().filter_map(Value::as_str).map(topic_of).collect());
    let uri = text(given, "uri").or_else(|| text(given, "callbackUrl"));
    let mut entries = Vec::new();
    for one in state.subscriptions.values() {
        let found = search.finds(|field| {
            Some(match field {
                "id" => Field::Number(one.id),
                "created_at" => Field::Time(one.created_at),
                "updated_at" => Field::Time(one.updated_at),
                "topic" => Field::Text(Some(&one.topic)),
                _ => return None,
            })
        })?;
        if found
            && topics.as_ref().is_none_or(|topics| topics.contains(&one.topic))
            && uri.is_none_or(|uri| one.uri == uri)
        {
            entries.push(Entry::plain(one.id, body(one)));
        }
    }
    Page::of("WebhookSubscriptionConnection", entries, given)
}

fn address_errors(uri: &str) -> Vec<Refusal> {
    let refuse = |message: String| Refusal::new(&["webhookSubscription", "callbackUrl"], message);
    if uri.trim().is_empty() {
        return vec![refuse("Address can't be blank".into())];
    }
    if uri.len() > LONGEST_ADDRESS {
        return vec![refuse("Address is too big (maximum is 64 KB)".into())];
    }
    match uri.split_once("://") {
        Some(("https", rest)) if !rest.is_empty() => Vec::new(),
        Some((scheme, _)) => vec![refuse(format!("Address protocol {scheme}:// is not supported"))],
        None => vec![refuse("Address is invalid".into())],
    }
}

fn other_errors(state: &State, id: u64, topic: &str, input: &Value) -> Result<Vec<Refusal>, Failure> {
    let mut errors = Vec::new();
    match input["filter"].as_str().unwrap_or_default() {
        "" => {}
        filter if filter.contains(':') => {
            return Err(Failure::unanswered("WebhookSubscriptionInput", "filter"));
        }
        _ => errors.push(Refusal::new(
            &["webhookSubscription"],
            "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on.",
        )),
    }
    if input["format"] == "XML" {
        return Err(Failure::unanswered("WebhookSubscriptionFormat", "XML"));
    }
    for list in ["metafieldNamespaces", "metafields"] {
        if input[list].as_array().is_some_and(|items| !items.is_empty()) {
            return Err(Failure::unanswered("WebhookSubscriptionInput", list));
        }
    }
    if let Some(name) = input["name"].as_str() {
        let at = ["webhookSubscription", "name"];
        if name.is_empty() {
            errors.push(Refusal::new(&at, "Name is too short (minimum is 1 character)"));
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            let text = "Name name field can only contain alphanumeric characters, underscores, and hyphens";
            errors.push(Refusal::new(&at, text));
        }
        if state.subscriptions.values().any(|one| one.id != id && one.name.as_deref() == Some(name)) {
            errors.push(Refusal::new(&at, "Name already exists, no duplicate allowed"));
        }
    }
    let uri = address(input);
    let same = |one: &Subscription| one.id != id && one.topic == topic && Some(one.uri.as_str()) == uri;
    if state.subscriptions.values().any(same) {
        let at = ["webhookSubscription", "callbackUrl"];
        errors.push(Refusal::new(&at, "Address for this topic has already been taken"));
    }
    Ok(errors)
}

fn address(input: &Value) -> Option<&str> {
    input["uri"].as_str().or_else(|| input["callbackUrl"].as_str())
}

fn write(one: &mut Subscription, input: &Value) {
    if let Some(uri) = address(input) {
        one.uri = uri.to_owned();
    }
    if let Some(fields) = input["includeFields"].as_array() {
        one.include_fields = fields.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if let Some(filter) = input["filter"].as_str() {
        one.filter = Some(filter.to_owned());
    }
    if let Some(name) = input["name"].as_str() {
        one.name = Some(name.to_owned());
    }
    one.updated_at = Moment::now();
}

/// `webhookSubscriptionCreate`.
pub(crate) fn create(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let topic = topic_of(text(given, "topic").unwrap_or_default());
    let input = &given["webhookSubscription"];
    let mut state = context.state.borrow_mut();
    let mut errors = address_errors(address(input).unwrap_or_default());
    errors.extend(other_errors(&state, 0, &topic, input)?);
    if !errors.is_empty() {
        return Ok(payload("WebhookSubscriptionCreatePayload", vec![("webhookSubscription", Out::Null)], &errors));
    }
    let (id, now) = (state.ids.next("WebhookSubscription"), Moment::now());
    let mut one = Subscription {
        id,
        topic,
        uri: String::new(),
        format: "JSON".into(),
        include_fields: Vec::new(),
        filter: None,
        name: None,
        created_at: now,
        updated_at: now,
    };
    write(&mut one, input);
    let answer = body(&one);
    context.store.0.journal.write("create", "webhookSubscription", id, &one.topic, input.clone());
    state.subscriptions.insert(id, one);
    Ok(payload("WebhookSubscriptionCreatePayload", vec![("webhookSubscription", answer)], &[]))
}

fn unknown() -> Refusal {
    Refusal::new(&["id"], "Webhook subscription does not exist")
}

/// `webhookSubscriptionUpdate`.
pub(crate) fn update(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let id = id_of("WebhookSubscription", &given["id"])?;
    let input = &given["webhookSubscription"];
    let mut state = context.state.borrow_mut();
    let refused = |errors: &[Refusal]| {
        Ok(payload("WebhookSubscriptionUpdatePayload", vec![("webhookSubscription", Out::Null)], errors))
    };
    let Some(topic) = state.subscriptions.get(&id).map(|one| one.topic.clone()) else {
        return refused(&[unknown()]);
    };
    let mut errors = address(input).map(address_errors).unwrap_or_default();
    errors.extend(other_errors(&state, id, &topic, input)?);
    if !errors.is_empty() {
        return refused(&errors);
    }
    let Some(one) = state.subscriptions.get_mut(&id) else { return refused(&[unknown()]) };
    write(one, input);
    let answer = body(one);
    context.store.0.journal.write("update", "webhookSubscription", id, &topic, input.clone());
    Ok(payload("WebhookSubscriptionUpdatePayload", vec![("webhookSubscription", answer)], &[]))
}

/// `webhookSubscriptionDelete`.
pub(crate) fn delete(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let id = id_of("WebhookSubscription", &given["id"])?;
    let gone = context.state.borrow_mut().subscriptions.remove(&id);
    let (deleted, errors) = match gone {
        Some(_) => {
            context.store.0.journal.write("delete", "webhookSubscription", id, "", Value::Null);
            (gid("WebhookSubscription", id), Vec::new())
        }
        None => (Out::Null, vec![unknown()]),
    };
    Ok(payload("WebhookSubscriptionDeletePayload", vec![("deletedWebhookSubscriptionId", deleted)], &errors))
}
