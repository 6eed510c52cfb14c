//! What callers can rely on beside the refusals, which the tests of `connector-tryton` compare with a real Tryton.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, Response, header};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use super::{Setup, TaxRounding, Tryton};

fn setup() -> Setup {
    serde_json::from_value(json!({
        "company": "Example Store",
        "currency": "EUR",
        "user": {"login": "waybill", "password": "secret-of-waybill"},
        "items": [{"code": "TEE-M", "name": "T-shirt M", "price": "20.00", "stock": {"vienna": 9, "graz": 2}}],
        "taxes": [{"name": "VAT 19 %", "rate": "0.19"}],
        "locations": [{"code": "vienna", "name": "Vienna"}, {"code": "graz", "name": "Graz"}],
        "countries": [{"code": "DE", "name": "Germany"}],
    }))
    .unwrap()
}

struct Caller {
    tryton: Tryton,
    authorization: String,
}

impl Caller {
    async fn new(setup: &Setup) -> Self {
        let mut caller = Self { tryton: Tryton::new("erp", setup), authorization: String::new() };
        let session = caller.login("secret-of-waybill").await.1["result"].clone();
        let proof = format!("waybill:{}:{}", session[0], session[1].as_str().unwrap());
        caller.authorization = format!("Session {}", STANDARD.encode(proof));
        caller
    }

    async fn login(&self, password: &str) -> (u16, Json) {
        self.rpc("common.db.login", json!(["waybill", {"password": password}, "en"])).await
    }

    async fn send(&self, method: &str, parameters: Json) -> Response<Body> {
        let body = json!({"id": 0, "method": method, "params": parameters});
        let request = Request::post("/erp/rpc/")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.tryton.simulated().router.oneshot(request).await.unwrap()
    }

    async fn rpc(&self, method: &str, parameters: Json) -> (u16, Json) {
        let response = self.send(method, parameters).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Json::Null))
    }

    async fn model(&self, method: &str, mut parameters: Json) -> Json {
        parameters.as_array_mut().unwrap().push(json!({"company": 1, "locations": self.locations()}));
        let (status, body) = self.rpc(&format!("model.{method}"), parameters).await;
        assert!(status == 200 && body.get("error").is_none(), "{method}: HTTP {status}: {body}");
        body["result"].clone()
    }

    /// The warehouse Vienna.
    fn locations(&self) -> Vec<i64> {
        let state = self.tryton.state();
        state.store.with_text("stock.location", "code", "vienna")
    }

    async fn sale(&self, reference: &str, prices: &[&str]) -> Json {
        let party = self.model("party.party.create", json!([[{"name": "Ann", "code": reference}]])).await[0].clone();
        let address = self.model("party.address.create", json!([[{"party": party}]])).await[0].clone();
        let lines: Vec<_> = prices
            .iter()
            .map(|price| {
                json!({
                    "product": 1, "unit": 1, "quantity": 1, "taxes": [["add", [1]]],
                    "unit_price": {"__class__": "Decimal", "decimal": price},
                })
            })
            .collect();
        let values = json!({
            "reference": reference, "party": party, "warehouse": self.locations()[0],
            "invoice_address": address, "shipment_address": address, "lines": [["create", lines]],
        });
        self.model("sale.sale.create", json!([[values]])).await[0].clone()
    }

    async fn tax(&self, sale: &Json) -> Json {
        self.model("sale.sale.read", json!([[sale], ["tax_amount"]])).await[0]["tax_amount"]["decimal"].clone()
    }

    async fn quantity(&self) -> Json {
        self.model("product.product.read", json!([[1], ["quantity"]])).await[0]["quantity"].clone()
    }
}

/// Three times 0.19 × 1.03 = 0.1957: 0.20 each, 0.59 together.
#[tokio::test]
async fn taxes_are_rounded_on_the_document_or_on_the_line() {
    let (document, line) = (setup(), Setup { tax_rounding: TaxRounding::Line, ..setup() });
    for (setup, expected) in [(document, "0.59"), (line, "0.60")] {
        let caller = Caller::new(&setup).await;
        let sale = caller.sale("r", &["1.03", "1.03", "1.03"]).await;
        assert_eq!(caller.tax(&sale).await, expected);
    }
}

