//! What the business's people see and do in the systems' own pages.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use waybill_simulator::{
    hubspot,
    kit::{Journal, Running},
    seeding, shipstation,
    shopify::Store,
};

use super::business::Business;

/// An answer of a vendor, which has to be a good one.
async fn answer(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

impl Business {
    fn crm(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/crm/objects/2026-03/{path}", self.suite.vendors.crm.url());
        reqwest::Client::new().request(method, url).bearer_auth(hubspot::Settings::default().token)
    }

    /// A contact's properties in HubSpot.
    pub(super) async fn contact(&self, email: &str, properties: &str) -> Value {
        let path = format!("contacts/{email}?idProperty=email&properties={properties}");
        answer(self.crm(reqwest::Method::GET, &path)).await["properties"].take()
    }

    /// A colleague changes a contact in HubSpot.
    pub(super) async fn correct_contact(&self, email: &str, properties: Value) {
        let path = format!("contacts/{email}?idProperty=email");
        answer(self.crm(reqwest::Method::PATCH, &path).json(&json!({ "properties": properties }))).await;
    }

    /// A colleague deletes a contact in HubSpot.
    pub(super) async fn delete_contact(&self, email: &str) {
        let id = self.contact(email, "hs_object_id").await["hs_object_id"].as_str().unwrap().to_owned();
        answer(self.crm(reqwest::Method::DELETE, &format!("contacts/{id}"))).await;
    }

    /// A colleague changes an order in HubSpot, by its id there.
    pub(super) async fn correct_crm_order(&self, id: &str, properties: Value) {
        let path = format!("orders/{id}");
        answer(self.crm(reqwest::Method::PATCH, &path).json(&json!({ "properties": properties }))).await;
    }

    /// The shipping tool loses an order's shipment, by its key.
    pub(super) async fn lose_shipment(&self, key: &str) {
        let url = format!("{}/_control/shipments/{key}", self.suite.vendors.parcels.url());
        answer(reqwest::Client::new().delete(url)).await;
    }

    /// The books are restored from a backup that does not have a sale, by its reference.
    pub(super) async fn lose_sale(&self, reference: &str) {
        let url = format!("{}/_control/records/sale.sale/{reference}", self.suite.vendors.erp.url());
        answer(reqwest::Client::new().delete(url)).await;
    }

    /// Somebody's import makes objects in HubSpot.
    pub(super) async fn create_in_crm(&self, kind: &str, objects: &[Value]) {
        let inputs: Vec<Value> = objects.iter().map(|of| json!({"properties": of, "associations": []})).collect();
        answer(self.crm(reqwest::Method::POST, &format!("{kind}/batch/create")).json(&json!({"inputs": inputs}))).await;
    }

    /// How many objects of a kind HubSpot's search knows; `None` if it was asked too often.
    pub(super) async fn found_in_crm(&self, kind: &str) -> Option<u64> {
        let query = json!({"limit": 1, "after": "0", "filterGroups": [], "properties": [], "sorts": []});
        let asked = self.crm(reqwest::Method::POST, &format!("{kind}/search")).json(&query).send().await.unwrap();
        let found: Value = asked.json().await.unwrap();
        found["total"].as_u64()
    }

    /// How many objects HubSpot has, by kind.
    pub(super) async fn crm_state(&self) -> Value {
        answer(reqwest::Client::new().get(format!("{}/_control/state", self.suite.vendors.crm.url()))).await
    }

    /// An order's properties in HubSpot, by its id there.
    pub(super) async fn crm_order(&self, id: &str, properties: &str) -> Value {
        let path = format!("orders/{id}?properties={properties}&associations=contacts");
        answer(self.crm(reqwest::Method::GET, &path)).await
    }

    /// Every shipment in ShipStation.
    pub(super) async fn shipments(&self) -> Vec<Value> {
        let url = format!("{}/v2/shipments?page_size=100", self.suite.vendors.parcels.url());
        let key = shipstation::Config::default().api_key;
        let mut answer = answer(reqwest::Client::new().get(url).header("api-key", key)).await;
        serde_json::from_value(answer["shipments"].take()).unwrap()
    }

    /// Labels for all that is pending are bought in ShipStation; gives their tracking numbers.
    pub(super) async fn ship(&self) -> Vec<String> {
        let url = format!("{}/_control/ship", self.suite.vendors.parcels.url());
        let bought = answer(reqwest::Client::new().post(url).json(&json!({}))).await;
        let labels = bought["labels"].as_array().unwrap().iter();
        labels.map(|label| label["tracking_number"].as_str().unwrap().to_owned()).collect()
    }
}

/// What was written so often: creates, updates and the like of a kind of object.
pub(super) fn writes(vendor: &Running, object: &str) -> Vec<String> {
    written_to(&vendor.journal, object)
}

/// The same of a vendor's journal.
pub(super) fn written_to(journal: &Journal, object: &str) -> Vec<String> {
    let entries = journal.entries();
    entries.into_iter().filter(|entry| entry.object == object).map(|entry| entry.action).collect()
}

/// A store's records of a kind, as its webhooks carry them.
pub(super) fn records(store: &Store, kind: &str) -> Vec<Value> {
    let records = store.records();
    let lines = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).map(|mut line| line["body"].take()).collect()
}

