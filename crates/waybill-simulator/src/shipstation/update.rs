//! `PUT /v2/shipments/{shipment_id}`: docs.shipstation.com/shipments/update and, for what must be there, the page of the
//! same call in the API that ShipStation's runs on (docs.shipstation.com/apis/shipengine/docs/reference/update-shipment).
//! The OpenAPI document does not have it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    Vendor,
    account::{CARRIERS, id_in_path, is_warehouse},
    answers::{Problem, bad_request, not_found, ok},
    shape::check_object,
    shapes::UPDATE_SHIPMENT,
    shipments::{check_address, object},
    state::{Account, Status, text},
};

/// "The following fields cannot be updated": ignored, as the guide's own example sends them.
const READ_ONLY: [&str; 6] = ["shipment_id", "created_at", "modified_at", "shipment_status", "tags", "total_weight"];

/// "Use this endpoint to correct or modify shipment details before purchasing a label." Fields that are not sent stay.
pub(super) async fn update(State(vendor): State<Vendor>, Path(id): Path<String>, body: Bytes) -> Response {
    if let Err(response) = id_in_path("shipment_id", &id) {
        return response;
    }
    let request = match object(&body) {
        Ok(request) => request,
        Err(problem) => return bad_request(&[problem]),
    };
    let (values, cleared) = writable(request);
    let mut problems = Vec::new();
    check_object(&values, &UPDATE_SHIPMENT, "", &mut problems);
    check_address(&values, "ship_to", "", &mut problems);
    if values.contains_key("ship_from") {
        check_address(&values, "ship_from", "", &mut problems);
    } else if !values.contains_key("warehouse_id") {
        problems.push(Problem::required("ship_from"));
    }
    let mut account = vendor.account();
    if problems.is_empty() {
        problems = refusals(&account, &id, &values);
    }
    if account.shipment(&id).is_none() {
        return not_found("shipment_id", &id);
    }
    if !problems.is_empty() {
        return bad_request(&problems);
    }
    apply(&vendor, &mut account, &id, values, &cleared);
    match account.shipment(&id) {
        Some(shipment) => ok(shipment.json()),
        None => not_found("shipment_id", &id),
    }
}

/// The fields to set, without what is read only, and those to clear.
fn writable(mut request: Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    for name in READ_ONLY {
        request.remove(name);
    }
    for package in request.get_mut("packages").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(package) = package.as_object_mut() {
            package.remove("shipment_package_id");
            package.remove("tracking_number");
        }
    }
    let cleared = request.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
    request.retain(|_, value| !value.is_null());
    (request, cleared)
}

fn refusals(account: &Account, id: &str, values: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(shipment) = account.shipment(id) else {
        return problems;
    };
    if shipment.status != Status::Pending {
        let message = format!("A shipment that is {} cannot be updated.", shipment.status.as_str());
        problems.push(Problem::business("invalid_status", "shipment_status", message));
    }
    if text(values, "external_shipment_id").is_some_and(|external_id| external_id != shipment.external_id) {
        let message = "external_shipment_id cannot be changed after shipment creation.";
        problems.push(Problem::business("identifiers_must_match", "external_shipment_id", message));
    }
    if let Some(number) = text(values, "shipment_number")
        && account.shipments.iter().any(|other| other.id != id && other.number == number)
    {
        let message = format!("A shipment with shipment_number '{number}' already exists");
        problems.push(Problem::business("identifier_conflict", "shipment_number", message));
    }
    let carrier_id = text(values, "carrier_id").or_else(|| text(&shipment.values, "carrier_id"));
    let carrier = carrier_id.as_ref().map(|id| CARRIERS.iter().find(|carrier| carrier.id == *id));
    if let Some(None) = carrier {
        let message = "The carrier is not connected to this account.";
        problems.push(Problem::business("carrier_not_connected", "carrier_id", message));
    }
    if let Some(service) = text(values, "service_code") {
        let offered = match carrier.flatten() {
            Some(carrier) => carrier.services.contains(&service.as_str()),
            None => CARRIERS.iter().any(|carrier| carrier.services.contains(&service.as_str())),
        };
        if !offered {
            let message = "The carrier has no such service.";
            problems.push(Problem::invalid("service_code", &service.into(), message));
        }
    }
    if let Some(warehouse) = text(values, "warehouse_id").filter(|id| !is_warehouse(id)) {
        problems.push(Problem::invalid("warehouse_id", &warehouse.into(), "There is no such warehouse."));
    }
    problems
}

fn apply(vendor: &Vendor, account: &mut Account, id: &str, mut values: Map<String, Value>, cleared: &[String]) {
    let body: Value = values.clone().into();
    for item in values.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(item) = item.as_object_mut().filter(|item| !item.contains_key("item_id")) {
            item.insert("item_id".to_owned(), account.next_id().into());
        }
    }
    let Some(shipment) = account.shipment_mut(id) else {
        return;
    };
    if let Some(number) = text(&values, "shipment_number") {
        shipment.number = number;
    }
    for name in ["external_shipment_id", "shipment_number", "validate_address"] {
        values.remove(name);
    }
    for name in cleared {
        shipment.values.remove(name);
    }
    shipment.values.extend(values);
    vendor.journal.write("update", "shipment", id, &shipment.external_id, body);
    account.touch(id);
}
