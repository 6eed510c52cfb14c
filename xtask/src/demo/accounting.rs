//! The accounting lines, as `waybill status --json` gives them, and whether they close.

use serde::Deserialize;

use super::parked::Parked;

/// One store, kind and system: accepted = applied + superseded + ignored + parked + in flight + gap, in revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Line {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) system: String,
    pub(crate) accepted: i64,
    pub(crate) applied: i64,
    pub(crate) superseded: i64,
    pub(crate) ignored: i64,
    pub(crate) parked: i64,
    pub(crate) in_flight: i64,
    pub(crate) gap: i64,
}

/// In the example plan an order goes to `shipping` after `erp` has it: one that is parked there waits.
const WAITING: (&str, &str, &str) = ("order", "shipping", "erp");
/// Parked with this, a record is there, and only a change of it is not.
const IS_THERE: &str = "not_amendable";

/// All lines added up.
pub(crate) fn sum(lines: &[Line]) -> Line {
    lines.iter().fold(Line::default(), |sum, line| Line {
        accepted: sum.accepted + line.accepted,
        applied: sum.applied + line.applied,
        superseded: sum.superseded + line.superseded,
        ignored: sum.ignored + line.ignored,
        parked: sum.parked + line.parked,
        in_flight: sum.in_flight + line.in_flight,
        // Signs must not cancel out.
        gap: sum.gap + line.gap.abs(),
        ..sum
    })
}

/// What keeps the lines from closing; empty if they do.
///
/// A line closes if nothing is unaccounted for and nothing is on the way that is not explained by a record parked
/// for the system that must have it first.
pub(crate) fn open(lines: &[Line], parked: &[Parked]) -> Vec<String> {
    let mut open = Vec::new();
    for line in lines {
        let waiting = waiting(line, parked);
        if line.gap != 0 || line.in_flight != waiting {
            open.push(format!(
                "{} to {} of {}: {} in flight, of which {waiting} wait for what is parked; gap {}",
                line.kind, line.system, line.store, line.in_flight, line.gap
            ));
        }
    }
    if lines.iter().all(|line| line.accepted == 0) {
        open.push("nothing was accepted".to_owned());
    }
    open
}

/// How many revisions wait, on this line, for a parked record.
fn waiting(line: &Line, parked: &[Parked]) -> i64 {
    let (kind, system, first) = WAITING;
    if (line.kind.as_str(), line.system.as_str()) != (kind, system) {
        return 0;
    }
    let here = |one: &&Parked| one.store == line.store && one.kind == kind;
    let stopped: Vec<_> = parked.iter().filter(here).filter(|one| one.system == system).map(|one| &one.id).collect();
    let held = |one: &&Parked| one.system == first && one.code != IS_THERE && !stopped.contains(&&one.id);
    let behind = parked.iter().filter(here).filter(held);
    behind.map(|one| one.revision).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, system: &str, in_flight: i64, gap: i64) -> Line {
        Line {
            store: "main".to_owned(),
            kind: kind.to_owned(),
            system: system.to_owned(),
            accepted: 9,
            in_flight,
            gap,
            ..Line::default()
        }
    }

    fn parked(system: &str, id: &str, revision: i64) -> Parked {
        Parked {
            store: "main".to_owned(),
            kind: "order".to_owned(),
            id: id.to_owned(),
            system: system.to_owned(),
            revision,
            ..Parked::default()
        }
    }

    #[test]
    fn what_waits_for_a_parked_order_is_explained() {
        let lines = [line("order", "erp", 0, 0), line("order", "shipping", 3, 0)];
        assert_eq!(open(&lines, &[parked("erp", "1", 2), parked("erp", "2", 1)]), [""; 0]);
    }

    #[test]
    fn nothing_waits_for_a_change_of_what_is_there() {
        let changed = Parked { code: "not_amendable".to_owned(), ..parked("erp", "2", 2) };
        assert_eq!(open(&[line("order", "shipping", 1, 0)], &[parked("erp", "1", 1), changed]), [""; 0]);
    }

    #[test]
    fn what_is_parked_for_both_does_not_wait() {
        let lines = [line("order", "shipping", 3, 0)];
        let both = [parked("erp", "1", 3), parked("shipping", "1", 3)];
        assert_eq!(open(&lines, &both).len(), 1);
    }

    #[test]
    fn what_is_in_flight_for_no_parked_record_is_open() {
        assert_eq!(open(&[line("order", "crm", 1, 0)], &[parked("erp", "1", 1)]).len(), 1);
    }

    #[test]
    fn gaps_of_both_signs_do_not_add_up_to_none() {
        let lines = [line("order", "erp", 0, 1), line("order", "crm", 0, -1)];
        assert_eq!(sum(&lines).gap, 2);
        assert_eq!(open(&lines, &[]).len(), 2);
    }

    #[test]
    fn a_day_on_which_nothing_was_accepted_is_open() {
        assert_eq!(open(&[Line::default()], &[]), ["nothing was accepted"]);
    }
}
