//! Labels: parcels.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Vendor,
    account::{CARRIERS, id_in_path},
    answers::{Problem, bad_request, not_found, ok},
    listing::Listing,
    shape::check_object,
    shapes::BUY_LABEL,
    shipments::object,
    state::{Account, Label, Status, rfc3339, text},
};

/// `GET /v2/labels`
pub(super) async fn list(State(vendor): State<Vendor>, Query(parameters): Query<BTreeMap<String, String>>) -> Response {
    let mut listing = Listing::new(&parameters);
    let status = listing.one_of("label_status", &["processing", "completed", "error", "voided"]);
    let (created_from, created_to) = (listing.time("created_at_start"), listing.time("created_at_end"));
    let (shipment, carrier) = (listing.id("shipment_id"), listing.id("carrier_id"));
    let (service, tracking) = (listing.text("service_code"), listing.text_of("tracking_number", 1));
    // No label here comes from a batch or a rate.
    let elsewhere = listing.id("batch_id").or(listing.id("rate_id")).is_some();
    let warehouse = listing.id("warehouse_id");
    let account = vendor.account();
    let rows: Vec<_> = account
        .labels
        .iter()
        .filter(|label| {
            !elsewhere
                && status.is_none_or(|status| label.status() == status)
                && created_from.is_none_or(|from| label.created_ms >= from)
                && created_to.is_none_or(|to| label.created_ms <= to)
                && shipment.is_none_or(|id| label.shipment_id == id)
                && carrier.is_none_or(|id| label.carrier_id == id)
                && service.is_none_or(|code| label.service_code == code)
                && tracking.is_none_or(|number| label.tracking_number == number)
                && warehouse.is_none_or(|id| leaves_from(&account, label, id))
        })
        .collect();
    match listing.page(rows, |row| (row.created_ms, row.modified_ms), |row| row.json()) {
        Ok(page) => ok(page.json("labels", "/v2/labels")),
        Err(problems) => bad_request(&problems),
    }
}

fn leaves_from(account: &Account, label: &Label, warehouse: &str) -> bool {
    account
        .shipment(&label.shipment_id)
        .is_some_and(|shipment| text(&shipment.values, "warehouse_id").as_deref() == Some(warehouse))
}

/// `GET /v2/labels/{label_id}`
pub(super) async fn by_id(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("label_id", &id) {
        return response;
    }
    let account = vendor.account();
    match account.labels.iter().find(|label| label.id == id) {
        Some(label) => ok(label.json()),
        None => not_found("label_id", &id),
    }
}

/// `POST /v2/labels/shipment/{shipment_id}`
pub(super) async fn buy(State(vendor): State<Vendor>, Path(id): Path<String>, body: Bytes) -> Response {
    if let Err(response) = id_in_path("shipment_id", &id) {
        return response;
    }
    let request = match object(&body) {
        Ok(request) => request,
        Err(problem) => return bad_request(&[problem]),
    };
    let mut problems = Vec::new();
    check_object(&request, &BUY_LABEL, "", &mut problems);
    if !problems.is_empty() {
        return bad_request(&problems);
    }
    let mut account = vendor.account();
    if account.shipment(&id).is_none() {
        return not_found("shipment_id", &id);
    }
    match purchase(&vendor, &mut account, &id) {
        Ok(label) => ok(label.json()),
        Err(problems) => bad_request(&problems),
    }
}

