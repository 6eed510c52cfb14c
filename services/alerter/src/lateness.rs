//! Lines that are later than the plan allows.
//!
//! A line's own time begins when its flow writes: at once, or at the time that the plan gives. While it waits for another
//! system or for a person, that is told by the other's line or by an incident of its own; its time begins when that is
//! over.

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, types::Json};
use waybill_plan::{Flow, Plan, Timing};

use crate::incidents::Cause;

/// No flow's time is further ahead than this.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Records named by an incident.
const NAMED: usize = 5;

/// What is late, and what waits too long for a person.
pub(crate) async fn causes(db: &mut PgConnection, plan: &Plan, now: Timestamp) -> sqlx::Result<Vec<Cause>> {
    let mut found = Vec::new();
    for flow in &plan.flows {
        let limit = SignedDuration::try_from(flow.late_after).unwrap_or(FURTHEST);
        let Ok(moment) = now.checked_sub(limit) else { continue };
        let late = overdue(&mut *db, flow, not_due_before(&flow.timing, moment), moment, LATE).await?;
        found.extend(cause(flow, "late", &late, |line| flow.timing.due(line.waits_since()), limit));
        if flow.approval_condition().is_some() {
            // A person is asked as soon as the record is there, whenever it is written.
            let waiting = overdue(&mut *db, flow, moment, moment, UNAPPROVED).await?;
            found.extend(cause(flow, "approval_waiting", &waiting, Line::waits_since, limit));
        }
    }
    Ok(found)
}

/// The earliest change that is not due before this moment: every earlier one is.
fn not_due_before(timing: &Timing, moment: Timestamp) -> Timestamp {
    // A later change is never due earlier.
    let is_due = |changed: i64| Timestamp::from_microsecond(changed).is_ok_and(|changed| timing.due(changed) < moment);
    let mut back = SignedDuration::from_secs(1);
    let micros = |time: SignedDuration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let mut not_due = moment.as_microsecond();
    while back < FURTHEST && !is_due(moment.as_microsecond() - micros(back)) {
        back = back.saturating_mul(2);
    }
    let mut due = moment.as_microsecond() - micros(back);
    while not_due - due > 1 {
        let middle = due + (not_due - due) / 2;
        if is_due(middle) {
            due = middle;
        } else {
            not_due = middle;
        }
    }
    Timestamp::from_microsecond(not_due).unwrap_or(moment)
}

/// A line that waits.
#[derive(Debug, sqlx::FromRow)]
struct Line {
    record: String,
    waits_us: i64,
    /// When what it waited for was over, if it waited for something.
    free_us: Option<i64>,
    /// How many lines there are.
    lines: i64,
}

impl Line {
    fn waits_since(&self) -> Timestamp {
        Timestamp::from_microsecond(self.waits_us).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// When its own time began.
    fn began(&self, due: Timestamp) -> Timestamp {
        let free = self.free_us.and_then(|us| Timestamp::from_microsecond(us).ok());
        free.map_or(due, |free| free.max(due))
    }
}

/// On a system that could take it, and no person has to let it go.
const LATE: &str = "(a.service is null or a.over_at < $5::timestamptz) and not exists (
    select from system_seen s
    where s.system = l.system and s.condition <> 'serving' and s.seen_at > now() - interval '45 seconds')";
const UNAPPROVED: &str = "a.service is not null and a.over_at is null";

/// A flow's lines that have waited since before one moment, and whose own time began before another; the oldest first.
async fn overdue(
    db: &mut PgConnection,
    flow: &Flow,
    waits_before: Timestamp,
    began_before: Timestamp,
    which: &'static str,
) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select l.store || '/' || l.kind || '/' || l.record_id as record,
             (extract(epoch from l.waits_since) * 1000000)::bigint as waits_us,
             (extract(epoch from greatest(a.over_at, o.settled_at)) * 1000000)::bigint as free_us,
             count(*) over () as lines
         from line l
         left join approval_seen a on (a.store, a.kind, a.record_id, a.system) = (l.store, l.kind, l.record_id, l.system)
         left join lateral (
             select max(o.settled_at) as settled_at,
                 bool_or(case when $7 then o.waits_since is not null or o.state = 'parked'
                     else o.applied = 0 and o.end_state <> 'ignored' end) as blocks
             from line o
             where (o.store, o.kind, o.record_id) = (l.store, l.kind, l.record_id) and o.system = any($6)
         ) o on true
         where l.kind = $1 and l.system = $2 and (cardinality($3::text[]) = 0 or l.store = any($3))
             and l.waits_since < $4::timestamptz and l.state <> 'parked'
             and not coalesce(o.blocks, false) and (o.settled_at is null or o.settled_at < $5::timestamptz)
             and not exists (
                 select from system_seen p
                 where p.system = l.system and $8::text = any(p.paused_flows) and p.seen_at > now() - interval '45 seconds')
             and {which}
         order by l.waits_since, l.record_id limit 1000"
    )))
    .persistent(false)
    .bind(flow.kind.as_str())
    .bind(flow.to.as_str())
    .bind(flow.stores.iter().map(ToString::to_string).collect::<Vec<_>>())
    .bind(waits_before.to_string())
    .bind(began_before.to_string())
    .bind(flow.after.iter().map(ToString::to_string).collect::<Vec<_>>())
    .bind(flow.after_same_revision)
    .bind(&flow.name)
    .fetch_all(db)
    .await
}

fn cause(
    flow: &Flow,
    code: &str,
    lines: &[Line],
    due: impl Fn(&Line) -> Timestamp,
    limit: SignedDuration,
) -> Option<Cause> {
    let oldest = lines.first()?;
    let first = lines.iter().map(|line| line.began(due(line))).min()?;
    let since = oldest.waits_since().strftime("%Y-%m-%d %H:%M:%S UTC");
    Some(Cause {
        system: flow.to.to_string(),
        code: code.to_owned(),
        detail: format!("flow '{}': the oldest waits since {since}", flow.name),
        count: oldest.lines,
        records: Json(lines.iter().take(NAMED).map(|line| line.record.clone()).collect()),
        first_us: first.checked_add(limit).unwrap_or(first).as_microsecond(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp, civil::time, tz::TimeZone};
    use waybill_plan::Timing;

    use super::not_due_before;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_nights_changes_are_due_from_that_night_on() {
        let nightly = Timing::At(time(2, 0, 0, 0), TimeZone::get("Europe/Vienna").unwrap());
        // Two o'clock in Vienna is one o'clock UTC.
        assert_eq!(not_due_before(&nightly, at("2026-11-22T00:59:00Z")), at("2026-11-21T01:00:00Z"));
        assert_eq!(not_due_before(&nightly, at("2026-11-22T01:00:01Z")), at("2026-11-22T01:00:00Z"));
    }

    #[test]
    fn what_is_found_is_where_the_due_times_pass_the_moment() {
        let moment = at("2026-11-21T10:07:30Z");
        for timing in [
            Timing::AtOnce,
            Timing::Hold(Duration::from_secs(600)),
            Timing::Every(Duration::from_secs(900)),
            Timing::Every(Duration::from_secs(7 * 86_400)),
            Timing::At(time(2, 30, 0, 0), TimeZone::get("Europe/Vienna").unwrap()),
        ] {
            let found = not_due_before(&timing, moment);
            assert!(timing.due(found) >= moment, "{timing:?} {found}");
            assert!(timing.due(found - SignedDuration::from_micros(1)) < moment, "{timing:?} {found}");
        }
        assert_eq!(not_due_before(&Timing::AtOnce, moment), moment);
    }
}
