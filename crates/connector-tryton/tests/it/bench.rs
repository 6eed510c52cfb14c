//! The connector with a Tryton, simulated or real, that can be asked and troubled.

mod proxy;

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use connector_tryton::{Tryton, descriptor};
use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, Sink, SystemSettings, contract};
use waybill_domain::document::{CustomerDocument, OrderDocument, RefundDocument};
use waybill_simulator::{
    kit::{self, Faults, Journal, Simulated},
    tryton as simulator,
};

use crate::{
    documents::{order_record, refund_record},
    real::RealTryton,
};

pub(crate) const SETUP: &str = include_str!("../real/setup.json");
pub(crate) const DATABASE: &str = "tryton";

/// The connector on the bench.
pub(crate) struct Bench {
    pub(crate) connector: Tryton,
    pub(crate) vendor: Vendor,
    running: kit::Running,
}

/// A Tryton that tests ask past all trouble.
pub(crate) struct Vendor {
    http: reqwest::Client,
    pub(crate) url: String,
    authorization: String,
    pub(crate) context: Json,
    pub(crate) simulated: Option<simulator::Tryton>,
    _untroubled: Option<kit::Running>,
    _real: Option<RealTryton>,
}

impl Bench {
    pub(crate) async fn simulated() -> Self {
        Self::simulated_with(&setup()).await
    }

    pub(crate) async fn simulated_with(setup: &simulator::Setup) -> Self {
        let tryton = simulator::Tryton::new(DATABASE, setup);
        let running = served(tryton.simulated()).await;
        let untroubled = served(tryton.simulated()).await;
        let url = untroubled.url();
        let vendor = Vendor::open(url, Some(tryton), Some(untroubled), None).await;
        Self::with(running, vendor).await
    }

    /// A real Tryton behind a proxy that makes the trouble; `None` where none is installed.
    pub(crate) async fn real() -> Option<Self> {
        let real = tokio::task::spawn_blocking(RealTryton::start).await.unwrap()?;
        let running = served(proxy::to(&real.url)).await;
        let url = real.url.clone();
        let vendor = Vendor::open(url, None, None, Some(real)).await;
        Some(Self::with(running, vendor).await)
    }

    async fn with(running: kit::Running, vendor: Vendor) -> Self {
        let connector = Tryton::new(&settings(&running.url(), &[])).unwrap();
        let bench = Self { connector, vendor, running };
        // The login is over before any trouble begins: what it does to a login has tests of its own.
        waybill_connector::sink::Check::check(&bench.connector).await.unwrap();
        bench
    }

    /// Another connector to the same Tryton, with some settings changed.
    pub(crate) fn another(&self, changed: &[(&str, &str)]) -> Tryton {
        Tryton::new(&settings(&self.running.url(), changed)).unwrap()
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.running.faults
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.running.journal
    }

    /// A simulated Tryton loses a record, as by a restored backup.
    pub(crate) fn lose(&self, model: &str, key: &str) {
        let tryton = self.vendor.simulated.as_ref().expect("a real Tryton loses nothing");
        assert_eq!(tryton.lose(model, key), 1, "{model} with the key {key}");
    }

    /// Somebody makes another sale of the same party with a key.
    pub(crate) async fn copy(&self, sale: &Json, key: &str) {
        let values = json!([[{"party": sale["party"], "reference": key}]]);
        self.vendor.model("sale.sale.create", values).await;
    }

    /// Brings an order into Tryton as the engine does.
    pub(crate) async fn book(&self, n: usize, document: &OrderDocument, known: Known) -> Result<Known, Failure> {
        contract::drive(self.orders(), &order_record(n), document, known).await
    }

    pub(crate) fn orders(&self) -> &dyn Sink<OrderDocument> {
        &self.connector
    }

    /// Brings a refund into Tryton as the engine does.
    pub(crate) async fn give_back(&self, n: usize, refund: &RefundDocument, known: Known) -> Result<Known, Failure> {
        contract::drive(self.refunds(), &refund_record(n), refund, known).await
    }

    pub(crate) fn refunds(&self) -> &dyn Sink<RefundDocument> {
        &self.connector
    }

    pub(crate) fn customers(&self) -> &dyn Sink<CustomerDocument> {
        &self.connector
    }

    /// The sales of an order, oldest first.
    pub(crate) async fn sales(&self, order: &OrderDocument) -> Vec<Json> {
        self.with_key(order.key.as_str()).await
    }

    /// The sales of a refund, oldest first.
    pub(crate) async fn returns(&self, refund: &RefundDocument) -> Vec<Json> {
        self.with_key(refund.key.as_str()).await
    }

