//! One method per endpoint.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use waybill_connector::{
    Answer, Effect, Failure, HttpClient, SystemSettings,
    settings::{SettingsError, expose},
};

use crate::{
    refusal::{CallError, Refusal},
    wire::{
        CreateShipments, CreatedShipment, CreatedShipments, LabelPage, NewShipment, Shipment, Warehouse, Warehouses,
    },
};

const URL: &str = "https://api.shipstation.com";
/// Under half of the engine's lease of 60 s.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// Which labels to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LabelQuery {
    pub(crate) created_from: Timestamp,
    pub(crate) voided_only: bool,
    pub(crate) page: u32,
    pub(crate) page_size: u32,
}

/// One account.
#[derive(Debug)]
pub(crate) struct Client {
    http: HttpClient,
}

impl Client {
    pub(crate) fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let mut key = HeaderValue::from_str(expose(settings.secret("api_key")?)).map_err(|_| {
            settings.invalid("api_key", "a key has no spaces or line ends; copy it from Settings > API")
        })?;
        key.set_sensitive(true);
        let http = HttpClient::new(settings.get("url").unwrap_or(URL), TIMEOUT)
            .map_err(|failure| settings.invalid("url", failure.to_string()))?
            .with_header(HeaderName::from_static("api-key"), key)
            .with_gate(settings.gate());
        Ok(Self { http })
    }

    /// `POST /v2/shipments`
    pub(crate) async fn create_shipments(&self, shipments: &[&NewShipment]) -> Result<Vec<CreatedShipment>, CallError> {
        let request = self.http.request(Method::POST, "/v2/shipments").json(&CreateShipments { shipments });
        let answer = succeeded(self.http.send(Effect::UnkeyedWrite, request).await?)?;
        Ok(answer.json::<CreatedShipments>()?.shipments)
    }

    /// `GET /v2/shipments/{shipment_id}`; `None` if there is none. It keeps the id by which it was asked for.
    pub(crate) async fn shipment(&self, id: &str) -> Result<Option<Shipment>, Failure> {
        let shipment = self.shipment_at(&format!("/v2/shipments/{id}")).await?;
        Ok(shipment.map(|shipment| Shipment { id: id.to_owned(), ..shipment }))
    }

    /// `GET /v2/shipments/external_shipment_id/{external_shipment_id}`; `None` if there is none. Ours are letters and
    /// digits and need no escape.
    pub(crate) async fn shipment_by_external_id(&self, key: &str) -> Result<Option<Shipment>, Failure> {
        self.shipment_at(&format!("/v2/shipments/external_shipment_id/{key}")).await
    }

    async fn shipment_at(&self, path: &str) -> Result<Option<Shipment>, Failure> {
        let answer = self.http.send(Effect::Read, self.http.request(Method::GET, path)).await?;
        match succeeded(answer) {
            Ok(answer) => read_shipment(&answer).map(Some),
            Err(CallError::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error.into_failure()),
        }
    }

    /// `PUT /v2/shipments/{shipment_id}`. Sets state: sent twice it has the effect of once.
    pub(crate) async fn update_shipment(&self, id: &str, fields: &Map<String, Value>) -> Result<Shipment, CallError> {
        let request = self.http.request(Method::PUT, &format!("/v2/shipments/{id}")).json(fields);
        let answer = succeeded(self.http.send(Effect::IdempotentWrite, request).await?)?;
        Ok(read_shipment(&answer)?)
    }

    /// `PUT /v2/shipments/{shipment_id}/cancel`
    pub(crate) async fn cancel_shipment(&self, id: &str) -> Result<(), CallError> {
        let request = self.http.request(Method::PUT, &format!("/v2/shipments/{id}/cancel"));
        let answer = succeeded(self.http.send(Effect::IdempotentWrite, request).await?)?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        Err(answer.unreadable("a cancelled shipment is answered with 204").into())
    }

    /// `GET /v2/labels`, oldest first.
    pub(crate) async fn labels(&self, query: LabelQuery) -> Result<LabelPage, Failure> {
        let LabelQuery { created_from, voided_only, page, page_size } = query;
        let voided = if voided_only { "&label_status=voided" } else { "" };
        let path = format!(
            "/v2/labels?created_at_start={created_from}&sort_by=created_at&sort_dir=asc&page={page}\
             &page_size={page_size}{voided}"
        );
        self.read(&path).await?.json()
    }

    /// `GET /v2/warehouses`
    pub(crate) async fn warehouses(&self) -> Result<Vec<Warehouse>, Failure> {
        Ok(self.read("/v2/warehouses").await?.json::<Warehouses>()?.warehouses)
    }

    async fn read(&self, path: &str) -> Result<Answer, Failure> {
        let answer = self.http.send(Effect::Read, self.http.request(Method::GET, path)).await?;
        succeeded(answer).map_err(CallError::into_failure)
    }
}

fn succeeded(answer: Answer) -> Result<Answer, CallError> {
    if answer.status.is_success() { Ok(answer) } else { Err(Refusal::read(&answer)) }
}

fn read_shipment(answer: &Answer) -> Result<Shipment, Failure> {
    Shipment::try_from(answer.json::<Value>()?).map_err(|problem| answer.unreadable(&problem))
}
