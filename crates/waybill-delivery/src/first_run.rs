//! A system's first run: before it creates many records, a person is asked.
//!
//! What is held was decided: a record that a rule keeps away, or that is parked, is not counted. What the system holds
//! already goes on being written.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError, time::Duration};

use tokio::time::Instant;
use waybill_domain::SystemName;
use waybill_plan::Plan;

use crate::{
    apply::Work,
    engine::{Engine, Served},
    store::{
        first_run, flows,
        settle::{self, Back},
        systems::{self, SystemState},
    },
};

/// The code of a delivery that waits for its system's release.
pub(crate) const ASKING: &str = "asking";
/// A run that has asked for nothing for so long after its first write is no first run any more.
const FIRST_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long what is held stays so before it is counted again.
const HELD_FOR: Duration = Duration::from_secs(1);
/// How often a run is looked at without anything to write.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether something was let go, and how much of it is decided anew at a time.
const LET_GO_EVERY: Duration = Duration::from_secs(1);
const LET_GO: i64 = 500;
/// A held delivery is looked at again after this even if nothing woke it.
const HOLD_RECHECK: Duration = Duration::from_secs(60 * 60);

/// First writes of a system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Written until now.
    pub(crate) created: i64,
    /// Decided to be written, and waiting for the release or for their time.
    pub(crate) held: i64,
    /// In the queue: not decided yet, being written, or tried again.
    pub(crate) open: i64,
    /// Of the open ones, those that are going to be decided at once.
    pub(crate) undecided: i64,
}

/// What follows for first writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They go.
    Go,
    /// They wait until it is known how many there are.
    Hold,
    /// They wait for a person, so many.
    Ask(i64),
}

/// Whether first writes may go. Everything that may become one is counted, so that no two processes together write
/// more than one alone.
pub(crate) const fn judge(counts: Counts, ask_above: u32) -> Verdict {
    let most = ask_above as i64;
    if counts.created + counts.held + counts.open <= most {
        return Verdict::Go;
    }
    if counts.created + counts.held > most || counts.undecided == 0 {
        return Verdict::Ask(counts.held + counts.open);
    }
    Verdict::Hold
}

/// Whether a system's first run is one that asks: pages are no flow's, and a shadow writes nothing.
fn asks(plan: &Plan, system: &SystemName, state: &SystemState) -> bool {
    !state.released
        && plan.systems.get(system).is_some_and(|system| !system.shadow)
        && plan.flows.iter().any(|flow| flow.to == *system)
}

/// What a person is told.
pub(crate) fn message(system: &str, created: i64, would_create: i64) -> String {
    let records = |number| match number {
        1 => "1 record".to_owned(),
        number => format!("{} records", grouped(number)),
    };
    let so_far = if created == 0 { String::new() } else { format!(" more ({} so far)", grouped(created)) };
    format!("would create {}{so_far}; `waybill release {system}` lets them go", records(would_create))
}

/// A number as people read it: 2,431.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// When systems' first runs were last looked at, and when writes were last held.
#[derive(Debug, Default)]
pub(crate) struct Looked(Mutex<BTreeMap<(SystemName, What), Instant>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Looked,
    Held,
    LetGo,
}

impl Looked {
    fn within(&self, system: &SystemName, what: What, time: Duration) -> bool {
        let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(&(system.clone(), what)).is_some_and(|at| at.elapsed() < time)
    }

    /// Whatever was looked at is looked at again at once.
    pub(crate) fn forget(&self, what: What) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, one), _| *one != what);
    }

    fn note(&self, system: &SystemName, what: What) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((system.clone(), what), Instant::now());
    }
}

impl Engine {
    /// Of some writes, those that may go; the others are put back to wait for the release.
    pub(crate) async fn without_held(&self, served: &Served, writes: Vec<Work>) -> sqlx::Result<Vec<Work>> {
        let (first, mut go): (Vec<Work>, Vec<Work>) = writes.into_iter().partition(|work| work.claim.asks());
        if first.is_empty() {
            return Ok(go);
        }
        // Only that they go has to be true of this moment: what is held a second too long loses nothing.
        if !self.looked().within(&served.name, What::Held, HELD_FOR) {
            if self.look_at_first_run(&served.name).await? == Verdict::Go {
                go.extend(first);
                return Ok(go);
            }
            self.looked().note(&served.name, What::Held);
        }
        let plan_hash = self.plan().hash.clone();
        let mut connection = self.pool().acquire().await?;
        for Work { claim, .. } in first {
            let message = format!("a person has to let the first run go: `waybill release {}`", served.name);
            let back = Back::waiting(&claim, HOLD_RECHECK.as_secs_f64(), ASKING, message, &plan_hash);
            settle::put_back(&mut connection, &back).await?;
        }
        Ok(go)
    }

