//! Random lives of many orders at once, and what must hold at any moment of them.

use std::{collections::BTreeMap, time::Duration};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
    test_runner::{Config, TestRunner},
};
use waybill_connector::Failure;
use waybill_domain::Snapshot;
use waybill_testkit::records::order;

use super::bench::{Answer, Bench, Said, Stands};

/// Orders of one run.
const ORDERS: usize = 40;
/// Rounds of one run.
const ROUNDS: usize = 8;
/// Runs; with up to [`ORDERS`] of each that is two thousand lives. `PROPTEST_CASES` makes it more.
const RUNS: u32 = 100;
/// What proptest runs where nothing is said.
const DEFAULT_CASES: u32 = 256;
/// After the trouble all is settled in so many rounds.
const CALM_ROUNDS: usize = 40;

const ENDS: [&str; 3] = ["applied", "ignored", "parked"];

/// What the system does with an order's next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Well,
    Transient,
    CutBefore,
    CutAfter,
    Limited,
    Unreadable,
    Refused,
    Unauthorized,
    NeverBefore,
    NeverAfter,
}

impl Reply {
    fn answer(self) -> Option<Answer> {
        let cut = || Failure::Ambiguous { message: "cut".to_owned() };
        Some(match self {
            Self::Well => return None,
            Self::Transient => Answer::Fail(Failure::Transient { message: "HTTP 503".to_owned() }),
            Self::CutBefore => Answer::Fail(cut()),
            Self::CutAfter => Answer::ActThen(cut()),
            Self::Limited => Answer::Fail(Failure::RateLimited { retry_after: Duration::from_secs(30) }),
            Self::Unreadable => Answer::Fail(Failure::malformed("no JSON", b"<html>")),
            Self::Refused => Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")),
            Self::Unauthorized => Answer::Fail(Failure::Unauthorized { message: "401".to_owned() }),
            Self::NeverBefore => Answer::Hang,
            Self::NeverAfter => Answer::ActThenHang,
        })
    }
}

/// What the store does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Edit,
    Cancel,
    /// The newest revision is heard once more, and the one before it.
    Echo,
}

/// What happens to all of them in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Calm,
    /// The process dies in the middle of the round.
    Dies,
    LeasesEnd,
    Pause,
    Resume,
    PeopleRetry,
    PeopleDiscard,
}

fn replies() -> impl Strategy<Value = Reply> {
    prop_oneof![
        8 => Just(Reply::Well),
        2 => Just(Reply::Transient),
        2 => Just(Reply::CutBefore),
        2 => Just(Reply::CutAfter),
        1 => Just(Reply::Limited),
        1 => Just(Reply::Unreadable),
        1 => Just(Reply::Refused),
        1 => Just(Reply::Unauthorized),
        1 => Just(Reply::NeverBefore),
        1 => Just(Reply::NeverAfter),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::None), 4 => Just(Change::Edit), 1 => Just(Change::Cancel), 1 => Just(Change::Echo)
    ]
}

fn worlds() -> impl Strategy<Value = World> {
    prop_oneof![
        6 => Just(World::Calm),
        2 => Just(World::Dies),
        2 => Just(World::LeasesEnd),
        1 => Just(World::Pause),
        2 => Just(World::Resume),
        1 => Just(World::PeopleRetry),
        1 => Just(World::PeopleDiscard),
    ]
}

type Life = Vec<(Change, Reply)>;

/// An order as the store has it.
#[derive(Debug, Clone, Default)]
struct Stored {
    number: i64,
    revisions: i64,
    cancelled: bool,
    /// What could park it for good reason.
    refused: bool,
    unreadable: u32,
}

impl Stored {
    /// Its revision holds so many units as its number says.
    fn at(&self, revision: i64) -> Snapshot {
        let of_its_own = format!("{}@example.com", self.number);
        let built = order(self.number.unsigned_abs()).paid().by(&of_its_own).with_line("TEE", revision, "24.00");
        if self.cancelled { built.cancelled() } else { built }.at_revision(revision)
    }

    /// What is heard of it.
    fn change(&mut self, change: Change) -> Vec<Snapshot> {
        match change {
            Change::Echo if self.revisions > 0 => {
                return [self.revisions, self.revisions - 1].iter().filter(|r| **r > 0).map(|r| self.at(*r)).collect();
            }
            Change::None | Change::Echo if self.revisions > 0 => return Vec::new(),
            Change::Cancel => self.cancelled = true,
            _ => {}
        }
        self.revisions += 1;
        vec![self.at(self.revisions)]
    }
}

/// The accounting of one order, by what was said of it alone.
#[derive(Debug, Clone, Default)]
struct Line {
    settlement: i64,
    settled: i64,
    superseded: i64,
    ends: BTreeMap<String, i64>,
    last: String,
}

impl Line {
    fn hear(&mut self, said: Said) {
        assert!(said.settlement > self.settlement, "{said:?} after {self:?}");
        assert!(said.to >= self.settled, "{said:?} after {self:?}");
        if said.to == self.settled {
            // The same revision came to another end.
            *self.ends.entry(self.last.clone()).or_default() -= 1;
        } else {
            assert_eq!(said.from, self.settled + 1, "{said:?} after {self:?}");
            self.superseded += said.to - self.settled - 1;
            if self.last == "parked" {
                *self.ends.entry("parked".to_owned()).or_default() -= 1;
                self.superseded += 1;
            }
        }
        *self.ends.entry(said.state.clone()).or_default() += 1;
        (self.settlement, self.settled, self.last) = (said.settlement, said.to, said.state);
    }