/// What a store has on hand, by SKU and place.
pub(super) fn on_hand(store: &Store) -> BTreeMap<(String, String), i64> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let level = |level: &Value| {
        let at = (text(&level["sku"]), text(&level["location"]));
        (at, level["on_hand"].as_i64().unwrap())
    };
    records(store, "inventory-level").iter().map(level).collect()
}

/// What a store asks for each SKU.
pub(super) fn prices(store: &Store) -> BTreeMap<String, Decimal> {
    store.prices().into_iter().collect()
}

/// The numbers of an order's parcels that a store knows.
pub(super) fn tracking_numbers(store: &Store, order: u64) -> Vec<String> {
    let orders = records(store, "order");
    let order = orders.iter().find(|body| body["id"] == order).unwrap();
    let parcels = order["fulfillments"].as_array().unwrap().iter();
    let numbers = parcels.flat_map(|parcel| parcel["tracking_numbers"].as_array().unwrap());
    numbers.map(|number| number.as_str().unwrap().to_owned()).collect()
}

/// The books, as a bookkeeper's client reads them.
pub(super) struct Books {
    url: String,
    session: String,
}

/// A sale in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) id: i64,
    pub(super) description: String,
    pub(super) comment: String,
    pub(super) reference: String,
    pub(super) state: String,
    pub(super) party: String,
    pub(super) party_id: i64,
    pub(super) warehouse: String,
    pub(super) total: Decimal,
    /// What a return is of.
    pub(super) origin: String,
}

impl Books {
    pub(super) async fn open(business: &Business) -> Self {
        let url = format!("{}/{}/rpc/", business.suite.vendors.erp.url(), seeding::ERP_DATABASE);
        let (user, password) = seeding::ERP_USER;
        let login = json!({"id": 1, "method": "common.db.login", "params": [user, {"password": password}, "en"]});
        let proof = answer(reqwest::Client::new().post(&url).json(&login)).await["result"].take();
        let session = format!("{user}:{}:{}", proof[0], proof[1].as_str().unwrap());
        Self { url, session: format!("Session {}", BASE64_STANDARD.encode(session)) }
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, parameters: Value) -> T {
        let call = json!({"id": 1, "method": format!("model.{method}"), "params": parameters});
        let request = reqwest::Client::new().post(&self.url).header("Authorization", &self.session).json(&call);
        let mut answer = answer(request).await;
        serde_json::from_value(answer["result"].take()).unwrap_or_else(|_| panic!("{method}: {answer}"))
    }

    /// All records of a model.
    async fn all(&self, model: &str, fields: &[&str]) -> Vec<Value> {
        self.call(&format!("{model}.search_read"), json!([[], 0, 1000, [["id", "ASC"]], fields, {}])).await
    }

    /// Somebody makes records of a model; gives their ids.
    pub(super) async fn create(&self, model: &str, records: Vec<Value>) -> Vec<Value> {
        self.call(&format!("{model}.create"), json!([records, {"company": 1}])).await
    }

    /// The record of a model with a code.
    pub(super) async fn id_of(&self, model: &str, code: &str) -> Value {
        let rows = self.all(model, &["code"]).await;
        rows.iter().find(|row| row["code"] == code).unwrap()["id"].clone()
    }

    /// Somebody deletes a record of a model.
    pub(super) async fn delete(&self, model: &str, id: &Value) {
        self.call::<Value>(&format!("{model}.delete"), json!([[id], {}])).await;
    }

    /// How many records of a model there are.
    pub(super) async fn count(&self, model: &str) -> usize {
        self.call(&format!("{model}.search_count"), json!([[], {}])).await
    }

    /// Somebody changes what an item costs.
    pub(super) async fn set_list_price(&self, code: &str, price: Decimal) {
        let items = self.all("product.product", &["code", "template"]).await;
        let item = items.iter().find(|item| item["code"] == code).unwrap();
        let price = json!({"__class__": "Decimal", "decimal": price.to_string()});
        let values = json!([[item["template"]], {"list_price": price}, {}]);
        self.call::<Value>("product.template.write", values).await;
    }

    /// All sales, in the order in which they were booked.
    pub(super) async fn sales(&self) -> Vec<Sale> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = [
            "description",
            "comment",
            "reference",
            "state",
            "total_amount",
            "origin",
            "party",
            "party.name",
            "warehouse.code",
        ];
        let sales = self.all("sale.sale", &fields).await;
        let sale = |row: &Value| Sale {
            id: row["id"].as_i64().unwrap(),
            description: text(&row["description"]),
            comment: text(&row["comment"]),
            reference: text(&row["reference"]),
            state: text(&row["state"]),
            party: text(&row["party."]["name"]),
            party_id: row["party"].as_i64().unwrap(),
            warehouse: text(&row["warehouse."]["code"]),
            total: text(&row["total_amount"]["decimal"]).parse().unwrap(),
            origin: text(&row["origin"]),
        };
        sales.iter().map(sale).collect()
    }
}
