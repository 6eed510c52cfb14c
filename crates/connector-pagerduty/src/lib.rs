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

/// The role of the one object that an incident is in PagerDuty.
const INCIDENT: &str = "incident";
const TRIGGER: Step = Step::idempotent("trigger", INCIDENT);
const RESOLVE: Step = Step::idempotent("resolve", INCIDENT);

/// A key that no incident has: ours are 21 characters.
const CHECK_KEY: &str = "waybill-check";

const DESCRIPTOR: Descriptor = Descriptor {
    connector: "pagerduty",
    title: "PagerDuty",
    capabilities: &[Capability::Pager],
    settings: &[
        Setting {
            name: "routing_key",
            required: true,
            secret: true,
            about: "the integration key of an Events API v2 integration, 32 characters",
        },
        Setting {
            name: "url",
            required: false,
            secret: false,
            about: "where events are sent; https://events.pagerduty.com/v2 unless given",
        },
    ],
    fields: &[],
    reads: &[],
    adopts: &[],
    amends: &[],
    custom_fields: false,
    budget: Budget { requests: 120, per: Duration::from_secs(60) },
    budget_is_published: true,
    find_lag: Duration::ZERO,
    call_timeout: client::TIMEOUT,
};

/// What the connector says of itself.
pub const fn descriptor() -> Descriptor {
    DESCRIPTOR
}

/// One PagerDuty service, by its integration key.
#[derive(Debug)]
pub struct PagerDuty {
    client: Client,
}

impl PagerDuty {
    /// A pager for checked settings. Nothing is sent.
    ///
    /// # Errors
    /// If `routing_key` is missing or does not have 32 letters and digits, or `url` is no URL.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        Client::new(settings).map(|client| Self { client })
    }
}

#[async_trait]
impl Sink<IncidentDocument> for PagerDuty {
    fn steps(&self, incident: &IncidentDocument, _known: &Known) -> Vec<Step> {
        vec![if incident.resolved { RESOLVE } else { TRIGGER }]
    }

    async fn apply(&self, calls: &[StepCall<'_, IncidentDocument>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            let event =
                if *call.step == RESOLVE { mapping::resolve(call.document) } else { mapping::trigger(call.document) };
            outcomes.push(self.client.enqueue(event).await.map(|key| Applied::wrote(INCIDENT, key)));
        }
        outcomes
    }

    /// Always `None`: the Events API has no reads, and each event can be sent again.
    async fn find(&self, _call: &StepCall<'_, IncidentDocument>) -> Result<Option<Applied>, Failure> {
        Ok(None)
    }

    /// The Events API has no reads.
    async fn look(&self, calls: &[LookCall<'_, IncidentDocument>]) -> Vec<Result<Look, Failure>> {
        calls.iter().map(|_| Ok(Look::Untold)).collect()
    }
}

#[async_trait]
impl Check for PagerDuty {
    async fn check(&self) -> Result<(), Failure> {
        self.client.enqueue(wire::Event::resolve(CHECK_KEY.to_owned())).await.map(drop)
    }
}
