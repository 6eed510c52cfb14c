//! A cluster's leader is killed under load, again and again; the road has to go on within seconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use waybill_testkit::{PlainNats, PostgresUrl, PrivateNats, try_wait_for};

use crate::demo::stage::Stage;
use crate::{interrupt, loopback_http};

/// The road goes on within this, or the run is wrong.
const WITHIN: Duration = Duration::from_secs(10);
/// What takes longer is still waited for, so that the next kill finds a whole cluster.
const IN_THE_END: Duration = Duration::from_secs(90);
/// Where nobody leads nobody answers.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);
/// A cluster that is whole is left alone for so long.
const WHOLE_FOR: Duration = Duration::from_secs(5);

/// Whose leader is killed, in turn.
const STREAMS: [&str; 2] = ["RECEIPT", "STORE"];

/// What services say all the time: the stream that keeps it, and its subjects.
const SAYS: [(&str, &str); 4] = [
    ("STORE", "store.v1.>"),
    ("RECEIPT", "receipt.v1.crm-sync.>"),
    ("RECEIPT", "receipt.v1.erp-sync.>"),
    ("RECEIPT", "receipt.v1.fulfilment-sync.>"),
];

/// The stock's service says something only when stock has changed: nothing of that is left.
const LEFT: (&str, &str) = ("inventory-router's outbox", "select count(*) from inventory_router.outbox");

/// What each service hears of it: the stream and the service's consumer.
const HEARS: [(&str, &str); 6] = [
    ("STORE", "crm-sync-order"),
    ("STORE", "erp-sync-order"),
    ("STORE", "fulfilment-sync-order"),
    ("STORE", "inventory-router-order"),
    ("STORE", "alerter-store"),
    ("RECEIPT", "alerter-receipt"),
];

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Kills {
    pub(super) number: u64,
    pub(super) slowest: Duration,
    pub(super) wrong: Vec<String>,
}

/// Kills leaders until the time is over; the cluster is whole afterwards.
pub(super) fn play(stage: &mut Stage, length: Duration) -> anyhow::Result<Kills> {
    let start = Instant::now();
    let mut kills = Kills::default();
    for stream in STREAMS.into_iter().cycle() {
        whole(stage)?;
        // A passed deadline is the ordinary case.
        let _ = try_wait_for("Ctrl-C", WHOLE_FOR, || interrupt::requested().then_some(()));
        if start.elapsed() >= length || interrupt::requested() {
            break;
        }
        let road = Road { nodes: &stage.nats, login: &stage.nats_login };
        let leader = try_wait_for("a leader", IN_THE_END, || road.leader(stream))?;
        let kept: BTreeMap<&str, u64> =
            STREAMS.into_iter().map(|stream| Ok((stream, road.last_kept(stream)?))).collect::<anyhow::Result<_>>()?;
        stage.nats[leader].kill();
        let killed = Instant::now();
        let road = Road { nodes: &stage.nats, login: &stage.nats_login };
        let (last, led) = road.goes_on(&kept, &stage.postgres.url().with_database("waybill"), killed)?;
        let took = killed.elapsed();
        let led = led.map(|led| format!(", led again after {:.1} s", led.as_secs_f64())).unwrap_or_default();
        let told =
            format!("{stream}'s leader was killed; {last} went on after {:.1} s{led}, the last", took.as_secs_f64());
        eprintln!("{:>6.1} s  {told}", start.elapsed().as_secs_f64());
        if took > WITHIN {
            kills.wrong.push(told);
        }
        (kills.number, kills.slowest) = (kills.number + 1, kills.slowest.max(took));
        stage.nats[leader].restart()?;
    }
    Ok(kills)
}

/// Waits until every node has all that it is to have.
fn whole(stage: &Stage) -> anyhow::Result<()> {
    for node in &stage.nats {
        let is_healthy = || loopback_http::get(&node.monitoring_url(), "/healthz").is_ok_and(|answer| answer.is_ok());
        let healthy = try_wait_for("a healthy node", IN_THE_END, || is_healthy().then_some(()));
        healthy.with_context(|| node.name().to_owned())?;
    }
    Ok(())
}

/// The nodes that run, as their administrator sees them.
struct Road<'a> {
    nodes: &'a [PrivateNats],
    login: &'a str,
}

impl Road<'_> {
    /// The answer of whoever leads, by way of any node.
    fn ask(&self, subject: &str, body: &str) -> Option<Value> {
        let node = self.nodes.iter().find(|node| node.pid().is_some())?;
        let answer = PlainNats::connect(node, self.login, ANSWER_WITHIN).ok()?.request(subject, body).ok()?;
        answer["error"].is_null().then_some(answer)
    }

    fn leader(&self, stream: &str) -> Option<usize> {
        let answer = self.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "")?;
        let leader = answer["cluster"]["leader"].as_str()?;
        self.nodes.iter().position(|node| node.name() == leader)
    }

    /// The number of the last message that a stream keeps.
    fn last_kept(&self, stream: &str) -> anyhow::Result<u64> {
        let answer = self.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "");
        answer.and_then(|answer| answer["state"]["last_seq"].as_u64()).with_context(|| format!("{stream} has no end"))
    }

    /// Waits until every service has said and heard something that was not kept before; tells what came last, and when
    /// the cluster had a leader for that again.
    fn goes_on(
        &self,
        kept: &BTreeMap<&str, u64>,
        database: &PostgresUrl,
        killed: Instant,
    ) -> anyhow::Result<(&'static str, Option<Duration>)> {
        let passes = |stream: &str, number: Option<u64>| number.is_some_and(|number| Some(&number) > kept.get(stream));
        let mut led: BTreeMap<&str, Duration> = BTreeMap::new();
        let mut silent = SAYS.to_vec();
        let mut deaf = HEARS.to_vec();
        let mut left = Some(LEFT);
        let mut last = "";
        try_wait_for("the road to go on", IN_THE_END, || {
            silent.retain(|(stream, subjects)| {
                let said = self.last_said(stream, subjects);
                if said.is_some() {
                    led.entry(subjects).or_insert_with(|| killed.elapsed());
                }
                let has_passed = passes(stream, said);
                last = if has_passed { subjects } else { last };
                !has_passed
            });
            deaf.retain(|(stream, consumer)| {
                let heard = self.last_heard(stream, consumer);
                if heard.is_some() {
                    led.entry(consumer).or_insert_with(|| killed.elapsed());
                }
                let has_passed = passes(stream, heard);
                last = if has_passed { consumer } else { last };
                !has_passed
            });
            if left.take_if(|(_, count)| database.run(count).is_ok_and(|count| count.trim() == "0")).is_some() {
                last = LEFT.0;
            }
            let is_over = silent.is_empty() && deaf.is_empty() && left.is_none();
            (interrupt::requested() || is_over).then_some(())
        })
        .with_context(|| format!("not said: {silent:?}, not heard: {deaf:?}, left: {left:?}"))?;
        Ok((last, led.get(last).copied()))
    }

    fn last_said(&self, stream: &str, subjects: &str) -> Option<u64> {
        let wanted = format!(r#"{{"last_by_subj":"{subjects}"}}"#);
        self.ask(&format!("$JS.API.STREAM.MSG.GET.{stream}"), &wanted)?["message"]["seq"].as_u64()
    }

    fn last_heard(&self, stream: &str, consumer: &str) -> Option<u64> {
        self.ask(&format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"), "")?["delivered"]["stream_seq"].as_u64()
    }
}
