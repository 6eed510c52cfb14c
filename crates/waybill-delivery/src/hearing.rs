//! What a service hears on the road is fetched, taken, and only then acknowledged.

use std::{sync::Arc, time::Duration};

use waybill_bus::{Fetcher, Incoming, PullConsumer, topology};
use waybill_runtime::database;

use crate::engine::Engine;

const FETCH: usize = 500;
/// A server that is gone may have been asked: the next one is asked after this.
const FETCH_WAIT: Duration = Duration::from_secs(1);
/// A cluster's nodes choose a leader within seconds, and refuse until then.
const FETCH_AGAIN: Duration = Duration::from_millis(250);
/// What takes longer hangs, as on a connection whose other end has vanished.
const TAKEN_WITHIN: Duration = Duration::from_secs(120);

impl Engine {
    /// A durable consumer. One that is not there is waited for: what it would have brought comes by the comparison with
    /// the source. `None` once told to stop.
    async fn bind(&self, hears: &topology::Hears) -> Option<PullConsumer> {
        let stop = self.stop_signal();
        while !stop.is_cancelled() {
            match self.bus().consumer(hears).await {
                Ok(consumer) => {
                    self.health().set("nats", None);
                    return Some(consumer);
                }
                Err(error) => self.health().set("nats", Some(format!("{}: {error}", hears.durable))),
            }
            self.pause(Duration::from_secs(1)).await;
        }
        None
    }

    /// Fetches from one durable consumer until told to stop. It is asked by its name, so that one that was lost and made
    /// again, or has another leader, goes on without being bound again.
    pub(crate) async fn hear(self: Arc<Self>, hears: topology::Hears) -> anyhow::Result<()> {
        let Some(consumer) = self.bind(&hears).await else { return Ok(()) };
        let mut fetcher = Fetcher::new(self.bus().clone(), consumer);
        let (stop, mut refused) = (self.stop_signal(), false);
        // Once told to stop, the last fetch gives what has come.
        let mut is_last = false;
        while !is_last {
            is_last = stop.is_cancelled();
            if hears.stream == "RECEIPT" && !self.hears_receipts() {
                // Should a changed plan make them matter, they are there for as long as the stream keeps them.
                self.pause(Duration::from_secs(1)).await;
                continue;
            }
            let messages = match fetcher.fetch(FETCH, FETCH_WAIT, &stop).await {
                Ok(messages) => messages,
                Err(error) => {
                    if !std::mem::replace(&mut refused, true) {
                        tracing::warn!(durable = hears.durable, %error, "cannot fetch; trying again");
                        self.health().set("nats", Some(format!("{}: {error}", hears.durable)));
                    }
                    self.pause(FETCH_AGAIN).await;
                    continue;
                }
            };
            if refused && self.bus().connected() {
                refused = false;
                self.health().set("nats", None);
            }
            if !messages.is_empty() {
                self.take_or_hear_again(&hears, &messages).await;
            }
        }
        Ok(())
    }

    async fn take_or_hear_again(&self, hears: &topology::Hears, messages: &[Incoming]) {
        let take = async {
            match hears.stream {
                "RECEIPT" => self.take_receipts(messages).await,
                "DEAD" => self.take_dead_letters(messages).await,
                _ => self.take_snapshots(messages).await,
            }
        };
        match database::within(TAKEN_WITHIN, take).await {
            Ok(()) => self.bus().acknowledge(messages).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "not acknowledged; it is heard again, which is no work");
            }),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(durable = hears.durable, error, "not taken; it is heard again");
                self.pause(Duration::from_secs(1)).await;
            }
        }
    }
}
