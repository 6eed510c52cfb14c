//! Supervised tasks and the stop signal.

use std::{future::Future, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long an orderly stop may take before what still runs is dropped.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A service's running tasks. If one ends before it is told to, the service ends: half a service is worse than none.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: CancellationToken,
}

impl Tasks {
    /// No tasks, with a stop signal of their own or a given one.
    pub fn new(stop: CancellationToken) -> Self {
        Self { set: JoinSet::new(), stop }
    }

    /// The signal that tasks watch.
    pub fn stop_signal(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. It must end soon after the signal.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.set.spawn(async move { (name, task.await) });
    }

    /// Starts a task that is done again each `every`, and at once; an error is logged and the next time comes.
    pub fn repeat<F, Fut>(&mut self, name: &'static str, every: Duration, mut task: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        let stop = self.stop.clone();
        self.spawn(name, async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    _ = ticks.tick() => {}
                }
                if let Err(error) = task().await {
                    tracing::warn!(task = name, error = format!("{error:#}"), "failed; it is done again");
                }
            }
        });
    }

    /// Runs until the signal, or until a task ends early; then stops all, within [`STOP_WITHIN`].
    ///
    /// # Errors
    /// The error of a task that ended early.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        tokio::select! {
            () = self.stop.cancelled() => {}
            ended = self.set.join_next() => if let Some(ended) = ended {
                outcome = early(ended, self.stop.is_cancelled());
            }
        }
        self.stop.cancel();
        let drained = tokio::time::timeout(STOP_WITHIN, async {
            while let Some(ended) = self.set.join_next().await {
                if let Ok((name, Err(error))) = ended {
                    tracing::warn!(task = name, error = format!("{error:#}"), "ended with an error");
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!("tasks did not end within {STOP_WITHIN:?}; they are dropped");
        }
        outcome
    }
}

fn early(
    ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>,
    stopping: bool,
) -> anyhow::Result<()> {
    match ended {
        Ok((_, Ok(()))) if stopping => Ok(()),
        Ok((name, Ok(()))) => anyhow::bail!("task {name} ended by itself"),
        Ok((name, Err(error))) => Err(error.context(format!("task {name}"))),
        Err(error) => Err(anyhow::anyhow!("a task failed: {error}")),
    }
}

/// Completes on SIGTERM or Ctrl-C.
pub async fn stop_requested() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("a Tokio runtime with signals enabled");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
