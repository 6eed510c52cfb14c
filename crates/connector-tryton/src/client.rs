//! The endpoints that we use, one method each.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use tokio::sync::Mutex;
use waybill_connector::{Effect, Failure, Gate, HttpClient, settings::expose};

use crate::{
    session::{Login, Session},
    wire::Id,
};

/// Confirming a batch of sales makes their invoices and shipments in the same request.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// A client for one database.
#[derive(Debug)]
pub(crate) struct Client {
    http: HttpClient,
    path: String,
    user: String,
    password: SecretString,
    company: Option<String>,
    session: Mutex<Option<Arc<Session>>>,
}

/// A domain, an order and the fields wanted.
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    pub(crate) domain: Json,
    pub(crate) fields: &'a [&'a str],
    /// Inactive records too.
    pub(crate) inactive_too: bool,
    /// At most so many, ascending by id.
    pub(crate) limit: Option<usize>,
}

impl<'a> Query<'a> {
    /// All active records of a domain, ascending by id.
    pub(crate) const fn new(domain: Json, fields: &'a [&'a str]) -> Self {
        Self { domain, fields, inactive_too: false, limit: None }
    }
}

impl Client {
    pub(crate) fn new(
        url: &str,
        database: &str,
        user: String,
        password: SecretString,
        company: Option<String>,
        gate: Option<Arc<dyn Gate>>,
    ) -> Result<Self, Failure> {
        let http = HttpClient::new(url, TIMEOUT)?.with_gate(gate);
        Ok(Self { http, path: format!("/{database}/rpc/"), user, password, company, session: Mutex::new(None) })
    }

    /// The company that books.
    pub(crate) async fn company(&self) -> Result<Id, Failure> {
        Ok(self.session(None).await?.company)
    }

    /// `res.user.get_preferences`, to see whether the credentials work.
    pub(crate) async fn preferences(&self) -> Result<(), Failure> {
        self.call(Effect::Read, "res.user.get_preferences", vec![json!(true)], &Map::new()).await.map(drop)
    }

    /// `search_read`.
    pub(crate) async fn search_read<T: DeserializeOwned>(
        &self,
        model: &str,
        query: &Query<'_>,
        context: &Map<String, Json>,
    ) -> Result<Vec<T>, Failure> {
        let mut context = context.clone();
        if query.inactive_too {
            context.insert("active_test".to_owned(), json!(false));
        }
        let order = json!([["id", "ASC"]]);
        let parameters = vec![query.domain.clone(), json!(0), json!(query.limit), order, json!(query.fields)];
        let rows = self.call(Effect::Read, &format!("{model}.search_read"), parameters, &context).await?;
        typed(rows)
    }

    /// `search_read` in the user's own context.
    pub(crate) async fn find<T: DeserializeOwned>(&self, model: &str, query: &Query<'_>) -> Result<Vec<T>, Failure> {
        self.search_read(model, query, &Map::new()).await
    }

