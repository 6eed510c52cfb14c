//! Wrong passwords cost time.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// A person mistypes; so many attempts are free.
const FREE: u32 = 3;
/// The longest wait between two attempts.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// After so long without an attempt an address starts anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Addresses kept apart. Those beyond share one entry, so that a flood of addresses takes no more memory.
const KEPT: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    not_before: Timestamp,
}

impl Failures {
    fn forgotten(&self, now: Timestamp) -> bool {
        now.duration_since(self.not_before) >= FORGOTTEN_AFTER
    }
}

/// Attempts to sign in, by the address they came from.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Failures>>);

impl Attempts {
    /// Counts an attempt as failed until [`Attempts::succeeded`] says otherwise, so that attempts side by side do
    /// not pass together.
    ///
    /// # Errors
    /// How long to wait, if it comes too early. It is not counted then.
    pub(crate) fn begin(&self, from: IpAddr, now: Timestamp) -> Result<(), SignedDuration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut from = whole_network(from);
        if all.len() >= KEPT && !all.contains_key(&from) {
            all.retain(|_, failures| !failures.forgotten(now));
            if all.len() >= KEPT {
                from = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            }
        }
        let none = Failures { count: 0, not_before: now };
        let failures = all.entry(from).or_insert(none);
        if failures.forgotten(now) {
            *failures = none;
        }
        if now < failures.not_before {
            return Err(failures.not_before.duration_since(now));
        }
        failures.count = failures.count.saturating_add(1);
        failures.not_before = now.saturating_add(wait_after(failures.count)).unwrap_or(Timestamp::MAX);
        Ok(())
    }

    /// The password was right: the address starts anew.
    pub(crate) fn succeeded(&self, from: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&whole_network(from));
    }
}

/// Nothing for the first failures, then 1 s, 2 s, 4 s, … up to [`LONGEST`].
fn wait_after(failures: u32) -> SignedDuration {
    match failures.checked_sub(FREE) {
        None => SignedDuration::ZERO,
        Some(doublings) => SignedDuration::from_secs(1 << doublings.min(30)).min(LONGEST),
    }
}

/// One IPv6 customer has a whole /64 to come from.
fn whole_network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use jiff::{SignedDuration, Timestamp};

    use super::{Attempts, FREE, KEPT, wait_after};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn fail(attempts: &Attempts, from: IpAddr, times: u32) {
        for _ in 0..times {
            attempts.begin(from, Timestamp::UNIX_EPOCH).unwrap();
        }
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let waits: Vec<_> = (1..=10).map(|count| wait_after(count).as_secs()).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait_after(u32::MAX).as_secs(), 60);
    }

    #[test]
    fn an_attempt_that_comes_too_early_is_told_how_long_to_wait() {
        let attempts = Attempts::default();
        fail(&attempts, address("10.0.0.1"), FREE);
        let wait = attempts.begin(address("10.0.0.1"), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(wait, SignedDuration::from_secs(1));
    }

    #[test]
    fn another_address_does_not_wait() {
        let attempts = Attempts::default();
        fail(&attempts, address("10.0.0.1"), FREE);
        assert!(attempts.begin(address("10.0.0.2"), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_wait_together() {
        let attempts = Attempts::default();
        fail(&attempts, address("2001:db8::1"), FREE);
        assert!(attempts.begin(address("2001:db8::2"), Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn the_right_password_ends_the_wait() {
        let attempts = Attempts::default();
        fail(&attempts, address("10.0.0.1"), FREE);
        attempts.succeeded(address("10.0.0.1"));
        assert!(attempts.begin(address("10.0.0.1"), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let attempts = Attempts::default();
        fail(&attempts, address("10.0.0.1"), FREE);
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        for _ in 0..FREE {
            attempts.begin(address("10.0.0.1"), later).unwrap();
        }
    }

    #[test]
    fn a_flood_of_addresses_shares_one_entry() {
        let attempts = Attempts::default();
        for n in 1..=KEPT as u32 + FREE {
            attempts.begin(IpAddr::from(n.to_be_bytes()), Timestamp::UNIX_EPOCH).unwrap();
        }
        assert!(attempts.begin(address("200.0.0.1"), Timestamp::UNIX_EPOCH).is_err());
    }
}
