//! Keeps searches under HubSpot's own limit for them.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// "The search endpoints are rate limited to five requests per second per account" (search guide, "Limits"). Answers to
/// searches do not say what is left, so it is counted here.
const MOST: usize = 5;
/// A second, and what requests may differ in on their way.
const WINDOW: Duration = Duration::from_millis(1_100);

/// When the last searches were sent.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    sent: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// Waits until one more search may be sent. Those that wait together go in turn.
    pub(crate) async fn pass(&self) {
        let mut sent = self.sent.lock().await;
        let at = next(&sent, Instant::now());
        sleep_until(at).await;
        note(&mut sent, at);
    }
}

/// When one more search may be sent.
fn next(sent: &VecDeque<Instant>, now: Instant) -> Instant {
    match sent.front() {
        Some(first) if sent.len() == MOST => now.max(*first + WINDOW),
        _ => now,
    }
}

fn note(sent: &mut VecDeque<Instant>, at: Instant) {
    if sent.len() == MOST {
        sent.pop_front();
    }
    sent.push_back(at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_five_searches() {
        let begin = Instant::now();
        let (mut sent, mut all) = (VecDeque::new(), Vec::new());
        let mut now = begin;
        for _ in 0..23 {
            now = next(&sent, now);
            note(&mut sent, now);
            all.push(now);
        }
        assert!(all.windows(MOST + 1).all(|six| six[MOST] - six[0] > Duration::from_secs(1)), "{all:?}");
        assert_eq!(now - begin, WINDOW * 4, "no search waits longer than it must");
    }

    #[test]
    fn a_search_after_a_pause_does_not_wait() {
        let begin = Instant::now();
        let mut sent = VecDeque::new();
        (0..MOST).for_each(|_| note(&mut sent, begin));
        let later = begin + Duration::from_secs(60);
        assert_eq!(next(&sent, later), later);
    }
}
