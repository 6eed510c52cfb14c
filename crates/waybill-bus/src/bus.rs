//! Publishing and fetching.

use std::time::Duration;

use async_nats::{
    ConnectOptions, HeaderMap,
    jetstream::{self, AckKind, consumer::PullConsumer},
};
use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

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
    message: jetstream::Message,
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

/// A message seldom comes alone, and a batch of many costs its taker hardly more than one.
const FOLLOWS_WITHIN: Duration = Duration::from_millis(15);

const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that leaves two of these pings unanswered is gone, whatever its connection says.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How much longer than asked the word that there is nothing may take: a message that comes when nobody waits any more is
/// heard only when it comes again, half a minute later. The word is lost with the server that was asked.
const WORD_WITHIN: Duration = Duration::from_secs(4);
/// What is there is sent at once, one message after the other.
const NEXT_WITHIN: Duration = Duration::from_secs(4);

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

    /// Binds to a durable consumer that [`crate::topology::ensure`] made.
    ///
    /// # Errors
    /// If it is not there or we may not use it.
    pub async fn consumer(&self, hears: &Hears) -> Result<PullConsumer, BusError> {
        self.context.get_consumer_from_stream(hears.durable.as_str(), hears.stream).await.map_err(BusError::server)
    }

    /// Fetches up to `max` messages that are there now, waiting up to `wait` for the first, or until told to stop: what has
    /// begun to come is not left lying.
    ///
    /// # Errors
    /// If the consumer is gone or the connection is lost.
    pub async fn fetch(
        consumer: &PullConsumer,
        max: usize,
        wait: Duration,
        stop: &CancellationToken,
    ) -> Result<Vec<Incoming>, BusError> {
        let mut messages = Vec::new();
        // Waiting for a full batch would cost latency, so one is waited for, for a moment what follows it, and the rest is
        // taken as it is.
        let first = async {
            let first = consumer.batch().max_messages(1).expires(wait).messages().await.map_err(BusError::server)?;
            collect(first, wait + WORD_WITHIN, &mut messages).await
        };
        match stop.run_until_cancelled(first).await {
            Some(fetched) => fetched?,
            None => return Ok(messages),
        }
        if !messages.is_empty() && max > 1 {
            tokio::time::sleep(FOLLOWS_WITHIN).await;
            let rest = consumer.fetch().max_messages(max - 1).messages().await.map_err(BusError::server)?;
            collect(rest, NEXT_WITHIN, &mut messages).await?;
        }
        Ok(messages)
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

/// Takes what comes until there is word that no more will, which is said once: who waits for it in vain goes on without.
async fn collect(
    mut batch: jetstream::consumer::pull::Batch,
    within: Duration,
    messages: &mut Vec<Incoming>,
) -> Result<(), BusError> {
    while let Ok(Some(message)) = tokio::time::timeout(within, batch.next()).await {
        match message {
            Ok(message) => messages.push(Incoming { message }),
            Err(error) if messages.is_empty() => return Err(BusError::server(error)),
            // What came before the error is good; the error comes again with the next fetch.
            Err(_) => break,
        }
    }
    Ok(())
}
