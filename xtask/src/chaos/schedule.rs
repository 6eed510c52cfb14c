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

/// PostgreSQL's place among the roads, as most that can go wrong goes wrong there; NATS' is next.
const POSTGRES: usize = 0;
const NATS: usize = 1;
/// Each way.
const DELAY_MS: std::ops::Range<u64> = 10..200;
const SLOW_S: std::ops::Range<u64> = 2..9;
const SILENT_S: std::ops::Range<u64> = 2..12;
/// Longer than a call may take, so that it is not the road that ends it.
const LONG_SILENT_S: std::ops::Range<u64> = 35..45;
/// An answer is cut within its head, or soon after.
const CUT_BYTES: std::ops::Range<usize> = 1..600;
const CUT_S: u64 = 10;
/// A run that is longer has JetStream away for so long once.
const SHORT: Duration = Duration::from_secs(180);
const AWAY_S: std::ops::Range<u64> = 60..76;

/// What befalls a road between two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Everything takes so much longer, each way.
    Slow(Duration),
    /// So many answers end with their connection after so many bytes.
    Cut { times: u32, bytes: usize },
    /// Half-open: bytes vanish, no connection closes; after it they are dropped.
    Silent,
    /// The same with the connections that are open; new ones pass.
    Forgotten,
}

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
    /// Stopped for so long, while everything else goes on going wrong.
    NatsAway(Duration),
    PostgresRestart,
    /// Every connection is cut.
    PostgresCut,
    /// A road, by its place among all, is not as it should be for so long.
    Road {
        road: usize,
        obstacle: Obstacle,
        length: Duration,
    },
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

/// So many there are of what can fail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    pub(super) processes: usize,
    pub(super) vendors: usize,
    pub(super) roads: usize,
}

/// All faults of a run.
pub(super) fn drawn(seed: u64, length: Duration, cast: Cast) -> Vec<Moment> {
    let mut lots = fastrand::Rng::with_seed(seed);
    let mut moments = Vec::new();
    let mut at = Duration::from_millis(lots.u64(APART_MS));
    while at < length {
        moments.push(Moment { at, fault: one(&mut lots, cast) });
        at += Duration::from_millis(lots.u64(APART_MS));
    }
    if length > SHORT {
        // Early enough to be back within the run.
        let at = Duration::from_secs(lots.u64(20..length.as_secs() - AWAY_S.end - 20));
        moments.push(Moment { at, fault: Fault::NatsAway(seconds(&mut lots, AWAY_S)) });
        moments.sort_by_key(|moment| moment.at);
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

fn one(lots: &mut fastrand::Rng, cast: Cast) -> Fault {
    match lots.u32(..100) {
        0..27 => Fault::Kill(lots.usize(..cast.processes)),
        27..38 => {
            let length = if lots.u32(..5) == 0 { LONG_PAUSE_S } else { SHORT_PAUSE_S };
            Fault::Pause(lots.usize(..cast.processes), seconds(lots, length))
        }
        38..42 => Fault::NatsKill,
        42..45 => Fault::NatsStop,
        45..49 => Fault::NatsWipe,
        49..53 => Fault::PostgresRestart,
        53..60 => Fault::PostgresCut,
        60..76 => on_a_road(lots, cast.roads),
        _ => {
            let (kind, most) = VENDOR_FAULTS[lots.usize(..VENDOR_FAULTS.len())];
            Fault::Vendor { vendor: lots.usize(..cast.vendors), kind, times: lots.u64(1..=most), body: "" }
        }
    }
}

fn on_a_road(lots: &mut fastrand::Rng, roads: usize) -> Fault {
    let road = match lots.u32(..3) {
        0 => POSTGRES,
        1 => NATS,
        _ => lots.usize(..roads),
    };
    let (obstacle, length) = match lots.u32(..3) {
        0 => (Obstacle::Slow(Duration::from_millis(lots.u64(DELAY_MS))), seconds(lots, SLOW_S)),
        1 => {
            let cut = Obstacle::Cut { times: lots.u32(1..=6), bytes: lots.usize(CUT_BYTES) };
            (cut, Duration::from_secs(CUT_S))
        }
        _ => {
            let length = if lots.u32(..5) == 0 { LONG_SILENT_S } else { SILENT_S };
            let obstacle = if lots.bool() { Obstacle::Silent } else { Obstacle::Forgotten };
            (obstacle, seconds(lots, length))
        }
    };
    Fault::Road { road, obstacle, length }
}

fn seconds(lots: &mut fastrand::Rng, of: std::ops::Range<u64>) -> Duration {
    Duration::from_secs(lots.u64(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAST: Cast = Cast { processes: 11, vendors: 5, roads: 15 };

    #[test]
    fn a_seed_gives_the_same_faults_again_and_another_seed_others() {
        let of = |seed| drawn(seed, Duration::from_secs(600), CAST);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn an_hour_has_every_kind_of_fault_within_its_time() {
        let hour = Duration::from_secs(3600);
        let all = drawn(1, hour, CAST);
        assert!(all.iter().all(|moment| moment.at < hour));
        let has = |is: fn(&Fault) -> bool| all.iter().any(|moment| is(&moment.fault));
        assert!(has(|fault| matches!(fault, Fault::Kill(_))));
        assert!(has(|fault| matches!(fault, Fault::Pause(_, length) if length.as_secs() > 60)));
        for fault in [Fault::NatsKill, Fault::NatsStop, Fault::NatsWipe, Fault::PostgresRestart, Fault::PostgresCut] {
            assert!(all.iter().any(|moment| moment.fault == fault), "{fault:?}");
        }
        let road = |is: fn(&Obstacle) -> bool| {
            all.iter().any(|moment| matches!(&moment.fault, Fault::Road { obstacle, .. } if is(obstacle)))
        };
        assert!(road(|obstacle| matches!(obstacle, Obstacle::Slow(_))));
        assert!(road(|obstacle| matches!(obstacle, Obstacle::Cut { .. })));
        for is in [|one: &Obstacle| *one == Obstacle::Silent, |one: &Obstacle| *one == Obstacle::Forgotten] {
            assert!(road(is));
        }
        for (kind, _) in VENDOR_FAULTS {
            let is = |moment: &Moment| matches!(&moment.fault, Fault::Vendor { kind: one, .. } if *one == kind);
            assert!(all.iter().any(is), "{kind}");
        }
    }

    #[test]
    fn jetstream_is_away_for_a_minute_in_every_run_that_has_the_time_and_is_back_before_its_end() {
        let away = |seconds| {
            let all = drawn(seconds, Duration::from_secs(seconds), CAST).into_iter();
            all.filter_map(|moment| match moment.fault {
                Fault::NatsAway(length) => Some((moment.at, length)),
                _ => None,
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(away(180), []);
        for length in 181..400 {
            let [(at, away)] = away(length)[..] else { panic!("not once in {length} s") };
            assert!(away.as_secs() >= 60 && (at + away).as_secs() < length, "{at:?}, {away:?} in {length} s");
        }
    }
}
