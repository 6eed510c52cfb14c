#![doc = include_str!("../README.md")]

mod client;
mod mapping;
mod signature;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use waybill_connector::{
    Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall, SystemSettings, settings::SettingsError, sink::Check,
};
use waybill_domain::{
    Clock,
    descriptor::{Budget, Capability, Descriptor, Setting},
};

use crate::{client::Client, mapping::Told, wire::Event};

const DESCRIPTOR: Descriptor = Descriptor {
    connector: "webhook",
    title: "Webhook",
    capabilities: &[Capability::OrderSink, Capability::CustomerSink, Capability::Pager],
    settings: &[
        Setting { name: "url", required: true, secret: true, about: "where events are posted" },
        Setting {
            name: "secret",
            required: true,
            secret: true,
            about: "what events are signed with: whsec_ and 24 to 64 random bytes in base64",
        },
    ],
    fields: &[],
    reads: &[],
    adopts: &[],
    amends: &[],
    custom_fields: true,
    budget: Budget { requests: 30, per: Duration::from_secs(1) },
    budget_is_published: true,
    find_lag: Duration::ZERO,
    call_timeout: client::TIMEOUT,
};

/// What the connector says of itself.
pub const fn descriptor() -> Descriptor {
    DESCRIPTOR
}

/// One receiver of signed webhooks. It takes incidents, orders and customers by the same code; another kind of
/// document needs a name and a body in `mapping.rs`.
pub struct Webhook {
    client: Client,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook([redacted])")
    }
}

impl Webhook {
    /// A receiver for checked settings; `clock` gives the time that signatures carry. Nothing is sent.
    ///
    /// # Errors
    /// If `url` is missing or no URL, or `secret` is missing or not `whsec_` and 24 to 64 bytes in base64.
    pub fn new(settings: &SystemSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        Client::new(settings, clock).map(|client| Self { client })
    }
}

#[async_trait]
impl<D: Told> Sink<D> for Webhook {
    fn steps(&self, _document: &D, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent("send", D::ROLE)]
    }

    async fn apply(&self, calls: &[StepCall<'_, D>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            let event = Event { kind: call.document.kind(), id: call.call_key.as_str(), data: call.document.data() };
            let outcome = self.client.post(call.call_key.as_str(), &event).await;
            outcomes.push(outcome.map(|()| Applied { external_id: None, known: Known::new(), wrote: true }));
        }
        outcomes
    }

    /// Always `None`: a receiver cannot be asked, and takes the same `webhook-id` once.
    async fn find(&self, _call: &StepCall<'_, D>) -> Result<Option<Applied>, Failure> {
        Ok(None)
    }

    /// A receiver cannot be asked.
    async fn look(&self, calls: &[LookCall<'_, D>]) -> Vec<Result<Look, Failure>> {
        calls.iter().map(|_| Ok(Look::Untold)).collect()
    }
}

#[async_trait]
impl Check for Webhook {
    async fn check(&self) -> Result<(), Failure> {
        self.client.check().await
    }
}
