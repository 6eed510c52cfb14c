//! Where the processors' time goes: of each process, and so of a busy machine too.

use std::collections::BTreeMap;

use waybill_testkit::children_of;

use super::scene::Scene;

/// Linux counts in hundredths of a second, whatever its own clock is.
const PER_SECOND: f64 = 100.0;

/// Seconds of processor time so far, by who took it.
pub(super) fn taken(scene: &mut Scene<'_>) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for runner in scene.stage.runners() {
        *all.entry(runner.name.clone()).or_default() += seconds(runner.process.pid(), false);
    }
    if let Some(postgres) = scene.stage.postgres.pid() {
        // Sessions that ended are counted with their parent.
        let sessions: f64 = children_of(postgres).into_iter().map(|pid| seconds(pid, false)).sum();
        all.insert("postgres".to_owned(), seconds(postgres, true) + sessions);
    }
    let nats = scene.stage.nats.iter().filter_map(|server| server.pid());
    all.insert("nats".to_owned(), nats.map(|pid| seconds(pid, false)).sum());
    all
}

/// Milliseconds for each order between two looks, all together and by who took most; the load and the simulators are
/// left out.
pub(super) fn each(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, orders: usize) -> (f64, String) {
    #[expect(clippy::cast_precision_loss, reason = "a number of orders")]
    let each = |(name, seconds): (&String, &f64)| {
        let taken = seconds - before.get(name).copied().unwrap_or_default();
        (name.clone(), taken * 1000.0 / orders.max(1) as f64)
    };
    let mut parts: Vec<(String, f64)> = after.iter().map(each).collect();
    parts.sort_by(|one, other| other.1.total_cmp(&one.1));
    let told = parts.iter().map(|(name, ms)| format!("{name} {ms:.2}")).collect::<Vec<_>>().join(", ");
    (parts.iter().map(|(_, ms)| ms).sum(), told)
}

/// In user and system mode; with that of children that ended.
fn seconds(pid: u32, with_children: bool) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    ticks(&stat, with_children).unwrap_or_default() / PER_SECOND
}

fn ticks(stat: &str, with_children: bool) -> Option<f64> {
    // The second field is a name in brackets, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<f64> = rest.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    let [user, system, children_user, children_system] = fields[..] else { return None };
    Some(user + system + if with_children { children_user + children_system } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{each, ticks};

    #[test]
    fn time_in_both_modes_is_read_past_an_odd_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 120 30 5 2 20 0 1 0 100 1 1";
        assert_eq!((ticks(stat, false), ticks(stat, true)), (Some(150.0), Some(157.0)));
    }

    #[test]
    fn what_was_taken_meanwhile_is_told_for_each_order() {
        let look = |postgres: f64| BTreeMap::from([("postgres".to_owned(), postgres), ("nats".to_owned(), 1.0)]);
        assert_eq!(each(&look(1.0), &look(3.0), 1000), (2.0, "postgres 2.00, nats 0.00".to_owned()));
    }
}
