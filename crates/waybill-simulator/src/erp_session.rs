//! A session at a Tryton, simulated or real: what packers and the oracle ask it.

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Records read at once.
const PAGE: usize = 500;

/// Where a Tryton is and who may use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErpAccess {
    /// Its address, without the database.
    pub url: String,
    /// The database's name.
    pub database: String,
    /// The user's login.
    pub user: String,
    /// The user's password.
    pub password: String,
}

/// An open session.
pub(crate) struct Session {
    client: reqwest::Client,
    url: String,
    proof: String,
    pub(crate) context: Value,
}

impl Session {
    /// Logs in.
    pub(crate) async fn open(access: &ErpAccess) -> anyhow::Result<Self> {
        let url = format!("{}/{}/rpc/", access.url, access.database);
        let mut session = Self { client: reqwest::Client::new(), url, proof: String::new(), context: json!({}) };
        let parameters = json!([access.user, {"password": access.password}, "en"]);
        let login = session.post("common.db.login", &parameters).await?;
        let (id, token) = (login[0].as_i64().context("no session")?, login[1].as_str().context("no session")?);
        session.proof = format!("Session {}", STANDARD.encode(format!("{}:{id}:{token}", access.user)));
        let preferences = session.post("model.res.user.get_preferences", &json!([true, {}])).await?;
        session.context = json!({"company": preferences["company"], "language": "en"});
        Ok(session)
    }

    async fn post(&self, method: &str, parameters: &Value) -> anyhow::Result<Value> {
        let body = json!({"id": 1, "method": method, "params": parameters});
        let mut request = self.client.post(&self.url).json(&body);
        if !self.proof.is_empty() {
            request = request.header("Authorization", &self.proof);
        }
        let reply = request.send().await?.error_for_status()?.json::<Value>().await?;
        if !reply["error"].is_null() {
            bail!("{method}: {}", reply["error"]);
        }
        Ok(reply["result"].clone())
    }

    /// Calls a method of a model; the context is added to the parameters.
    pub(crate) async fn call(&self, model: &str, method: &str, mut parameters: Vec<Value>) -> anyhow::Result<Value> {
        parameters.push(self.context.clone());
        self.post(&format!("model.{model}.{method}"), &Value::Array(parameters)).await
    }

    /// All records of a model in a domain, by id.
    pub(crate) async fn all(&self, model: &str, fields: &[&str], domain: &Value) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let order = json!([["id", "ASC"]]);
            let parameters = vec![domain.clone(), json!(all.len()), json!(PAGE), order, json!(fields)];
            let rows = self.call(model, "search_read", parameters).await?;
            let rows = rows.as_array().cloned().unwrap_or_default();
            let last = rows.len() < PAGE;
            all.extend(rows);
            if last {
                return Ok(all);
            }
        }
    }

    /// The quantity of items at a place, by their codes.
    pub(crate) async fn stock_at(&self, place: &Value, domain: &Value) -> anyhow::Result<Vec<(String, Decimal)>> {
        let here = self.at(place);
        let rows = here.all("product.product", &["code", "quantity"], domain).await?;
        Ok(rows.iter().filter_map(|row| Some((row["code"].as_str()?.to_owned(), number(&row["quantity"])?))).collect())
    }

    fn at(&self, place: &Value) -> Self {
        let mut context = self.context.clone();
        context["locations"] = json!([place]);
        context["with_childs"] = json!(true);
        Self { client: self.client.clone(), url: self.url.clone(), proof: self.proof.clone(), context }
    }
}

/// A number as Tryton writes it: plain, or a decimal in its own envelope.
pub(crate) fn number(value: &Value) -> Option<Decimal> {
    match value["decimal"].as_str() {
        Some(text) => text.parse().ok(),
        None => value.to_string().parse().ok(),
    }
}