    fn ended(&self) -> i64 {
        self.superseded + self.ends.values().sum::<i64>()
    }
}

struct Run<'a> {
    bench: &'a Bench,
    orders: Vec<Stored>,
    lines: BTreeMap<i64, Line>,
}

impl Run<'_> {
    async fn round(&mut self, index: usize, lives: &[Life], world: World) {
        let mut heard = Vec::new();
        for (stored, life) in self.orders.iter_mut().zip(lives) {
            let Some((change, reply)) = life.get(index) else { continue };
            heard.extend(stored.change(*change));
            stored.refused |= *reply == Reply::Refused;
            stored.unreadable += u32::from(*reply == Reply::Unreadable);
            self.bench.script(stored.number, reply.answer());
        }
        // Those that are told twice in one go come one after the other.
        let (once, again): (Vec<_>, Vec<_>) = heard.into_iter().partition(|snapshot| {
            self.orders
                .iter()
                .any(|o| o.number.to_string() == snapshot.key.id.as_str() && o.revisions == snapshot.revision.number)
        });
        self.bench.hear_all(once).await;
        self.bench.hear_all(again).await;
        match world {
            World::Calm | World::Dies => {}
            World::LeasesEnd => self.bench.let_leases_run_out().await,
            World::Pause => self.bench.pause(true).await,
            World::Resume => self.bench.pause(false).await,
            World::PeopleRetry => drop(self.bench.retry().await),
            World::PeopleDiscard => drop(self.bench.discard().await),
        }
        self.bench.let_time_pass().await;
        // A call that is never answered is the death of who made it, too.
        self.bench.round_that_may_die(world == World::Dies).await;
        self.holds().await;
    }

    /// What must hold at any moment.
    async fn holds(&mut self) -> Vec<Stands> {
        let (said, deliveries) = self.bench.look().await;
        for (number, said) in said {
            self.lines.entry(number).or_default().hear(said);
        }
        for delivery in &deliveries {
            let stored =
                self.orders.iter().find(|order| order.number == delivery.number).expect("one that was heard of");
            let line = self.lines.get(&delivery.number).cloned().unwrap_or_default();
            assert_eq!(delivery.desired, stored.revisions, "{delivery:?}");
            assert_eq!(delivery.settled, line.settled, "{delivery:?} {line:?}");
            assert_eq!(stored.revisions, line.ended() + (delivery.desired - delivery.settled), "{delivery:?} {line:?}");
            if ENDS.contains(&delivery.state.as_str()) {
                assert_eq!(delivery.settled, delivery.desired, "{delivery:?}");
                assert_eq!(delivery.state, line.last, "{delivery:?}");
            }
            let times = self.bench.held(delivery.number).0;
            assert!(times <= 1, "{delivery:?} is there {times} times");
        }
        deliveries
    }

    /// What must hold once the trouble is over.
    async fn ends(&mut self) {
        self.bench.answer_as_ever();
        self.bench.pause(false).await;
        let mut rounds = 0;
        let mut deliveries = self.holds().await;
        while deliveries.iter().any(|one| !ENDS.contains(&one.state.as_str())) {
            rounds += 1;
            assert!(rounds <= CALM_ROUNDS, "not settled: {deliveries:?}");
            self.bench.let_leases_run_out().await;
            self.bench.let_time_pass().await;
            self.bench.round().await;
            deliveries = self.holds().await;
        }
        for delivery in deliveries {
            let stored =
                self.orders.iter().find(|order| order.number == delivery.number).expect("one that was heard of");
            let held = self.bench.held(delivery.number);
            match (delivery.state.as_str(), delivery.code.as_str()) {
                ("applied", _) => assert_eq!(held, (1, stored.revisions), "{delivery:?}"),
                ("ignored", "cancelled-before-applied") => {
                    assert!(stored.cancelled && held.0 == 0, "{delivery:?} {held:?} {stored:?}");
                }
                ("ignored", "discarded") => {}
                ("parked", "unknown_item") => assert!(stored.refused, "{delivery:?}"),
                ("parked", "malformed") => assert!(stored.unreadable >= 6, "{delivery:?}"),
                _ => panic!("{delivery:?} of {stored:?}"),
            }
        }
    }
}

async fn live(bench: &Bench, lives: &[Life], worlds: &[World], first: i64) {
    bench.forget_all().await;
    let orders = (first..).take(lives.len()).map(|number| Stored { number, ..Stored::default() }).collect();
    let mut run = Run { bench, orders, lines: BTreeMap::new() };
    for (index, world) in worlds.iter().enumerate() {
        run.round(index, lives, *world).await;
    }
    run.ends().await;
}

#[test]
fn whatever_happens_states_and_accounting_hold_and_all_is_settled_once_it_ends() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let Some(bench) = runtime.block_on(Bench::start()) else { return };
    let config = Config::default();
    // The default is proptest's own; what the environment asks for is more.
    let cases = if config.cases == DEFAULT_CASES { RUNS } else { config.cases };
    let config = Config { cases, failure_persistence: None, max_shrink_time: 30_000, ..config };
    let lives = vec(vec((changes(), replies()), ROUNDS), 1..=ORDERS);
    let worlds = vec(worlds(), ROUNDS);
    let result = TestRunner::new(config).run(&(lives, worlds), |(lives, worlds)| {
        let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(live(&bench, &lives, &worlds, 1));
        }));
        lived.map_err(|panic| {
            let told = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            proptest::test_runner::TestCaseError::fail(told)
        })
    });
    drop(runtime.enter());
    runtime.block_on(async { drop(bench) });
    result.unwrap();
}
