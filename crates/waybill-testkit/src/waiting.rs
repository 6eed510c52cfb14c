//! Waiting for a condition: the only place in the tests where time passes by itself.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// Looks at `probe` until it answers `Some`.
///
/// # Errors
/// When `deadline` has passed; the message names `what`.
pub fn try_wait_for<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return Ok(value);
        }
        if start.elapsed() >= deadline {
            anyhow::bail!("waited {deadline:?} in vain for {what}");
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that waits; everyone else calls it with a condition"
        )]
        std::thread::sleep(INTERVAL);
    }
}

/// [`try_wait_for`] for tests.
///
/// # Panics
/// When `deadline` has passed; the message names `what`.
#[track_caller]
pub fn wait_for<T>(what: &str, deadline: Duration, probe: impl FnMut() -> Option<T>) -> T {
    match try_wait_for(what, deadline, probe) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// [`wait_for`] for asynchronous probes.
///
/// The deadline is real time even when tokio's clock is paused, because what is waited for is
/// real too: a server, a file, another process. It also cuts a probe that hangs.
///
/// # Panics
/// When `deadline` has passed; the message names `what`.
#[cfg(feature = "async")]
pub async fn wait_for_async<T>(what: &str, deadline: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        let left = deadline.saturating_sub(start.elapsed());
        if let Ok(Some(value)) = tokio::time::timeout(left.max(INTERVAL), probe()).await {
            return value;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_ends_the_wait() {
        let mut looks = 0;
        let seen = wait_for("the third look", Duration::from_secs(5), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(seen, 3);
    }

    #[test]
    fn a_passed_deadline_names_what_was_waited_for() {
        let error = try_wait_for::<()>("the moon", Duration::from_millis(1), || None).unwrap_err();
        assert!(error.to_string().contains("the moon"), "{error}");
    }

    #[cfg(feature = "async")]
    #[tokio::test]
    async fn an_asynchronous_condition_is_waited_for() {
        let mut looks = 0;
        let seen = wait_for_async("the third look", Duration::from_secs(5), async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(seen, 3);
    }
}
