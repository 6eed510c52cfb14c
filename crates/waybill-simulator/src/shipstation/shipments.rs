//! Shipments: what people call orders.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    Vendor,
    account::{CARRIERS, id_in_path},
    address,
    answers::{Problem, bad_request, no_content, not_found, ok},
    listing::Listing,
    shape::check_object,
    shapes::CREATE_SHIPMENTS,
    state::{Account, Status, text},
};

const STATUSES: [&str; 4] = ["pending", "processing", "label_purchased", "cancelled"];

/// `POST /v2/shipments`. A request that is not of the document's shape is refused whole. What is wrong with one
/// shipment as a matter of business is told in that shipment's `errors`, and the others are created.
pub(super) async fn create(State(vendor): State<Vendor>, body: Bytes) -> Response {
    let request = match object(&body) {
        Ok(request) => request,
        Err(problem) => return bad_request(&[problem]),
    };
    let mut problems = Vec::new();
    check_object(&request, &CREATE_SHIPMENTS, "", &mut problems);
    let none = Vec::new();
    let wanted = request.get("shipments").and_then(Value::as_array).unwrap_or(&none);
    for (at, shipment) in wanted.iter().enumerate() {
        let Some(shipment) = shipment.as_object() else {
            continue;
        };
        let path = format!("shipments[{at}]");
        for side in ["ship_to", "ship_from"] {
            // "Either `ship_from` or `warehouse_id` must be set", and the document's request has no `warehouse_id`.
            check_address(shipment, side, &path, &mut problems);
        }
    }
    if !problems.is_empty() {
        return bad_request(&problems);
    }
    let mut account = vendor.account();
    let mut answers = Vec::new();
    let mut has_errors = false;
    for values in wanted.iter().filter_map(Value::as_object) {
        let errors = refusals(&account, values);
        if errors.is_empty() {
            answers.push(created(&vendor, &mut account, values));
        } else {
            has_errors = true;
            let mut answer = values.clone();
            answer.insert("errors".to_owned(), errors.into());
            answers.push(answer.into());
        }
    }
    ok(json!({ "has_errors": has_errors, "shipments": answers }))
}

fn created(vendor: &Vendor, account: &mut Account, values: &Map<String, Value>) -> Value {
    let wants_order = values.get("create_sales_order").and_then(Value::as_bool).unwrap_or(false);
    let sales_order_id = wants_order.then(|| account.next_id().replacen("se-", "so-", 1));
    let shipment = account.add_shipment(values.clone(), sales_order_id);
    vendor.journal.write("create", "shipment", &shipment.id, &shipment.external_id, values.clone().into());
    let mut answer = shipment.json();
    answer["errors"] = json!([]);
    answer["address_validation"] = Value::Null;
    answer
}

/// Why a well-formed shipment is not created. "Each external_shipment_id must be unique per account."
fn refusals(account: &Account, values: &Map<String, Value>) -> Vec<String> {
    let mut errors = Vec::new();
    if let Some(id) = text(values, "external_shipment_id")
        && account.by_external_id(&id).is_some()
    {
        errors.push(format!("A shipment with external_shipment_id '{id}' already exists."));
    }
    if let Some(id) = text(values, "carrier_id")
        && !CARRIERS.iter().any(|carrier| carrier.id == id)
    {
        errors.push(format!("carrier_id '{id}' is not connected to this account."));
    }
    errors
}

