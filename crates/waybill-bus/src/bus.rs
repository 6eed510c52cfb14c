//! Connecting, publishing and acknowledging.

use std::time::Duration;

use async_nats::{
    ConnectOptions, HeaderMap,
    jetstream::{self, AckKind, consumer::PullConsumer},
};
use bytes::Bytes;
use futures::future::join_all;
use thiserror::Error;

use crate::topology::{Hears, inbox_prefix};

/// Names of the headers on our messages.
pub mod headers {
    /// The broker drops a second message with the same id within two minutes.
    pub const MESSAGE_ID: &str = "Nats-Msg-Id";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
    /// The payload's schema: `waybill.v1.Snapshot`.
    pub const SCHEMA: &str = "Waybill-Schema";
    /// The source database's epoch.
    pub const EPOCH: &str = "Waybill-Epoch";
    /// The record's revision.
    pub const REVISION: &str = "Waybill-Revision";
}

/// Why the road cannot be used.
#[derive(Debug, Error)]
pub enum BusError {
    /// The server cannot be reached or refuses us.
    #[error("NATS: {0}")]
    Server(String),
    /// Not acknowledged in time; the message may be there.
    #[error("NATS did not acknowledge within {0:?}")]
    Timeout(Duration),
}

impl BusError {
    pub(crate) fn server(error: impl std::fmt::Display) -> Self {
        Self::Server(error.to_string())
    }
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where to.
    pub subject: String,
    /// See [`headers`].
    pub headers: Vec<(String, String)>,
    /// A protobuf message.
    pub payload: Bytes,
}

/// A fetched message. It is fetched again unless it is acknowledged.
#[derive(Debug)]
pub struct Incoming {
    pub(crate) message: jetstream::Message,
}

impl Incoming {
    /// Where it was published.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// A protobuf message.
    pub fn payload(&self) -> &[u8] {
        &self.message.payload
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.message.headers.as_ref()?.get(name).map(|value| value.as_str())
    }
}

/// A connection as one service's user.
#[derive(Clone)]
pub struct Bus {
    client: async_nats::Client,
    context: jetstream::Context,
}

const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that leaves two of these pings unanswered is gone, whatever its connection says.
const PING_EVERY: Duration = Duration::from_secs(5);
impl Bus {
    /// Connects as `user` (a service's name or `admin`) to one server, or to any node of a cluster: `urls` has each
    /// node's, with commas between. Goes on trying in the background if all are away, so that a service starts and keeps
    /// what it is given without them.
    ///
    /// # Errors
    /// If a URL is unusable.
    pub async fn connect(urls: &str, user: &str, password: &str) -> Result<Self, BusError> {
        let mut options = ConnectOptions::new()
            .name(user)
            .custom_inbox_prefix(inbox_prefix(user))
            .retry_on_initial_connect()
            .connection_timeout(Duration::from_secs(5))
            .ping_interval(PING_EVERY)
            .event_callback(|event| async move { tracing::info!(%event, "nats") });
        if !password.is_empty() {
            options = options.user_and_password(user.to_owned(), password.to_owned());
        }
        let nodes: Vec<&str> = urls.split(',').map(str::trim).collect();
        let client = options.connect(nodes).await.map_err(BusError::server)?;
        let context = jetstream::ContextBuilder::new().timeout(ACK_TIMEOUT).build(client.clone());
        Ok(Self { client, context })
    }

    /// JetStream's context, for [`crate::topology::ensure`].
    pub const fn context(&self) -> &jetstream::Context {
        &self.context
    }

    /// Whether the connection stands now.
    pub fn connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Publishes all in a pipeline and awaits each acknowledgement. One outcome per message, in order.
    pub async fn publish(&self, messages: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        let mut pending = Vec::with_capacity(messages.len());
        // Without a connection the client keeps what it can and then waits for one: for no longer than for an answer.
        let latest = tokio::time::Instant::now() + ACK_TIMEOUT;
        for message in messages {
            let mut map = HeaderMap::new();
            for (name, value) in &message.headers {
                map.insert(name.as_str(), value.as_str());
            }
            let sending = self.context.publish_with_headers(message.subject, map, message.payload);
            pending.push(tokio::time::timeout_at(latest, sending).await);
        }
        waybill_faults::crash_point("published-unacknowledged");
        join_all(pending.into_iter().map(|sent| async move {
            let ack = sent.map_err(|_| BusError::Timeout(ACK_TIMEOUT))?.map_err(BusError::server)?;
            match tokio::time::timeout(ACK_TIMEOUT, ack).await {
                Ok(result) => result.map(|_| ()).map_err(BusError::server),
                Err(_) => Err(BusError::Timeout(ACK_TIMEOUT)),
            }
        }))
        .await
    }

    /// Publishes without a stream: heartbeats, which are worthless later.
    ///
    /// # Errors
    /// If the connection is closed for good.
    pub async fn announce(&self, subject: String, payload: Bytes) -> Result<(), BusError> {
        self.client.publish(subject, payload).await.map_err(BusError::server)
    }

    /// Hears what is announced from now on.
    ///
    /// # Errors
    /// If the connection is closed for good.
    pub async fn subscribe(&self, subject: &str) -> Result<async_nats::Subscriber, BusError> {
        self.client.subscribe(subject.to_owned()).await.map_err(BusError::server)
    }

    /// Binds to a durable consumer that [`crate::topology::ensure`] made; a [`crate::Fetcher`] asks it.
    ///
    /// # Errors
    /// If it is not there or we may not use it.
    pub async fn consumer(&self, hears: &Hears) -> Result<PullConsumer, BusError> {
        self.context.get_consumer_from_stream(hears.durable.as_str(), hears.stream).await.map_err(BusError::server)
    }

    /// Acknowledges a batch in a pipeline. A lost acknowledgement costs a redelivery, which is no work.
    ///
    /// # Errors
    /// If the connection is closed for good.
    pub async fn acknowledge(&self, messages: &[Incoming]) -> Result<(), BusError> {
        for message in messages {
            message.message.ack_with(AckKind::Ack).await.map_err(BusError::server)?;
        }
        Ok(())
    }
}
