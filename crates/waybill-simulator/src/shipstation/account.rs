//! Warehouses and carriers: read only, as in the vendor's document.

use axum::{extract::Path, response::Response};
use serde_json::{Value, json};

use super::{
    answers::{Problem, bad_request, not_found, ok},
    shape::is_id,
};

/// A carrier account.
pub(super) struct Carrier {
    pub(super) id: &'static str,
    pub(super) code: &'static str,
    name: &'static str,
    pub(super) services: &'static [&'static str],
    pub(super) tracking_url: &'static str,
    pub(super) tracking_prefix: &'static str,
}

pub(super) const CARRIERS: [Carrier; 2] = [
    Carrier {
        id: "se-2774150",
        code: "ups",
        name: "UPS",
        services: &["ups_ground", "ups_next_day_air"],
        tracking_url: "https://www.ups.com/track?tracknum=",
        tracking_prefix: "1Z999AA1",
    },
    Carrier {
        id: "se-2774151",
        code: "stamps_com",
        name: "Stamps.com",
        services: &["usps_priority_mail", "usps_ground_advantage"],
        tracking_url: "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
        tracking_prefix: "94001118992",
    },
];

const WAREHOUSE_ID: &str = "se-1951";

fn main_warehouse() -> Value {
    let address = json!({
        "name": "Warehouse",
        "phone": "+1 512-555-0111",
        "email": null,
        "company_name": "Example Corp.",
        "address_line1": "4009 Marathon Blvd",
        "address_line2": "Suite 300",
        "address_line3": null,
        "city_locality": "Austin",
        "state_province": "TX",
        "postal_code": "78756",
        "country_code": "US",
        "address_residential_indicator": "no",
    });
    json!({
        "warehouse_id": WAREHOUSE_ID,
        "is_default": true,
        "name": "Main",
        "created_at": "2024-01-02T08:00:00.000Z",
        "origin_address": address,
        "return_address": address,
    })
}

/// `GET /v2/warehouses`
pub(super) async fn warehouses() -> Response {
    ok(json!({ "warehouses": [main_warehouse()] }))
}

/// `GET /v2/warehouses/{warehouse_id}`
pub(super) async fn warehouse(Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("warehouse_id", &id) {
        return response;
    }
    if id == WAREHOUSE_ID { ok(main_warehouse()) } else { not_found("warehouse_id", &id) }
}

/// Whether there is a warehouse with this id.
pub(super) fn is_warehouse(id: &str) -> bool {
    id == WAREHOUSE_ID
}

/// `GET /v2/carriers`
pub(super) async fn carriers() -> Response {
    let carriers: Vec<_> = CARRIERS.iter().map(Carrier::json).collect();
    ok(json!({ "carriers": carriers, "request_id": "aa3d8e8e-462b-4476-9618-72db7f7b7009", "errors": [] }))
}

/// `GET /v2/carriers/{carrier_id}`
pub(super) async fn carrier(Path(id): Path<String>) -> Response {
    if let Err(response) = id_in_path("carrier_id", &id) {
        return response;
    }
    match CARRIERS.iter().find(|carrier| carrier.id == id) {
        Some(carrier) => ok(carrier.json()),
        None => not_found("carrier_id", &id),
    }
}

impl Carrier {
    fn json(&self) -> Value {
        let services: Vec<_> = self
            .services
            .iter()
            .map(|code| {
                json!({
                    "carrier_id": self.id,
                    "carrier_code": self.code,
                    "service_code": code,
                    "name": code.replace('_', " "),
                    "domestic": true,
                    "international": false,
                    "is_multi_package_supported": true,
                })
            })
            .collect();
        json!({
            "carrier_id": self.id,
            "carrier_code": self.code,
            "account_number": "123456",
            "requires_funded_amount": false,
            "balance": 0,
            "nickname": self.name,
            "friendly_name": self.name,
            "primary": false,
            "has_multi_package_supporting_services": true,
            "supports_label_messages": true,
            "services": services,
            "packages": [],
            "options": [],
        })
    }
}

/// Refuses an id that is none: `se_id` of the document.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
pub(super) fn id_in_path(field: &str, id: &str) -> Result<(), Response> {
    if id.len() <= 25 && is_id(id) {
        return Ok(());
    }
    let message = format!("{field} has an invalid format.");
    Err(bad_request(&[Problem::coded("invalid_identifier", field, &id.into(), message)]))
}
