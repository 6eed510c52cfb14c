//! Fetching from a durable consumer.

use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull::Batch};
use futures::{Stream, StreamExt};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, BusError, Incoming};

/// A message seldom comes alone, and a batch of many costs its taker hardly more than one.
const FOLLOWS_WITHIN: Duration = Duration::from_millis(15);
/// What is there is sent at once, one message after the other.
const REST_WITHIN: Duration = Duration::from_secs(1);
/// How much longer than asked an answer may take. A message that comes when nobody listens any more is heard only when it
/// comes again, half a minute later; the answer of a server that is gone never comes.
const LATE_WITHIN: Duration = Duration::from_secs(4);

/// Asks a durable consumer for messages. What was asked and is not answered in its time is still listened for, beside what
/// is asked next: an answer may be late, and is lost with the server that was asked.
pub struct Fetcher {
    bus: Bus,
    consumer: PullConsumer,
    count: u64,
    /// The question whose answer is awaited.
    open: Option<Asked>,
    listeners: JoinSet<()>,
    said: mpsc::UnboundedSender<Said>,
    hears: mpsc::UnboundedReceiver<Said>,
}

/// A question, and until when its answer is not late.
#[derive(Debug, Clone, Copy)]
struct Asked {
    number: u64,
    due: Instant,
}

/// To which question, and what: `None` once there will be no more.
type Said = (u64, Option<<Batch as Stream>::Item>);

/// Why there is no message.
enum Without {
    /// There will be no more in answer to the question.
    Over,
    Late,
    Failed(BusError),
}

impl Fetcher {
    /// Asks `consumer` by its name, so that one that was lost and made again, or has another leader, goes on answering.
    pub fn new(bus: Bus, consumer: PullConsumer) -> Self {
        let (said, hears) = mpsc::unbounded_channel();
        Self { bus, consumer, count: 0, open: None, listeners: JoinSet::new(), said, hears }
    }

    /// Up to `max` messages that are there now, waiting up to `wait` for the first, or until told to stop: what has begun
    /// to come is not left lying. Late answers may add to them.
    ///
    /// # Errors
    /// If the consumer is gone, has no leader, or the connection is lost.
    pub async fn fetch(
        &mut self,
        max: usize,
        wait: Duration,
        stop: &CancellationToken,
    ) -> Result<Vec<Incoming>, BusError> {
        // Waiting for a full batch would cost latency, so one is waited for, for a moment what follows it, and the rest is
        // taken as it is.
        let mut messages = Vec::new();
        match stop.run_until_cancelled(self.first(wait)).await {
            Some(first) => messages.extend(first?),
            None => {
                // What came while nobody asked.
                while let Ok((_, answer)) = self.hears.try_recv() {
                    messages.extend(answer.and_then(Result::ok).map(|message| Incoming { message }));
                }
                return Ok(messages);
            }
        }
        if !messages.is_empty() && max > 1 && self.bus.connected() {
            sleep(FOLLOWS_WITHIN).await;
            // What has come is good; an error comes again with the next fetch.
            if let Ok(rest) = self.consumer.fetch().max_messages(max - 1).messages().await {
                let (mut rest, mut waited) = (self.listen(rest, REST_WITHIN), false);
                loop {
                    match self.answer(rest).await {
                        Ok(message) => {
                            messages.push(message);
                            rest.due = rest.due.max(Instant::now() + REST_WITHIN);
                        }
                        // It is not asked again: late is when it is not listened for any more.
                        Err(Without::Late) if stop.is_cancelled() && !std::mem::replace(&mut waited, true) => {
                            rest.due = Instant::now() + LATE_WITHIN;
                        }
                        Err(_) => break,
                    }
                }
            }
        }
        Ok(messages)
    }

    async fn first(&mut self, wait: Duration) -> Result<Option<Incoming>, BusError> {
        let asked = match self.open.filter(|asked| asked.due > Instant::now()) {
            Some(asked) => asked,
            // The client would keep the question, and ask it when nobody listens any more.
            None if !self.bus.connected() => return Err(BusError::Server("not connected".to_owned())),
            None => {
                let answers = self.consumer.batch().max_messages(1).expires(wait).messages().await;
                self.listen(answers.map_err(BusError::server)?, wait)
            }
        };
        self.open = Some(asked);
        match self.answer(asked).await {
            Ok(message) => Ok(Some(message)),
            Err(Without::Over | Without::Late) => Ok(None),
            Err(Without::Failed(error)) => Err(error),
        }
    }

    /// Has what comes in answer kept until it is asked for, also while nobody does.
    fn listen(&mut self, mut answers: Batch, within: Duration) -> Asked {
        while self.listeners.try_join_next().is_some() {}
        self.count += 1;
        let asked = Asked { number: self.count, due: Instant::now() + within };
        let said = self.said.clone();
        self.listeners.spawn(async move {
            // What has begun to come is listened for as long as it comes.
            let mut until = asked.due + LATE_WITHIN;
            while let Ok(answer) = timeout_at(until, answers.next()).await {
                until = until.max(Instant::now() + LATE_WITHIN);
                let ends = !matches!(answer, Some(Ok(_)));
                if said.send((asked.number, answer)).is_err() || ends {
                    break;
                }
            }
        });
        asked
    }

    /// What comes next, to this question or an earlier one, for as long as the answer to this one is not late.
    async fn answer(&mut self, asked: Asked) -> Result<Incoming, Without> {
        loop {
            let Ok(Some((to, said))) = timeout_at(asked.due, self.hears.recv()).await else {
                return Err(Without::Late);
            };
            if let Some(Ok(message)) = said {
                return Ok(Incoming { message });
            }
            self.open = self.open.filter(|open| open.number != to);
            match said {
                _ if to != asked.number => {}
                Some(Err(error)) => return Err(Without::Failed(BusError::server(error))),
                _ => return Err(Without::Over),
            }
        }
    }
}
