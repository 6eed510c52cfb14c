//! What goes wrong, and when: drawn from a seed, so that a run can be had again.

use std::time::Duration;

/// Between two faults.
const APART_MS: std::ops::Range<u64> = 2_000..7_000;
/// Over the lease of a claim, so that another replica takes over and the paused one comes back too late.
const LONG_PAUSE_S: std::ops::Range<u64> = 62..75;
const SHORT_PAUSE_S: std::ops::Range<u64> = 2..9;

/// A vendor's fault as its simulator takes it, and how many requests it may strike.
const VENDOR_FAULTS: [(&str, u64); 8] = [
    (r#"{"too_many_requests": {"retry_after_s": 2}}"#, 6),
    (r#""unauthorized""#, 2),
    (r#""server_error""#, 8),
    (r#"{"slow": {"delay_ms": 4000}}"#, 6),
    (r#""cut_before""#, 6),
    (r#""cut_after""#, 6),
    (r#""error_after""#, 6),
    (r#""error_in200""#, 4),
];

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A service's process, by its place among all, gets SIGKILL and is started again.
    Kill(usize),
    /// It stands still for so long.
    Pause(usize, Duration),
    NatsKill,
    NatsStop,
    /// Stopped, and all streams are lost.
    NatsWipe,
    PostgresRestart,
    /// Every connection is cut.
    PostgresCut,
    /// A vendor, by its place among all, does something to its next requests.
    Vendor {
        vendor: usize,
        kind: &'static str,
        times: u64,
        /// What their bodies contain; empty for any.
        body: &'static str,
    },
}

/// A fault at its time from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Duration,
    pub(super) fault: Fault,
}

/// All faults of a run with so many processes and vendors.
pub(super) fn drawn(seed: u64, length: Duration, processes: usize, vendors: usize) -> Vec<Moment> {
    let mut lots = fastrand::Rng::with_seed(seed);
    let mut moments = Vec::new();
    let mut at = Duration::from_millis(lots.u64(APART_MS));
    while at < length {
        moments.push(Moment { at, fault: one(&mut lots, processes, vendors) });
        at += Duration::from_millis(lots.u64(APART_MS));
    }
    moments
}

/// Calls are cut after they took effect, again and again: whoever sends them again without looking makes things twice.
pub(super) fn cuts(length: Duration) -> Vec<Moment> {
    const EVERY: Duration = Duration::from_secs(2);
    // Of the ERP, which does not keep our references unique, what makes a sale.
    const AT: [(usize, &str); 4] = [(3, ""), (2, "model.sale.sale.create"), (0, ""), (2, "model.sale.sale.create")];
    let times = (1..).map(|number| EVERY * number).take_while(|at| *at < length);
    let fault = |(vendor, body)| Fault::Vendor { vendor, kind: r#""cut_after""#, times: 2, body };
    times.zip(AT.into_iter().cycle()).map(|(at, one)| Moment { at, fault: fault(one) }).collect()
}

fn one(lots: &mut fastrand::Rng, processes: usize, vendors: usize) -> Fault {
    match lots.u32(..100) {
        0..30 => Fault::Kill(lots.usize(..processes)),
        30..42 => {
            let seconds = if lots.u32(..5) == 0 { LONG_PAUSE_S } else { SHORT_PAUSE_S };
            Fault::Pause(lots.usize(..processes), Duration::from_secs(lots.u64(seconds)))
        }
        42..47 => Fault::NatsKill,
        47..50 => Fault::NatsStop,
        50..54 => Fault::NatsWipe,
        54..58 => Fault::PostgresRestart,
        58..66 => Fault::PostgresCut,
        _ => {
            let (kind, most) = VENDOR_FAULTS[lots.usize(..VENDOR_FAULTS.len())];
            Fault::Vendor { vendor: lots.usize(..vendors), kind, times: lots.u64(1..=most), body: "" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_again_and_another_seed_others() {
        let of = |seed| drawn(seed, Duration::from_secs(600), 11, 5);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn an_hour_has_every_kind_of_fault_within_its_time() {
        let hour = Duration::from_secs(3600);
        let all = drawn(1, hour, 11, 5);
        assert!(all.iter().all(|moment| moment.at < hour));
        let has = |is: fn(&Fault) -> bool| all.iter().any(|moment| is(&moment.fault));
        assert!(has(|fault| matches!(fault, Fault::Kill(_))));
        assert!(has(|fault| matches!(fault, Fault::Pause(_, length) if length.as_secs() > 60)));
        for fault in [Fault::NatsKill, Fault::NatsStop, Fault::NatsWipe, Fault::PostgresRestart, Fault::PostgresCut] {
            assert!(all.iter().any(|moment| moment.fault == fault), "{fault:?}");
        }
        for (kind, _) in VENDOR_FAULTS {
            let is = |moment: &Moment| matches!(&moment.fault, Fault::Vendor { kind: one, .. } if *one == kind);
            assert!(all.iter().any(is), "{kind}");
        }
    }
}
