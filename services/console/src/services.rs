//! The services' gRPC, as the console's pages and the operator's commands ask it.
//!
//! Nothing here turns silence into a number: what could not be asked is an [`Unanswered`], beside what was found.

mod actions;
mod approvals;
mod audit;
mod healing;
mod overview;
mod parked;
mod plans;
mod record;
mod recorded;
mod roll;
mod unanswered;

use std::{collections::BTreeMap, future::Future, time::Duration};

use futures::future::join_all;
use tonic::{Code, Response, Status};
use waybill_proto::wire::{
    self, Incident, ListWaybillsRequest, ListWaybillsResponse, inbox_client::InboxClient, inbox_list_response::Webhook,
    watch_client::WatchClient,
};
use waybill_runtime::{
    grpc::{self, PeerChannel},
    settings::SecretText,
};

pub use actions::{Changed, Choice, Who};
pub use approvals::{Approval, Approvals, Asking};
pub use overview::{Overview, ServiceHealth, SystemHealth, Verdict};
pub use parked::{Group, LIMIT as PARKED_LIMIT, Parked};
pub use plans::{Plans, Replica};
pub use record::{LineView, Named, RecordView, Step};
pub use recorded::{DELIVERING, SOURCES};
pub use unanswered::{Problem, Unanswered};

/// The service that watches all waybills.
pub const WATCH: &str = "alerter";
/// The service that hears the stores.
pub const INBOX: &str = "shopify-ingest";
/// How long a service may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// The services that can be asked.
#[derive(Debug, Clone)]
pub struct Services {
    peers: BTreeMap<String, Peer>,
}

#[derive(Debug, Clone)]
struct Peer {
    url: String,
    channel: PeerChannel,
}

/// What several services said: what was found, and who could not be asked.
#[derive(Debug, Clone)]
pub struct Gathered<T> {
    /// Each answer with the service that gave it.
    pub found: Vec<(String, T)>,
    /// Who did not answer.
    pub unanswered: Vec<Unanswered>,
}

impl Services {
    /// Services by name and gRPC address. Nothing is connected yet.
    ///
    /// # Errors
    /// If an address or the token cannot be used; says which.
    pub fn new(peers: &BTreeMap<String, String>, token: &SecretText) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let peers = peers
            .iter()
            .map(|(name, url)| {
                let channel = grpc::peer_within(audit::A_PAGE, url, token)
                    .with_context(|| format!("the gRPC address of {name}, '{url}', cannot be used"))?;
                Ok((name.clone(), Peer { url: url.clone(), channel }))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { peers })
    }

    /// Asks one service.
    async fn ask<T, F>(&self, service: &str, call: impl FnOnce(PeerChannel) -> F) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.ask_within(WITHIN, service, call).await
    }

    /// Asks one service for what takes longer.
    async fn ask_within<T, F>(
        &self,
        within: Duration,
        service: &str,
        call: impl FnOnce(PeerChannel) -> F,
    ) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let Some(peer) = self.peers.get(service) else {
            return Err(Unanswered { service: service.to_owned(), url: String::new(), problem: Problem::NoAddress });
        };
        let problem = match tokio::time::timeout(within, call(peer.channel.clone())).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => Problem::of(&status),
            Err(_) => Problem::Slow(within),
        };
        Err(Unanswered { service: service.to_owned(), url: peer.url.clone(), problem })
    }

    /// Asks every service at once. Those that do not offer the call are left out: it is not theirs to answer.
    async fn ask_all<T, F>(&self, call: impl Fn(PeerChannel) -> F) -> Gathered<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let call = &call;
        let answers = self.peers.keys().map(|name| async move { (name.clone(), self.ask(name, call).await) });
        let mut gathered = Gathered { found: Vec::new(), unanswered: Vec::new() };
        for (name, answer) in join_all(answers).await {
            match answer {
                Ok(answer) => gathered.found.push((name, answer)),
                Err(unanswered) if unanswered.says(Code::Unimplemented) => {}
                Err(unanswered) => gathered.unanswered.push(unanswered),
            }
        }
        gathered
    }

    /// Waybills of a choice, from the watch.
    ///
    /// # Errors
    /// If the watch does not answer.
    pub async fn waybills(&self, request: ListWaybillsRequest) -> Result<ListWaybillsResponse, Unanswered> {
        self.ask(WATCH, |channel| async { WatchClient::new(channel).list_waybills(request).await }).await
    }

    /// The accounting lines, from the watch.
    ///
    /// # Errors
    /// If the watch does not answer.
    pub async fn accounting(&self) -> Result<wire::AccountingResponse, Unanswered> {
        let request = wire::AccountingRequest {};
        self.ask(WATCH, |channel| async { WatchClient::new(channel).accounting(request).await }).await
    }

    /// Open incidents, and resolved ones if asked, from the watch.
    ///
    /// # Errors
    /// If the watch does not answer.
    pub async fn incidents(&self, include_resolved: bool) -> Result<wire::IncidentsResponse, Unanswered> {
        let request = wire::IncidentsRequest { include_resolved };
        self.ask(WATCH, |channel| async { WatchClient::new(channel).incidents(request).await }).await
    }

    /// How many webhooks came to what.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer.
    pub async fn webhook_counts(&self) -> Result<Vec<wire::inbox_count_response::Count>, Unanswered> {
        let request = wire::InboxCountRequest {};
        let answer = self.ask(INBOX, |channel| async { InboxClient::new(channel).count(request).await }).await?;
        Ok(answer.counts)
    }

    /// The newest webhooks with an outcome.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer.
    pub async fn webhooks(&self, outcome: &str, limit: i32) -> Result<Vec<Webhook>, Unanswered> {
        let request = wire::InboxListRequest { outcome: outcome.to_owned(), limit };
        let answer = self.ask(INBOX, |channel| async { InboxClient::new(channel).list(request).await }).await?;
        Ok(answer.webhooks)
    }
}

/// A record's key as people write it: `main/order/123`.
pub fn written(key: &wire::RecordKey) -> String {
    format!("{}/{}/{}", key.store, key.kind, key.id)
}

/// Whether an incident is still open.
pub const fn is_open(incident: &Incident) -> bool {
    incident.resolved_at.is_none()
}
