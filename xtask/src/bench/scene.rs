//! Private servers with a sale's orders, services by their own programs, and the proof that every order arrived.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use waybill_testkit::{PostgresUrl, try_wait_for};

use super::load::{self, Load, Loaded};
use super::{Asked, statements};
use crate::cargo_build::Programs;
use crate::demo::figures::Figures;
use crate::demo::oracle;
use crate::demo::roads::Roads;
use crate::demo::stage::{Run, Stage};
use crate::demo::world::Traffic;
use crate::interrupt;

/// How often we look whether all is applied: seldom enough that looking costs nothing.
const LOOK: Duration = Duration::from_secs(1);

/// What is on stage.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    /// The plan's text.
    pub(super) plan: String,
    /// Orders of the sale.
    pub(super) orders: usize,
    /// Whether buyers say who they are, and get a parcel.
    pub(super) named: bool,
    /// More of the simulator's arguments: limits.
    pub(super) simulator: &'a [&'a str],
    /// Services of which there is one more.
    pub(super) more: &'a [&'a str],
    /// The schemas in which these orders' deliveries are.
    pub(super) schemas: &'a [&'a str],
    /// What the oracle is told.
    pub(super) oracle: &'a [&'a str],
}

impl Setting<'_> {
    /// Three systems that take an order in one call.
    pub(super) fn through(orders: usize) -> Self {
        Self {
            plan: include_str!("plans/through.toml").to_owned(),
            orders,
            named: false,
            simulator: &["--crm-accounts", "3", "--crm-requests", "250"],
            more: &[],
            schemas: &["crm_sync"],
            oracle: &["--systems", "crm,crm-2,crm-3"],
        }
    }
}

/// It, running.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) programs: &'a Programs,
    pub(super) stage: Stage,
    pub(super) orders: usize,
    pub(super) sent: usize,
    pub(super) loads: usize,
    /// The files of what was sent when.
    pub(super) times: Vec<PathBuf>,
    schemas: Vec<String>,
    oracle: Vec<String>,
}

impl<'a> Scene<'a> {
    /// Starts everything and waits until it is ready.
    pub(super) fn open(programs: &'a Programs, asked: Asked, setting: &Setting<'_>) -> anyhow::Result<Self> {
        let mut stage = Stage::build("bench", programs, 1)?;
        if asked.statements {
            statements::count(&mut stage.postgres)?;
        }
        stage.plan = stage.folder().join("plan.toml");
        std::fs::write(&stage.plan, &setting.plan).context("writing the plan")?;
        let sale = stage.folder().join("sale").display().to_string();
        let mut more = vec!["--sale".to_owned(), setting.orders.to_string(), "--sale-file".to_owned(), sale];
        more.extend(setting.named.then(|| "--sale-named".to_owned()));
        more.extend(setting.simulator.iter().map(|one| (*one).to_owned()));
        let traffic = Traffic { more, rate: 1.0, ..Traffic::default() };
        let opened = stage.open(
            &traffic,
            Run::Apart { twice: setting.more, variables: &[], roads: Roads::straight() },
            programs,
            None,
        );
        if let Err(error) = opened {
            stage.show_logs();
            return Err(error);
        }
        Ok(Self {
            programs,
            stage,
            orders: setting.orders,
            sent: 0,
            loads: 0,
            times: Vec::new(),
            schemas: setting.schemas.iter().map(|one| (*one).to_owned()).collect(),
            oracle: setting.oracle.iter().map(|one| (*one).to_owned()).collect(),
        })
    }

    /// A line for each order: its id, a space and its webhook's body.
    pub(super) fn orders_file(&self) -> PathBuf {
        self.stage.folder().join("sale")
    }

    pub(super) fn database(&self) -> PostgresUrl {
        self.stage.database()
    }

    /// Sends orders to the receiver.
    ///
    /// # Errors
    /// When one is answered otherwise than by 200, or not at all.
    pub(super) fn send(&mut self, load: Load) -> anyhow::Result<Loaded> {
        let loaded = load::send(self, load, None)?;
        let others = loaded.sent - loaded.answered_200;
        anyhow::ensure!(others == 0, "{others} of {} webhooks were not answered by 200", loaded.sent);
        Ok(loaded)
    }

    /// A select over the orders' deliveries in all schemas: `what` of each, which sees the delivery as `d`.
    pub(super) fn of_deliveries(&self, what: &str, which: &str) -> String {
        let one =
            |schema: &String| format!("select {what} from {schema}.delivery d where d.kind = 'order' and {which}");
        self.schemas.iter().map(one).collect::<Vec<_>>().join(" union all ")
    }

