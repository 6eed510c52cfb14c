//! Supervised tasks and the stop signal.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long an orderly stop may take before what still runs is dropped: the process is to be gone within 20 s.
pub const STOP_WITHIN: Duration = Duration::from_secs(18);
/// What is done again and again is given up so long after the signal: it is done again by whoever runs next.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(5);

/// A service's running tasks. If one ends before it is told to, the service ends: half a service is worse than none.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    running: Arc<Mutex<Vec<&'static str>>>,
    stop: CancellationToken,
}

/// Tells that a task runs until it is dropped.
struct Runs(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Runs {
    fn new(running: &Arc<Mutex<Vec<&'static str>>>, name: &'static str) -> Self {
        running.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        Self(Arc::clone(running), name)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = running.iter().position(|name| *name == self.1) {
            running.swap_remove(at);
        }
    }
}

impl Tasks {
    /// No tasks, with a stop signal of their own or a given one.
    pub fn new(stop: CancellationToken) -> Self {
        Self { set: JoinSet::new(), running: Arc::default(), stop }
    }

    /// The signal that tasks watch.
    pub fn stop_signal(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. It must end soon after the signal.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let runs = Runs::new(&self.running, name);
        self.set.spawn(async move {
            let _runs = runs;
            (name, task.await)
        });
    }

    /// Starts a task that is done again each `every`, and at once; an error is logged and the next time comes. One that is
    /// being done when the signal comes is dropped if it does not end soon.
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
                let given_up = async {
                    stop.cancelled().await;
                    tokio::time::sleep(GIVEN_UP_AFTER).await;
                };
                tokio::select! {
                    done = task() => if let Err(error) = done {
                        tracing::warn!(task = name, error = format!("{error:#}"), "failed; it is done again");
                    },
                    () = given_up => return Ok(()),
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
            let left = self.running.lock().unwrap_or_else(PoisonError::into_inner).join(", ");
            tracing::warn!(tasks = left, "did not end within {STOP_WITHIN:?} and are dropped");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_done_again_and_again_is_given_up_soon_after_the_signal() {
        let mut tasks = Tasks::default();
        let begun = Arc::new(tokio::sync::Notify::new());
        let begins = Arc::clone(&begun);
        tasks.repeat("endless", Duration::from_secs(60), move || {
            begins.notify_one();
            std::future::pending()
        });
        let (stop, running) = (tasks.stop_signal(), Arc::clone(&tasks.running));
        let run = tokio::spawn(tasks.run());
        begun.notified().await;
        assert_eq!(*running.lock().unwrap(), ["endless"]);
        let told = std::time::Instant::now();
        stop.cancel();
        run.await.unwrap().unwrap();
        assert!((GIVEN_UP_AFTER..STOP_WITHIN).contains(&told.elapsed()), "{:?}", told.elapsed());
        assert!(running.lock().unwrap().is_empty());
    }
}