/// `GET /v2/shipments`. "All query parameters are optional when listing shipments."
pub(super) async fn list(State(vendor): State<Vendor>, Query(parameters): Query<BTreeMap<String, String>>) -> Response {
    let mut listing = Listing::new(&parameters);
    let status = listing.one_of("shipment_status", &STATUSES);
    let (created_from, created_to) = (listing.time("created_at_start"), listing.time("created_at_end"));
    let (modified_from, modified_to) = (listing.time("modified_at_start"), listing.time("modified_at_end"));
    let batch = listing.id("batch_id").or(listing.text_of("pickup_id", 4));
    let store = listing.id("store_id");
    let (number, external_id) = (listing.text("shipment_number"), listing.text("external_shipment_id"));
    let (sales_order, name) = (listing.text("sales_order_id"), listing.text("ship_to_name"));
    let keyword = listing.text("item_keyword").map(str::to_lowercase);
    // Nothing here has a payment date, a batch or a pickup.
    let dated = listing.time("payment_date_start").or(listing.time("payment_date_end")).is_some();
    let account = vendor.account();
    let rows: Vec<_> = account
        .shipments
        .iter()
        .filter(|shipment| {
            batch.is_none()
                && !dated
                && status.is_none_or(|status| shipment.status.as_str() == status)
                && created_from.is_none_or(|from| shipment.created_ms >= from)
                && created_to.is_none_or(|to| shipment.created_ms <= to)
                && modified_from.is_none_or(|from| shipment.modified_ms >= from)
                && modified_to.is_none_or(|to| shipment.modified_ms <= to)
                && number.is_none_or(|number| shipment.number == number)
                && external_id.is_none_or(|id| shipment.external_id == id)
                && sales_order.is_none_or(|id| shipment.sales_order_id.as_deref() == Some(id))
                && store.is_none_or(|id| text(&shipment.values, "store_id").as_deref() == Some(id))
                && name.is_none_or(|name| shipment.values["ship_to"]["name"] == name)
                && keyword.as_deref().is_none_or(|word| shipment.items().iter().any(|item| mentions(item, word)))
        })
        .collect();
    match listing.page(rows, |row| (row.created_ms, row.modified_ms), |row| row.json()) {
        Ok(page) => ok(page.json("shipments", "/v2/shipments")),
        Err(problems) => bad_request(&problems),
    }
}

fn mentions(item: &Value, word: &str) -> bool {
    ["sku", "name"].into_iter().filter_map(|field| item[field].as_str()).any(|text| text.to_lowercase().contains(word))
}

/// `GET /v2/shipments/{shipment_id}`
pub(super) async fn by_id(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("shipment_id", &id) {
        return response;
    }
    match vendor.account().shipment(&id) {
        Some(shipment) => ok(shipment.json()),
        None => not_found("shipment_id", &id),
    }
}

/// `GET /v2/shipments/external_shipment_id/{external_shipment_id}`
pub(super) async fn by_external_id(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    match vendor.account().by_external_id(&id) {
        Some(shipment) => ok(shipment.json()),
        None => not_found("external_shipment_id", &id),
    }
}

/// `PUT /v2/shipments/{shipment_id}/cancel`. "Any label associated with the shipment needs to be voided first."
pub(super) async fn cancel(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("shipment_id", &id) {
        return response;
    }
    let mut account = vendor.account();
    if account.has_label(&id) {
        return bad_request(&[Problem::business(
            "invalid_status",
            "shipment_status",
            "The shipment has labels. Void them before the shipment is cancelled.",
        )]);
    }
    let Some(shipment) = account.shipment_mut(&id) else {
        return not_found("shipment_id", &id);
    };
    if shipment.status != Status::Cancelled {
        shipment.status = Status::Cancelled;
        vendor.journal.write("cancel", "shipment", &id, &shipment.external_id, json!({}));
        account.touch(&id);
    }
    no_content()
}

/// What is wrong with one side's address, which must be there.
pub(super) fn check_address(values: &Map<String, Value>, side: &str, path: &str, problems: &mut Vec<Problem>) {
    let path = if path.is_empty() { side.to_owned() } else { format!("{path}.{side}") };
    match values.get(side) {
        None => problems.push(Problem::required(&path)),
        Some(Value::Object(address)) => {
            // Parts that the shape has refused already are not named twice.
            let named: BTreeSet<_> = problems.iter().map(|problem| problem.field.clone()).collect();
            let mut found = Vec::new();
            address::check(address, &path, &mut found);
            problems.extend(found.into_iter().filter(|problem| !named.contains(&problem.field)));
        }
        Some(_) => {}
    }
}

/// A request's body as a JSON object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Err(Problem {
            kind: "validation",
            ..Problem::business("request_body_required", "", "The request body is empty.")
        });
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Problem {
            kind: "validation",
            ..Problem::business("invalid_object", "", "The request body is not a JSON object.")
        }),
    }
}