    /// Whether a system's first writes have to be counted, and perhaps held.
    pub(crate) async fn is_first_run(&self, name: &SystemName, state: &SystemState) -> sqlx::Result<bool> {
        let asks = asks(&self.plan(), name, state);
        if asks {
            self.follow_first_run(name).await?;
        } else if state.asking.is_some() {
            systems::ask(self.pool(), name.as_str(), None).await?;
        }
        Ok(asks)
    }

    /// Has a part of what a person let go, or what nobody holds any more, decided anew. Whoever lets go says so in the
    /// database and no more: however much there is, and whatever is just being put back to wait, is found here.
    pub(crate) async fn wake_let_go(&self, name: &SystemName, asks: bool) -> sqlx::Result<()> {
        if self.looked().within(name, What::LetGo, LET_GO_EVERY) {
            return Ok(());
        }
        let paused = flows::paused(self.pool()).await?;
        let plan = self.plan();
        let goes = |flow: &&waybill_plan::Flow| flow.to == *name && !paused.contains(&flow.name);
        let going: Vec<String> = plan.flows.iter().filter(goes).map(|flow| flow.name.clone()).collect();
        let mut woken = flows::wake_resumed(self.pool(), name.as_str(), &going, LET_GO).await?;
        if !asks {
            woken += first_run::wake_held(self.pool(), name.as_str(), LET_GO).await?;
        }
        // There may be more.
        if woken == 0 {
            self.looked().note(name, What::LetGo);
        }
        Ok(())
    }

    /// Looks now and then whether a first run has to ask, or what it holds may go after all.
    async fn follow_first_run(&self, system: &SystemName) -> sqlx::Result<()> {
        if !self.looked().within(system, What::Looked, LOOK_EVERY) {
            self.look_at_first_run(system).await?;
        }
        Ok(())
    }

    /// Counts, and notes what follows for the system.
    async fn look_at_first_run(&self, name: &SystemName) -> sqlx::Result<Verdict> {
        let system = name.as_str();
        let Some(state) = systems::one(self.pool(), system).await? else { return Ok(Verdict::Hold) };
        let first_day_is_over = state.first_write_seconds.is_some_and(|age| age > FIRST_DAY.as_secs_f64());
        if state.released || (first_day_is_over && state.asking.is_none()) {
            tracing::info!(system, "the first run is over; nothing is asked any more");
            self.release(system, "").await?;
            return Ok(Verdict::Go);
        }
        let plan = self.plan();
        let ask_above = plan.systems.get(name).map_or(0, |system| system.ask_above);
        let verdict = judge(first_run::count(self.pool(), system).await?, ask_above);
        let asks = match verdict {
            Verdict::Go | Verdict::Hold => None,
            Verdict::Ask(records) => Some(records),
        };
        self.looked().note(name, What::Looked);
        if systems::ask(self.pool(), system, asks).await? && asks.is_some() != state.asking.is_some() {
            self.report_systems_now();
        }
        if verdict == Verdict::Go {
            first_run::wake_held(self.pool(), system, LET_GO).await?;
        }
        Ok(verdict)
    }

    /// Lets a system's first run go, for good. Whether this service has the system.
    pub(crate) async fn release(&self, system: &str, by: &str) -> sqlx::Result<bool> {
        let known = systems::release(self.pool(), system, by).await?;
        self.looked().forget(What::LetGo);
        self.wake_workers();
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Verdict, grouped, judge, message};

    fn counts(created: i64, held: i64, open: i64, undecided: i64) -> Counts {
        Counts { created, held, open, undecided }
    }

    #[test]
    fn as_many_as_the_plan_allows_go_and_one_more_asks() {
        assert_eq!(judge(counts(400, 0, 600, 100), 1000), Verdict::Go);
        assert_eq!(judge(counts(400, 0, 601, 0), 1000), Verdict::Ask(601));
    }

    #[test]
    fn nobody_is_asked_before_it_is_known_how_many_of_the_waiting_ones_are_written_at_all() {
        assert_eq!(judge(counts(0, 0, 5_000, 4_900), 1000), Verdict::Hold);
        assert_eq!(judge(counts(0, 1_001, 3_999, 3_900), 1000), Verdict::Ask(5_000));
        assert_eq!(judge(counts(0, 300, 100, 0), 1000), Verdict::Go, "a rule keeps the others away");
    }

    #[test]
    fn what_is_asked_says_how_many_and_what_to_type() {
        assert_eq!(message("crm", 0, 2_431), "would create 2,431 records; `waybill release crm` lets them go");
        assert_eq!(
            message("crm", 1_000, 1),
            "would create 1 record more (1,000 so far); `waybill release crm` lets them go"
        );
        assert_eq!([grouped(999), grouped(1_000), grouped(1_234_567)], ["999", "1,000", "1,234,567"]);
    }
}