    /// `read`.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        model: &str,
        ids: &[Id],
        fields: &[&str],
    ) -> Result<Vec<T>, Failure> {
        let parameters = vec![json!(ids), json!(fields)];
        typed(self.call(Effect::Read, &format!("{model}.read"), parameters, &Map::new()).await?)
    }

    /// `create` for many; where Tryton refuses them together, each alone. One id or failure for each.
    pub(crate) async fn create(&self, model: &str, effect: Effect, values: &[Json]) -> Vec<Result<Id, Failure>> {
        match self.create_together(model, effect, values).await {
            Ok(ids) => ids.into_iter().map(Ok).collect(),
            Err(Failure::Rejected { .. }) if values.len() > 1 => {
                let mut outcomes = Vec::with_capacity(values.len());
                for one in values {
                    let ids = self.create_together(model, effect, std::slice::from_ref(one)).await;
                    outcomes.push(ids.map(|ids| ids[0]));
                }
                outcomes
            }
            Err(failure) => values.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    async fn create_together(&self, model: &str, effect: Effect, values: &[Json]) -> Result<Vec<Id>, Failure> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let result = self.call(effect, &format!("{model}.create"), vec![json!(values)], &Map::new()).await?;
        match serde_json::from_value::<Vec<Id>>(result) {
            Ok(ids) if ids.len() == values.len() => Ok(ids),
            _ if effect == Effect::UnkeyedWrite => {
                Err(Failure::Ambiguous { message: format!("Tryton does not say which {model} it created") })
            }
            _ => Err(Failure::Transient { message: format!("Tryton does not say which {model} it created") }),
        }
    }

    /// `write` on one record. It sets values, so sending it twice has the effect of once.
    pub(crate) async fn write(&self, model: &str, id: Id, values: Json) -> Result<(), Failure> {
        let parameters = vec![json!([id]), values];
        self.call(Effect::IdempotentWrite, &format!("{model}.write"), parameters, &Map::new()).await.map(drop)
    }

    /// `delete`.
    pub(crate) async fn delete(&self, model: &str, ids: &[Id]) -> Result<(), Failure> {
        self.call(Effect::IdempotentWrite, &format!("{model}.delete"), vec![json!(ids)], &Map::new()).await.map(drop)
    }

    /// A button on many records; where Tryton refuses them together, on each alone. Callers look at the state first,
    /// so that pressing it twice is seen.
    pub(crate) async fn press(&self, model: &str, button: &str, ids: &[Id]) -> Vec<Result<(), Failure>> {
        match self.press_together(model, button, ids).await {
            Ok(()) => ids.iter().map(|_| Ok(())).collect(),
            Err(Failure::Rejected { .. }) if ids.len() > 1 => {
                let mut outcomes = Vec::with_capacity(ids.len());
                for id in ids {
                    outcomes.push(self.press_together(model, button, std::slice::from_ref(id)).await);
                }
                outcomes
            }
            Err(failure) => ids.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    async fn press_together(&self, model: &str, button: &str, ids: &[Id]) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let method = format!("{model}.{button}");
        self.call(Effect::IdempotentWrite, &method, vec![json!(ids)], &Map::new()).await.map(drop)
    }

    /// One call of a model's method. A session that Tryton no longer knows is opened anew, once: the call was refused
    /// before it was looked at, so that it can be sent again.
    async fn call(
        &self,
        effect: Effect,
        method: &str,
        parameters: Vec<Json>,
        context: &Map<String, Json>,
    ) -> Result<Json, Failure> {
        let session = self.session(None).await?;
        match self.send(&session, effect, method, &parameters, context).await {
            Err(Failure::Unauthorized { .. }) => {
                let session = self.session(Some(&session)).await?;
                let outcome = self.send(&session, effect, method, &parameters, context).await;
                if matches!(outcome, Err(Failure::Unauthorized { .. })) {
                    *self.session.lock().await = None;
                }
                outcome
            }
            outcome => outcome,
        }
    }

    async fn send(
        &self,
        session: &Session,
        effect: Effect,
        method: &str,
        parameters: &[Json],
        context: &Map<String, Json>,
    ) -> Result<Json, Failure> {
        let mut whole = session.context.clone();
        whole.extend(context.clone());
        let mut parameters = parameters.to_vec();
        parameters.push(Json::Object(whole));
        session.call(&self.http, &self.path, effect, &format!("model.{method}"), &parameters).await
    }

    /// The open session, or a new one if there is none but the one that is over. Callers wait for each other, so that
    /// one login serves all.
    async fn session(&self, over: Option<&Arc<Session>>) -> Result<Arc<Session>, Failure> {
        let mut current = self.session.lock().await;
        if let Some(session) = current.as_ref()
            && over.is_none_or(|over| !Arc::ptr_eq(over, session))
        {
            return Ok(session.clone());
        }
        *current = None;
        let login = Login { user: &self.user, password: expose(&self.password), company: self.company.as_deref() };
        let session = Arc::new(Session::open(&self.http, &self.path, login).await?);
        *current = Some(session.clone());
        Ok(session)
    }
}

fn typed<T: DeserializeOwned>(rows: Json) -> Result<Vec<T>, Failure> {
    serde_json::from_value(rows)
        .map_err(|error| Failure::malformed(format!("Tryton's rows cannot be read: {error}"), b""))
}
