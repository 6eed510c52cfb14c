#![doc = include_str!("../README.md")]

mod client;
mod mapping;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use waybill_connector::{
    Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall, SystemSettings, settings::SettingsError, sink::Check,
};
use waybill_domain::{
    descriptor::{Budget, Capability, Descriptor, Setting},
    document::IncidentDocument,
};

use crate::client::Client;

/// The role of an incident's newest message; its value in [`Known`] is the call key that it was posted with.
const MESSAGE: &str = "message";
const POST: Step = Step::unkeyed("post", MESSAGE);

const DESCRIPTOR: Descriptor = Descriptor {
    connector: "slack",
    title: "Slack",
    capabilities: &[Capability::Pager],
    settings: &[Setting {
        name: "webhook_url",
        required: true,
        secret: true,
        about: "the incoming webhook's URL, https://hooks.slack.com/services/…",
    }],
    fields: &[],
    reads: &[],
    adopts: &[],
    amends: &[],
    custom_fields: false,
    budget: Budget { requests: 1, per: Duration::from_secs(1) },
    budget_is_published: true,
    find_lag: Duration::ZERO,
    call_timeout: client::TIMEOUT,
};

/// What the connector says of itself.
pub const fn descriptor() -> Descriptor {
    DESCRIPTOR
}

/// One Slack channel, by its incoming webhook.
#[derive(Debug)]
pub struct Slack {
    client: Client,
}

impl Slack {
    /// A channel for checked settings. Nothing is sent.
    ///
    /// # Errors
    /// If `webhook_url` is missing or no URL.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        Client::new(settings).map(|client| Self { client })
    }
}

#[async_trait]
impl Sink<IncidentDocument> for Slack {
    fn steps(&self, _incident: &IncidentDocument, _known: &Known) -> Vec<Step> {
        vec![POST]
    }

    async fn apply(&self, calls: &[StepCall<'_, IncidentDocument>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            let call_key = call.call_key.as_str();
            let known = Known::from([(MESSAGE.to_owned(), call_key.to_owned())]);
            let is_posted = call.known.get(MESSAGE).is_some_and(|posted| posted == call_key);
            let outcome = if is_posted { Ok(()) } else { self.client.post(&mapping::message(call.document)).await };
            outcomes.push(outcome.map(|()| Applied { external_id: None, known, wrote: !is_posted }));
        }
        outcomes
    }

    /// Always `None`: a webhook has no reads. A message whose fate is unknown is posted again, so that it is not lost.
    async fn find(&self, _call: &StepCall<'_, IncidentDocument>) -> Result<Option<Applied>, Failure> {
        Ok(None)
    }

    /// A webhook has no reads.
    async fn look(&self, calls: &[LookCall<'_, IncidentDocument>]) -> Vec<Result<Look, Failure>> {
        calls.iter().map(|_| Ok(Look::Untold)).collect()
    }
}

#[async_trait]
impl Check for Slack {
    async fn check(&self) -> Result<(), Failure> {
        self.client.check().await
    }
}