    /// The one sale of a refund.
    pub(crate) async fn returned(&self, refund: &RefundDocument) -> Json {
        let sales = self.returns(refund).await;
        assert_eq!(sales.len(), 1, "sales of a refund: {sales:?}");
        sales[0].clone()
    }

    async fn with_key(&self, key: &str) -> Vec<Json> {
        let fields = json!([
            "comment",
            "description",
            "invoice_address.street",
            "invoices.total_amount",
            "lines.description",
            "lines.product.code",
            "lines.quantity",
            "lines.taxes.name",
            "lines.unit_price",
            "number",
            "origin",
            "party",
            "party.code",
            "party.email",
            "party.name",
            "shipment_address.city",
            "shipment_address.country.code",
            "shipment_address.party_name",
            "shipment_address.street",
            "shipment_address.subdivision.code",
            "shipment_returns.state",
            "shipments.state",
            "state",
            "tax_amount",
            "total_amount",
            "untaxed_amount",
            "warehouse.code",
        ]);
        let domain = json!([["reference", "=", key]]);
        let rows = self.vendor.model("sale.sale.search_read", json!([domain, 0, null, [["id", "ASC"]], fields])).await;
        rows.as_array().unwrap().clone()
    }

    /// Lets processing fail, as long as the buyer's party has no customer location: Tryton confirms in one transaction
    /// and processes in a second one, whose refusal it keeps to itself (`trytond.worker.run_task`).
    pub(crate) async fn hold_processing(&self, order: &OrderDocument) -> Held {
        let key = order.customer.as_ref().unwrap().key.as_str();
        let fields = json!(["customer_location"]);
        let rows =
            self.vendor.model("party.party.search_read", json!([[["code", "=", key]], 0, null, null, fields])).await;
        let held = Held { party: rows[0]["id"].clone(), location: rows[0]["customer_location"].clone() };
        self.set_customer_location(&held.party, &Json::Null).await;
        held
    }

    /// Merges a party into a new one of the same name, as a colleague would; answers the new one's code.
    pub(crate) async fn merge_party(&mut self, source: &Json) -> &'static str {
        const CODE: &str = "merged";
        let row = self.vendor.model("party.party.read", json!([[source], ["code", "name"]])).await[0].clone();
        let values = json!([[{"code": CODE, "name": row["name"]}]]);
        let destination = self.vendor.model("party.party.create", values).await[0].clone();
        match &self.vendor.simulated {
            Some(tryton) => assert!(tryton.replace_party(row["code"].as_str().unwrap(), CODE)),
            None => self.vendor.replace_party(source, &destination).await,
        }
        CODE
    }

    /// Takes a product out of what is sold, as a colleague would.
    pub(crate) async fn stop_selling(&mut self, code: &str) {
        match &self.vendor.simulated {
            Some(tryton) => assert!(tryton.stop_selling(code)),
            None => self.vendor.stop_selling(code).await,
        }
    }

    /// Lets processing succeed again.
    pub(crate) async fn release(&self, held: &Held) {
        self.set_customer_location(&held.party, &held.location).await;
    }

    async fn set_customer_location(&self, party: &Json, location: &Json) {
        self.vendor.model("party.party.write", json!([[party], {"customer_location": location}])).await;
    }

    /// The one sale of an order.
    pub(crate) async fn sale(&self, order: &OrderDocument) -> Json {
        let sales = self.sales(order).await;
        assert_eq!(sales.len(), 1, "sales of {}: {sales:?}", order.name);
        sales[0].clone()
    }
}

/// A party without the customer location that it had.
pub(crate) struct Held {
    party: Json,
    location: Json,
}