#[tokio::test]
async fn half_a_cent_goes_to_the_even_cent() {
    let caller = Caller::new(&setup()).await;
    let sale = caller.sale("r", &["11.50"]).await;
    assert_eq!(caller.tax(&sale).await, "2.18", "0.19 × 11.50 = 2.185");
}

#[tokio::test]
async fn a_reference_is_taken_twice() {
    let caller = Caller::new(&setup()).await;
    let first = caller.sale("r", &["1.00"]).await;
    let copy = json!({"reference": "r", "party": 2});
    caller.model("sale.sale.create", json!([[copy]])).await;
    let found = caller.model("sale.sale.search", json!([[["reference", "=", "r"]], 0, null, [["id", "ASC"]]])).await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]), (2, &first));
}

#[tokio::test]
async fn every_accepted_write_is_in_the_journal_and_a_refused_one_is_not() {
    let caller = Caller::new(&setup()).await;
    let sale = caller.sale("r", &["1.00"]).await;
    caller.rpc("model.sale.sale.confirm", json!([[sale], {}])).await;
    caller.model("sale.sale.quote", json!([[sale]])).await;
    let entries = caller.tryton.journal.entries();
    let seen: Vec<_> =
        entries.iter().map(|entry| format!("{} {} {}", entry.action, entry.object, entry.reference)).collect();
    assert_eq!(seen, ["create party.party r", "create party.address ", "create sale.sale r", "quote sale.sale r"]);
}

#[tokio::test]
async fn an_inventory_sets_the_stock_of_its_location() {
    let caller = Caller::new(&setup()).await;
    assert_eq!(caller.quantity().await.to_string(), "9.0");
    let storage = caller.tryton.state().store.with_text("stock.location", "code", "vienna-storage")[0];
    let values = json!({"location": storage, "lines": [["create", [{"product": 1, "quantity": 1}]]]});
    let inventory = caller.model("stock.inventory.create", json!([[values]])).await[0].clone();
    caller.model("stock.inventory.confirm", json!([[inventory]])).await;
    assert_eq!(caller.quantity().await.to_string(), "1.0");
}

#[tokio::test]
async fn a_session_ends_when_all_are_ended() {
    let caller = Caller::new(&setup()).await;
    caller.tryton.expire_sessions();
    assert_eq!(caller.rpc("model.sale.sale.search", json!([[], {}])).await.0, 401);
}

/// `[session] max_attempt` is 5.
#[tokio::test]
async fn a_login_that_fails_too_often_is_refused_with_429() {
    let caller = Caller::new(&setup()).await;
    for _ in 0..6 {
        assert_eq!(caller.login("wrong").await.0, 401);
    }
    assert_eq!(caller.login("secret-of-waybill").await.0, 429);
}

#[tokio::test]
async fn what_is_not_simulated_is_said() {
    let caller = Caller::new(&setup()).await;
    for method in ["model.sale.sale.default_get", "wizard.party.replace.create", "model.account.move.search"] {
        assert_eq!(caller.rpc(method, json!([[], {}])).await.0, 501, "{method}");
    }
}

/// Tryton says `gzip` of every answer above 1,400 characters, compressed or not (`trytond/protocols/jsonrpc.py`).
#[tokio::test]
async fn a_long_answer_claims_to_be_compressed() {
    let caller = Caller::new(&setup()).await;
    let many: Vec<_> = (0..60).map(|n| json!({"name": format!("Party {n}"), "code": format!("k{n}")})).collect();
    caller.model("party.party.create", json!([many])).await;
    let response = caller.send("model.party.party.search_read", json!([[], 0, null, null, ["name"], {}])).await;
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<Json>(&body).is_ok());
}
