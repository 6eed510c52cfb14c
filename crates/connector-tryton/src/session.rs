//! Sessions: who we are, and in which company we work.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Answer, Effect, Failure, HttpClient};

use crate::{
    refusal,
    wire::{Call, Id},
};

/// An open session with the context that its calls carry.
#[derive(Debug)]
pub(crate) struct Session {
    authorization: HeaderValue,
    /// Company, warehouse and language; the language is English, because the field's name is read off messages.
    pub(crate) context: Map<String, Json>,
    /// The company that books.
    pub(crate) company: Id,
}

/// Who logs in where.
#[derive(Debug)]
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    /// The company's name, for a user of several.
    pub(crate) company: Option<&'a str>,
}

impl Session {
    /// Logs in and asks for the user's company and warehouse.
    pub(crate) async fn open(http: &HttpClient, path: &str, login: Login<'_>) -> Result<Self, Failure> {
        let parameters = [json!(login.user), json!({"password": login.password}), json!("en")];
        let result = call(http, path, None, Effect::Read, "common.db.login", &parameters).await?;
        let (Some(user), Some(token)) = (result.get(0).and_then(Json::as_i64), result.get(1).and_then(Json::as_str))
        else {
            return Err(Failure::malformed("Tryton's answer to the login has no session", b""));
        };
        let proof = format!("Session {}", STANDARD.encode(format!("{}:{user}:{token}", login.user)));
        let mut authorization = HeaderValue::try_from(proof)
            .map_err(|_| Failure::malformed("Tryton's session cannot be sent in a header", b""))?;
        authorization.set_sensitive(true);
        let mut session = Self { authorization, context: Map::new(), company: 0 };
        session.take_preferences(http, path, login.company).await?;
        Ok(session)
    }

    async fn take_preferences(&mut self, http: &HttpClient, path: &str, company: Option<&str>) -> Result<(), Failure> {
        let method = "model.res.user.get_preferences";
        let preferences = self.call(http, path, Effect::Read, method, &[json!(true), json!({})]).await?;
        let own = preferences.get("company").and_then(Json::as_i64);
        self.context.insert("language".to_owned(), json!("en"));
        self.company = match company {
            None => own.ok_or_else(|| settings("company", "the user has no company in Tryton: give it one"))?,
            Some(name) => self.company_called(http, path, name, &preferences).await?,
        };
        self.context.insert("company".to_owned(), json!(self.company));
        self.context.insert("companies".to_owned(), json!([self.company]));
        // The warehouse that the user prefers is one of the user's own company.
        if own == Some(self.company)
            && let Some(warehouse) = preferences.get("warehouse").and_then(Json::as_i64)
        {
            self.context.insert("warehouse".to_owned(), json!(warehouse));
        }
        Ok(())
    }

    async fn company_called(
        &self,
        http: &HttpClient,
        path: &str,
        name: &str,
        preferences: &Json,
    ) -> Result<Id, Failure> {
        let parameters = [json!([["party.name", "=", name]]), json!(0), Json::Null, Json::Null, json!(self.context)];
        let found = self.call(http, path, Effect::Read, "model.company.company.search", &parameters).await?;
        let allowed = preferences.get("companies").and_then(Json::as_array);
        let is_allowed = |id: &Id| allowed.is_none_or(|ids| ids.iter().any(|other| other.as_i64() == Some(*id)));
        let ids: Vec<Id> = found.as_array().into_iter().flatten().filter_map(Json::as_i64).filter(is_allowed).collect();
        match ids.as_slice() {
            [id] => Ok(*id),
            [] => Err(settings("company", "the user works in no company of this name")),
            _ => Err(settings("company", "several companies have this name")),
        }
    }

    /// Sends one call with this session.
    pub(crate) async fn call(
        &self,
        http: &HttpClient,
        path: &str,
        effect: Effect,
        method: &str,
        parameters: &[Json],
    ) -> Result<Json, Failure> {
        call(http, path, Some(&self.authorization), effect, method, parameters).await
    }
}

/// A setting that Tryton contradicts pauses the system: nothing is wrong with any one record.
pub(crate) fn settings(name: &str, problem: &str) -> Failure {
    Failure::Unauthorized { message: format!("setting '{name}': {problem}") }
}

async fn call(
    http: &HttpClient,
    path: &str,
    authorization: Option<&HeaderValue>,
    effect: Effect,
    method: &str,
    parameters: &[Json],
) -> Result<Json, Failure> {
    let body = serde_json::to_vec(&Call { id: 0, method, params: parameters })
        .map_err(|error| Failure::rejected("exception", "", format!("the call cannot be written: {error}")))?;
    let mut request = http
        .request(http::Method::POST, path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(body);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization.clone());
    }
    read(&http.send(effect, request).await?, method)
}

/// The result of a call, or what its refusal stands for.
fn read(answer: &Answer, method: &str) -> Result<Json, Failure> {
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(settings("database", "Tryton has no database of this name at this URL")),
        status => {
            let code = status.as_u16();
            return Err(Failure::rejected(
                format!("http_{code}"),
                "",
                format!("Tryton answers {method} with HTTP {code}"),
            ));
        }
    }
    let Json::Object(mut body) = answer.json::<Json>()? else { return Err(answer.unreadable("it is no object")) };
    if let Some(error) = body.get("error") {
        return Err(refusal::failure(error));
    }
    body.remove("result").ok_or_else(|| answer.unreadable("it has neither result nor error"))
}
