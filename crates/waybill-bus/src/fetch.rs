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

enum Answer {
    /// It may be to an earlier question.
    Message(Incoming),
    /// There will be no more.
    Over,
    Late,
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
            None => return Ok(messages),
        }
        if !messages.is_empty() && max > 1 && self.bus.connected() {
            sleep(FOLLOWS_WITHIN).await;
            // What has come is good; an error comes again with the next fetch.
            if let Ok(rest) = self.consumer.fetch().max_messages(max - 1).messages().await {
                let mut rest = self.listen(rest, REST_WITHIN);
                let latest = rest.due + LATE_WITHIN;
                loop {
                    match self.answer(rest).await {
                        Ok(Answer::Message(message)) => messages.push(message),
                        // It is not asked again.
                        Ok(Answer::Late) if stop.is_cancelled() && rest.due < latest => rest.due = latest,
                        Ok(Answer::Late | Answer::Over) | Err(_) => break,
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
        match self.answer(asked).await? {
            Answer::Message(message) => Ok(Some(message)),
            Answer::Over | Answer::Late => Ok(None),
        }
    }

    /// Has what comes in answer kept until it is asked for, also while nobody does.
    fn listen(&mut self, mut answers: Batch, within: Duration) -> Asked {
        while self.listeners.try_join_next().is_some() {}
        self.count += 1;
        let asked = Asked { number: self.count, due: Instant::now() + within };
        let said = self.said.clone();
        self.listeners.spawn(async move {
            while let Ok(answer) = timeout_at(asked.due + LATE_WITHIN, answers.next()).await {
                let ends = !matches!(answer, Some(Ok(_)));
                if said.send((asked.number, answer)).is_err() || ends {
                    break;
                }
            }
        });
        asked
    }

    /// What comes next, for as long as the answer to this question is not late.
    async fn answer(&mut self, asked: Asked) -> Result<Answer, BusError> {
        loop {
            let Ok(Some((to, said))) = timeout_at(asked.due, self.hears.recv()).await else { return Ok(Answer::Late) };
            if let Some(Ok(message)) = said {
                return Ok(Answer::Message(Incoming { message }));
            }
            self.open = self.open.filter(|open| open.number != to);
            match said {
                _ if to != asked.number => {}
                Some(Err(error)) => return Err(BusError::server(error)),
                _ => return Ok(Answer::Over),
            }
        }
    }
}