impl Vendor {
    async fn open(
        url: String,
        simulated: Option<simulator::Tryton>,
        untroubled: Option<kit::Running>,
        real: Option<RealTryton>,
    ) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let mut vendor = Self {
            http,
            url,
            authorization: String::new(),
            context: json!({}),
            simulated,
            _untroubled: untroubled,
            _real: real,
        };
        vendor.log_in(&setup().user.login).await;
        let preferences = vendor.model("res.user.get_preferences", json!([true])).await;
        vendor.context = json!({
            "company": preferences["company"], "language": "en", "warehouse": preferences["warehouse"]
        });
        vendor
    }

    /// Logs in as a user with the one password.
    async fn log_in(&mut self, login: &str) {
        let password = setup().user.password;
        let (status, answer) = self.rpc("common.db.login", json!([login, {"password": password}, "en"])).await;
        let session = &answer["result"];
        let token = session[1].as_str().unwrap_or_else(|| panic!("{login} cannot log in: HTTP {status}: {answer}"));
        let proof = format!("{login}:{}:{token}", session[0]);
        self.authorization = format!("Session {}", STANDARD.encode(proof));
    }

    /// Changes how a real Tryton rounds, which only its administrator may.
    pub(crate) async fn set_tax_rounding(&mut self, rounding: &str) {
        self.log_in("admin").await;
        self.model("account.configuration.write", json!([[1], {"tax_rounding": rounding}])).await;
        self.log_in(&setup().user.login).await;
    }

    /// Takes a product of a real Tryton out of what is sold, as its administrator.
    async fn stop_selling(&mut self, code: &str) {
        self.log_in("admin").await;
        let found = self
            .model("product.product.search_read", json!([[["code", "=", code]], 0, null, null, ["template"]]))
            .await;
        self.model("product.template.write", json!([[found[0]["template"]], {"salable": false}])).await;
        self.log_in(&setup().user.login).await;
    }

    /// Runs a real Tryton's wizard `party.replace`, as its administrator.
    async fn replace_party(&mut self, source: &Json, destination: &Json) {
        self.log_in("admin").await;
        let wizard = async |method: &str, mut parameters: Vec<Json>| {
            parameters.push(self.context.clone());
            let (status, body) = self.rpc(&format!("wizard.party.replace.{method}"), json!(parameters)).await;
            assert!(status == 200 && body.get("error").is_none(), "{method}: HTTP {status}: {body}");
            body["result"].clone()
        };
        let session = wizard("create", vec![]).await[0].clone();
        let form = json!({"ask": {"source": source, "destination": destination}});
        wizard("execute", vec![session.clone(), form, json!("replace")]).await;
        wizard("delete", vec![session]).await;
        self.log_in(&setup().user.login).await;
    }

    /// A call as it comes: status and body.
    pub(crate) async fn rpc(&self, method: &str, parameters: Json) -> (u16, Json) {
        let body = json!({"id": 0, "method": method, "params": parameters});
        let (status, text) = self.send(&body.to_string(), &[]).await;
        (status, serde_json::from_str(&text).unwrap_or(Json::String(text)))
    }

    /// A call of a model's method; the context is added. Panics on a refusal.
    pub(crate) async fn model(&self, method: &str, mut parameters: Json) -> Json {
        parameters.as_array_mut().unwrap().push(self.context.clone());
        let (status, body) = self.rpc(&format!("model.{method}"), parameters).await;
        assert!(status == 200 && body.get("error").is_none(), "{method}: HTTP {status}: {body}");
        body["result"].clone()
    }

    /// A body with headers that replace the usual ones; an empty one is left out.
    pub(crate) async fn send(&self, body: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
        let mut all = BTreeMap::from([("content-type", "application/json"), ("authorization", &self.authorization)]);
        all.extend(headers.iter().copied());
        all.retain(|_, value| !value.is_empty());
        let mut request = self.http.post(format!("{}/{DATABASE}/rpc/", self.url)).body(body.to_owned());
        for (name, value) in all {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

pub(crate) fn setup() -> simulator::Setup {
    serde_json::from_str(SETUP).unwrap()
}

pub(crate) fn settings(url: &str, changed: &[(&str, &str)]) -> SystemSettings {
    let user = setup().user;
    let mut values: BTreeMap<String, String> =
        [("url", url), ("database", DATABASE), ("user", &user.login)].map(owned).into();
    let mut secrets = BTreeMap::from([("password".to_owned(), user.password.into())]);
    for (name, value) in changed {
        if *name == "password" {
            secrets.insert((*name).to_owned(), (*value).into());
        } else {
            values.insert((*name).to_owned(), (*value).to_owned());
        }
    }
    SystemSettings::new("erp".parse().unwrap(), &descriptor(), values, secrets).unwrap()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

async fn served(simulated: Simulated) -> kit::Running {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    kit::serve(simulated, listener).unwrap()
}

impl Bench {
    /// The parties of a customer.
    pub(crate) async fn parties(&self, customer: &CustomerDocument) -> Vec<Json> {
        let fields = json!(["name", "email", "contact_mechanisms.type", "contact_mechanisms.value"]);
        let domain = json!([["code", "=", customer.key.as_str()]]);
        let rows = self.vendor.model("party.party.search_read", json!([domain, 0, null, null, fields])).await;
        rows.as_array().unwrap().clone()
    }
}