    /// Waits until all orders that were sent are applied in every system, and nothing is on its way.
    ///
    /// # Errors
    /// When that takes longer than `deadline`, or a service ends; with what is left.
    pub(super) fn until_applied(&mut self, deadline: Duration) -> anyhow::Result<()> {
        let (database, sent) = (self.database(), self.sent);
        // Each has an index of its own, so that looking costs nothing.
        let open = self.of_deliveries("1", "d.state in ('pending', 'waiting')");
        let held = self.of_deliveries("1", "d.state = 'applying'");
        let idle = format!(
            "select not exists (select from shopify_ingest.inbox where outcome = 'new')
                 and not exists (select from shopify_ingest.outbox) and not exists ({open}) and not exists ({held})"
        );
        let all = self.of_deliveries("d.record_id", "d.state = 'applied'");
        let applied = format!("select count(*) from (select record_id, count(*) from ({all}) a group by 1) b");
        let start = Instant::now();
        loop {
            self.stage.check_alive()?;
            anyhow::ensure!(!interrupt::requested(), "interrupted");
            if database.run(&idle)? == "t" && database.run(&applied)?.parse::<usize>()? >= sent {
                return Ok(());
            }
            if start.elapsed() > deadline {
                let states = self.of_deliveries("d.system, d.state, d.code", "true");
                let left = database
                    .run(&format!("select system, state, code, count(*) from ({states}) s group by 1, 2, 3"))?;
                anyhow::bail!("{sent} orders are not all applied after {} s:\n{left}", deadline.as_secs());
            }
            // A passed deadline is the ordinary case: the next look.
            let _ = try_wait_for("Ctrl-C", LOOK, || interrupt::requested().then_some(()));
        }
    }

    /// When the last system had the last order: microseconds since the Unix epoch, by PostgreSQL's clock.
    pub(super) fn last_applied_us(&self) -> anyhow::Result<i64> {
        let all = self.of_deliveries("d.settled_at", "d.state = 'applied'");
        let last = format!("select (extract(epoch from max(settled_at)) * 1000000)::bigint from ({all}) a");
        self.database().run(&last)?.parse().context("when the last order was applied")
    }

    /// When the last system had each order: microseconds since the Unix epoch, by PostgreSQL's clock, by order.
    pub(super) fn applied_at(&self) -> anyhow::Result<HashMap<String, i64>> {
        let all = self.of_deliveries("d.record_id, d.settled_at", "d.state = 'applied'");
        let rows = self.database().run(&format!(
            "select record_id, (extract(epoch from max(settled_at)) * 1000000)::bigint from ({all}) a group by 1"
        ))?;
        let row = |line: &str| {
            let (id, at) = line.split_once('|')?;
            Some((id.to_owned(), at.parse().ok()?))
        };
        rows.lines().map(|line| row(line).context("a row of applied orders")).collect()
    }

    /// Asks every system for every order that was sent.
    ///
    /// # Errors
    /// When one is missing, doubled or otherwise than the store has it.
    pub(super) fn verify(&self) -> anyhow::Result<()> {
        let mut more: Vec<&str> = self.oracle.iter().map(String::as_str).collect();
        let files: Vec<String> = self.times.iter().map(|file| file.display().to_string()).collect();
        for file in &files {
            more.extend(["--sent", file]);
        }
        let wrong = oracle::ask_as(self.programs, self.stage.world()?, &more, &mut Figures::default())?;
        anyhow::ensure!(wrong.is_empty(), "not every order is in every system: {}", wrong.join("; "));
        Ok(())
    }

    /// Stops everything.
    pub(super) fn close(self, asked: Asked) -> anyhow::Result<()> {
        if asked.statements {
            super::say(&statements::told(&self.database(), self.sent)?);
        }
        self.stage.stop(asked.keep)
    }
}

/// Seconds from when each order of a load was due until the last system had it, sorted.
pub(super) fn delays(loaded: &Loaded, applied_at: &HashMap<String, i64>) -> anyhow::Result<Vec<f64>> {
    let mut delays = Vec::with_capacity(loaded.sent);
    for (id, due) in due_times(&loaded.times)? {
        let at = applied_at.get(&id).with_context(|| format!("order {id} was applied nowhere"))?;
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
        delays.push((at - due).max(0) as f64 / 1e6);
    }
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

fn due_times(file: &Path) -> anyhow::Result<Vec<(String, i64)>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let row = |line: &str| {
        let (id, at) = line.split_once(' ')?;
        Some((id.to_owned(), at.parse().ok()?))
    };
    text.lines().map(|line| row(line).context("a line of due times")).collect()
}

/// The value that so many of a hundred are not above.
pub(super) fn percentile(sorted: &[f64], share: usize) -> anyhow::Result<f64> {
    let at = (sorted.len() * share).div_ceil(100).max(1) - 1;
    sorted.get(at).copied().context("nothing was measured")
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn one_of_a_hundred_is_above_the_99th() {
        let delays: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&delays, 99).unwrap(), 99.0);
        assert!(percentile(&[], 99).is_err());
    }
}
