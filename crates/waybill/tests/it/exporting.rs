//! A day is exported as it was: every snapshot and every settlement, and with pseudonyms nobody's name.

use std::{collections::BTreeSet, fs, path::Path, process::Output, time::Duration};

use waybill_plan::recorded::{self, By, Line, Settled};
use waybill_simulator::catalogue;
use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// Orders to all systems, stock levels to the store, and the seconds that an export stays behind.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Day {
    /// `store/kind/id r<revision>`
    snapshots: BTreeSet<String>,
    /// `system store/kind/id <settlement>`
    settlements: BTreeSet<String>,
}

impl Suite {
    /// What the services' tables say, each of its own rows.
    fn kept(&self) -> Day {
        let lines = |of: &[&str], sql: &str| {
            let all = of.iter().map(|schema| sql.replace("SCHEMA", schema)).collect::<Vec<_>>().join(" union all ");
            let text = self.deployment.database.url().run(&all).unwrap();
            text.lines().map(str::to_owned).collect::<BTreeSet<_>>()
        };
        Day {
            // The newest of each record is in its own table; this one would be empty if nobody wrote it.
            snapshots: lines(
                &["shopify_ingest", "erp_sync", "fulfilment_sync", "inventory_router"],
                "select store || '/' || kind || '/' || record_id || ' r' || n
                 from SCHEMA.record, generate_series(1, number) as n",
            ),
            settlements: lines(
                &["alerter", "crm_sync", "erp_sync", "fulfilment_sync", "inventory_router"],
                "select system || ' ' || store || '/' || kind || '/' || record_id || ' ' || n
                 from SCHEMA.delivery, generate_series(1, settlement) as n",
            ),
        }
    }

    fn export(&self, to: &Path, more: &[&str]) -> Output {
        let to = to.display().to_string();
        self.run(&[&["export", "--from", "2020-01-01T00:00:00Z", "--out", &to], more].concat())
    }
}

fn read(file: &Path) -> Vec<Line> {
    let text = fs::read(file).unwrap();
    recorded::read(text.as_slice()).map(Result::unwrap).collect()
}

fn day(lines: &[Line]) -> Day {
    let mut day = Day::default();
    for line in lines {
        match line {
            Line::Day(_) => {}
            Line::Snapshot(snapshot) => {
                let text = format!("{} {}", snapshot.key, snapshot.revision);
                assert!(day.snapshots.insert(text.clone()), "{text} is there twice");
            }
            Line::Decision(decision) => {
                let about = format!("{} {}", decision.key, decision.revision);
                let is_page = decision.key.kind == waybill_domain::Kind::Incident;
                assert!(is_page || day.snapshots.contains(&about), "{about} is decided before it is there");
                let text = format!("{} {} {}", decision.system, decision.key, decision.settlement);
                assert!(day.settlements.insert(text.clone()), "{text} is there twice");
            }
        }
    }
    day
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_snapshot_and_every_settlement() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell("TEE-WHITE-S").await;
    suite.sell(catalogue::UNKNOWN_ITEM.code).await;
    let file = suite.deployment.folder.path().join("day.jsonl");
    let ended = |lines: &[Line], state, by| {
        lines.iter().any(|line| match line {
            Line::Decision(decision) => (decision.system.as_str(), decision.state, decision.by) == ("erp", state, by),
            Line::Day(_) | Line::Snapshot(_) => false,
        })
    };
    let lines = wait_for_async("an export that has what the tables have", SETTLED_WITHIN, async || {
        let before = suite.kept();
        if suite.export(&file, &[]).status.code() == Some(1) {
            // What happens right now is not exported yet.
            return None;
        }
        let lines = read(&file);
        let both = ended(&lines, Settled::Applied, By::Plan) && ended(&lines, Settled::Parked, By::System);
        // Nothing happened meanwhile, so that the tables can be compared with.
        (both && suite.kept() == before && day(&lines) == before).then_some(lines)
    })
    .await;

    let shared = suite.deployment.folder.path().join("shared.jsonl");
    said(&suite.export(&shared, &["--pseudonyms"]));
    assert_eq!(day(&read(&shared)), day(&lines), "the same day");
    let (plain, shared) = (fs::read_to_string(&file).unwrap(), fs::read_to_string(&shared).unwrap());
    for personal in ["ada@waldgang.at", "5550101", "\"Lind\"", "\"Ring 1\""] {
        assert!(plain.contains(personal) && !shared.contains(personal), "{personal}");
    }
    assert!(shared.contains("\"zip\":\"1010\"") && shared.contains("\"country_code\":\"AT\""));
    assert_eq!(suite.stop().await, Some(0));
}