/// Buys a label for a pending shipment that says who carries it and what it weighs.
pub(super) fn purchase(vendor: &Vendor, account: &mut Account, shipment_id: &str) -> Result<Label, Vec<Problem>> {
    let Some(shipment) = account.shipment(shipment_id).cloned() else {
        return Err(vec![Problem::business("invalid_identifier", "shipment_id", "There is no such shipment.")]);
    };
    if shipment.status != Status::Pending {
        let message = format!("A label cannot be bought for a shipment that is {}.", shipment.status.as_str());
        return Err(vec![Problem::business("invalid_status", "shipment_status", message)]);
    }
    let needed = ["carrier_id", "service_code"].into_iter().filter(|name| text(&shipment.values, name).is_none());
    let mut missing: Vec<_> = needed.map(Problem::required).collect();
    let weight = shipment.packages().first().map(|package| package["weight"].clone());
    if weight.is_none() {
        missing.push(Problem::required("packages"));
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    let carrier_id = text(&shipment.values, "carrier_id").unwrap_or_default();
    let carrier = CARRIERS.iter().find(|carrier| carrier.id == carrier_id).unwrap_or(&CARRIERS[0]);
    let id = account.next_id();
    let now = account.tick();
    let label = Label {
        tracking_number: format!("{}{:0>10}", carrier.tracking_prefix, id.trim_start_matches("se-")),
        id,
        shipment_id: shipment.id.clone(),
        external_shipment_id: shipment.external_id.clone(),
        created_ms: now,
        modified_ms: now,
        voided_ms: None,
        carrier_id,
        service_code: text(&shipment.values, "service_code").unwrap_or_default(),
        weight: weight.unwrap_or_default(),
        ship_to: shipment.values.get("ship_to").cloned().unwrap_or_default(),
    };
    account.labels.push(label.clone());
    if let Some(shipment) = account.shipment_mut(shipment_id) {
        shipment.status = Status::LabelPurchased;
    }
    account.touch(shipment_id);
    vendor.journal.write("create", "label", &label.id, &label.external_shipment_id, label.json());
    Ok(label)
}

/// `PUT /v2/labels/{label_id}/void`. "Once a label is voided it cannot be unvoided"; another may be bought.
pub(super) async fn void(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("label_id", &id) {
        return response;
    }
    let mut account = vendor.account();
    let now = account.tick();
    let Some(label) = account.labels.iter_mut().find(|label| label.id == id) else {
        return not_found("label_id", &id);
    };
    if label.voided_ms.is_some() {
        return ok(json!({
            "approved": false,
            "message": "This label has already been voided.",
            "reason_code": "label_already_voided",
        }));
    }
    label.voided_ms = Some(now);
    label.modified_ms = now;
    let (shipment_id, external_id) = (label.shipment_id.clone(), label.external_shipment_id.clone());
    if !account.has_label(&shipment_id)
        && let Some(shipment) = account.shipment_mut(&shipment_id)
    {
        shipment.status = Status::Pending;
        account.touch(&shipment_id);
    }
    vendor.journal.write("void", "label", &id, &external_id, json!({}));
    ok(json!({ "approved": true, "message": "This label has been voided." }))
}

/// `GET /v2/labels/{label_id}/track`
pub(super) async fn track(State(vendor): State<Vendor>, Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("label_id", &id) {
        return response;
    }
    let account = vendor.account();
    let Some(label) = account.labels.iter().find(|label| label.id == id) else {
        return not_found("label_id", &id);
    };
    let at = rfc3339(label.created_ms);
    ok(json!({
        "tracking_number": label.tracking_number,
        "tracking_url": label.tracking_url(),
        "status_code": "ELEC_ADVICE_RECD_BY_CARRIER",
        "status_description": "Accepted",
        "carrier_code": CARRIERS.iter().find(|carrier| carrier.id == label.carrier_id).map_or("", |c| c.code),
        "carrier_status_code": "M",
        "carrier_status_description": "Shipper created a label.",
        "ship_date": at,
        "estimated_delivery_date": rfc3339(label.created_ms + 3 * 86_400_000),
        "events": [{
            "occurred_at": at,
            "city_locality": "",
            "state_province": "",
            "postal_code": "",
            "carrier_detail_code": "MP",
            "status_code": "ELEC_ADVICE_RECD_BY_CARRIER",
            "status_description": "Accepted",
            "carrier_status_code": "M",
            "carrier_status_description": "Shipper created a label.",
        }],
    }))
}

impl Label {
    fn status(&self) -> &'static str {
        if self.voided_ms.is_some() { "voided" } else { "completed" }
    }
}

/// What the people in the warehouse choose before they buy a label, where the order does not say it.
pub(super) fn choose(account: &mut Account, shipment_id: &str, carrier_code: Option<&str>) {
    let Some(shipment) = account.shipment_mut(shipment_id) else {
        return;
    };
    let chosen = carrier_code.and_then(|code| CARRIERS.iter().find(|carrier| carrier.code == code));
    let ordered = text(&shipment.values, "carrier_id").and_then(|id| CARRIERS.iter().find(|carrier| carrier.id == id));
    let carrier = chosen.or(ordered).unwrap_or(&CARRIERS[0]);
    let service = text(&shipment.values, "service_code").filter(|code| carrier.services.contains(&code.as_str()));
    let service = service.unwrap_or_else(|| carrier.services[0].to_owned());
    shipment.values.insert("carrier_id".to_owned(), carrier.id.into());
    shipment.values.insert("service_code".to_owned(), service.into());
    if shipment.packages().is_empty() {
        let package: Value = json!({ "weight": { "value": 500, "unit": "gram" } });
        shipment.values.insert("packages".to_owned(), json!([package]));
    }
}
