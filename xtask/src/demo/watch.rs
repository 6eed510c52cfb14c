//! Looks at the day until it is settled: nothing is still to come, and every line of the accounting closes.

use std::time::{Duration, Instant};

use waybill_testkit::try_wait_for;

use super::accounting;
use super::operator::{Operator, Status};
use super::parked::Parked;
use super::progress::Progress;
use super::stage::Stage;
use super::world::Day;
use crate::interrupt;

/// How often we look.
const INTERVAL: Duration = Duration::from_secs(1);

/// Settled means unchanged for this long: over two readings of the stock, which the example plan has each 5 s.
const QUIET: Duration = Duration::from_secs(12);

/// With no change in any figure for this long, the day hangs.
pub(crate) const STUCK: Duration = Duration::from_secs(120);

/// How a look ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Settled,
    Interrupted,
    /// With what is open.
    Stuck(Vec<String>),
}

/// All that one look sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) day: Day,
    pub(crate) status: Status,
    /// Absent if a service could not be asked.
    pub(crate) parked: Option<Vec<Parked>>,
}

impl View {
    pub(crate) fn of(stage: &Stage, operator: &Operator) -> anyhow::Result<Self> {
        Ok(Self { day: stage.world()?.day()?, status: operator.status()?, parked: operator.parked()? })
    }

    /// What is still to come, or does not close; empty if the day is settled.
    pub(crate) fn open(&self) -> Vec<String> {
        let mut open = self.day.open();
        open.extend(self.unaccounted());
        for incident in self.status.incidents.iter().flatten().filter(|incident| incident.paged_at.is_none()) {
            open.push(format!("nobody was told of {} at {}", incident.code, incident.system));
        }
        open
    }

    /// What keeps the accounting from closing.
    pub(crate) fn unaccounted(&self) -> Vec<String> {
        let mut open: Vec<_> =
            self.status.unreachable.iter().map(|service| format!("{service} does not answer")).collect();
        match (&self.status.accounting, &self.parked) {
            (Some(lines), Some(parked)) => open.extend(accounting::open(lines, parked)),
            _ => open.push("the accounting is not known".to_owned()),
        }
        open
    }
}

/// Shows progress until the day is settled or somebody presses Ctrl-C; with `stuck`, until nothing changes for so long.
pub(crate) fn until_the_end(
    stuck: Option<Duration>,
    stage: &mut Stage,
    operator: &Operator,
    progress: &mut Progress,
) -> anyhow::Result<(Ending, View)> {
    let mut last = View::default();
    let mut last_open = Vec::new();
    // Incidents come and go by time alone, which is no progress.
    let mut changed = Instant::now();
    loop {
        stage.check_alive()?;
        if interrupt::requested() {
            return Ok((Ending::Interrupted, last));
        }
        let view = View::of(stage, operator)?;
        let open = view.open();
        if (&view.day, &view.parked, &view.status.accounting) != (&last.day, &last.parked, &last.status.accounting)
            || open != last_open
        {
            changed = Instant::now();
        }
        progress.show(&view, &open);
        (last, last_open) = (view, open.clone());
        if stuck.is_some() && open.is_empty() && changed.elapsed() >= QUIET {
            return Ok((Ending::Settled, last));
        }
        if stuck.is_some_and(|stuck| changed.elapsed() >= stuck) {
            return Ok((Ending::Stuck(open), last));
        }
        // A passed deadline is the ordinary case: the next look.
        let _ = try_wait_for("Ctrl-C", INTERVAL, || interrupt::requested().then_some(()));
    }
}

/// What a person should know of a day that hangs.
pub(crate) fn stuck(after: Duration, open: &[String]) -> String {
    format!("nothing has changed for {} s, and:\n  {}", after.as_secs(), open.join("\n  "))
}
