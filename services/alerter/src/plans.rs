//! Whether replicas obey the same plan, and for how long they have not.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, types::Json};

use crate::{
    incidents::Cause,
    replicas::{self, Replica},
};

/// A changed file is taken up by one replica after the other; what lasts longer than this does not pass by itself.
const LASTING: SignedDuration = SignedDuration::from_secs(60);
/// Each replica speaks every 5 s. What one said that has been silent for longer neither begins a disagreement nor draws
/// it out, so that a rolling restart is none.
const SPEAKS_WITHIN: SignedDuration = SignedDuration::from_secs(20);
/// So many replicas are named for each plan.
const NAMED: usize = 10;
/// A page's detail ends here.
const DETAIL_CHARS: usize = 2000;

/// What is wrong with the replicas' plans now.
pub(crate) async fn causes(db: &mut PgConnection, now: Timestamp) -> anyhow::Result<Vec<Cause>> {
    replicas::forget_gone(&mut *db, now).await?;
    let replicas = replicas::alive(&mut *db, now).await?;
    let before = read(&mut *db).await?;
    let disagreement = Disagreement::next(before, &replicas, now);
    if disagreement != before {
        write(&mut *db, disagreement).await?;
    }
    let lasting = disagreement.filter(Disagreement::lasts).map(|lasting| {
        let detail = who_obeys_what(&replicas);
        cause("plan_disagreement", detail, lasting.since)
    });
    Ok(lasting.into_iter().chain(refused(&replicas)).collect())
}

fn cause(code: &str, detail: String, first_at: Timestamp) -> Cause {
    Cause {
        // It is about no system of the plan, but the plan.
        system: String::new(),
        code: code.to_owned(),
        detail: detail.chars().take(DETAIL_CHARS).collect(),
        count: 0,
        records: Json(Vec::new()),
        first_us: first_at.as_microsecond(),
    }
}

/// Since when replicas that speak have been seen to disagree, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Disagreement {
    since: Timestamp,
    seen_at: Timestamp,
}

impl Disagreement {
    /// What follows from what the replicas say now. Silence ends a disagreement only when one side is gone.
    fn next(before: Option<Self>, replicas: &[Replica], now: Timestamp) -> Option<Self> {
        if !differ(replicas.iter()) {
            return None;
        }
        let speaking = replicas.iter().filter(|replica| now.duration_since(replica.heard_at) <= SPEAKS_WITHIN);
        if differ(speaking) {
            Some(Self { since: before.map_or(now, |before| before.since), seen_at: now })
        } else {
            before
        }
    }

    fn lasts(&self) -> bool {
        self.seen_at.duration_since(self.since) > LASTING
    }
}

fn differ<'a>(mut replicas: impl Iterator<Item = &'a Replica>) -> bool {
    replicas.next().is_some_and(|first| replicas.any(|other| other.plan_hash != first.plan_hash))
}

/// `<hash>: erp-sync a-1, crm-sync b-1; <hash>: alerter c-1`, the plan of most first.
fn who_obeys_what(replicas: &[Replica]) -> String {
    let mut obeying: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for replica in replicas {
        obeying.entry(&replica.plan_hash).or_default().push(name(replica));
    }
    let mut obeying: Vec<_> = obeying.into_iter().collect();
    obeying.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let told: Vec<_> = obeying.into_iter().map(|(hash, names)| format!("{hash}: {}", named(&names))).collect();
    told.join("; ")
}

/// Replicas that have refused the file for long, with the reason, as one cause: it is one file.
fn refused(replicas: &[Replica]) -> Option<Cause> {
    let mut problems: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut first_at: Option<Timestamp> = None;
    for replica in replicas {
        let Some(since) = replica.refusal_heard_at else { continue };
        if replica.heard_at.duration_since(since) > LASTING {
            problems.entry(&replica.problem).or_default().push(name(replica));
            first_at = Some(first_at.map_or(since, |first| first.min(since)));
        }
    }
    let told: Vec<_> = problems.into_iter().map(|(problem, names)| format!("{}: {problem}", named(&names))).collect();
    Some(cause("plan_refused", told.join("\n"), first_at?))
}

fn name(replica: &Replica) -> String {
    format!("{} {}", replica.service, replica.replica)
}

fn named(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

async fn read(db: &mut PgConnection) -> anyhow::Result<Option<Disagreement>> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "select (extract(epoch from since) * 1000000)::bigint, (extract(epoch from seen_at) * 1000000)::bigint
         from plan_disagreement",
    )
    .fetch_optional(db)
    .await?;
    row.map(|(since, seen_at)| {
        Ok(Disagreement { since: Timestamp::from_microsecond(since)?, seen_at: Timestamp::from_microsecond(seen_at)? })
    })
    .transpose()
}

async fn write(db: &mut PgConnection, disagreement: Option<Disagreement>) -> sqlx::Result<()> {
    let Some(disagreement) = disagreement else {
        sqlx::query("delete from plan_disagreement").execute(db).await?;
        return Ok(());
    };
    sqlx::query(
        "insert into plan_disagreement (since, seen_at) values ($1::timestamptz, $2::timestamptz)
         on conflict (the_one) do update set since = excluded.since, seen_at = excluded.seen_at",
    )
    .bind(disagreement.since.to_string())
    .bind(disagreement.seen_at.to_string())
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Cause, Disagreement, NAMED, Replica, SignedDuration, Timestamp, refused, who_obeys_what};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn replica(service: &str, plan_hash: &str, heard_at: i64) -> Replica {
        Replica {
            service: service.to_owned(),
            replica: "host-1".to_owned(),
            plan_hash: plan_hash.to_owned(),
            obeyed_since: at(0),
            problem: String::new(),
            refused_since: None,
            heard_at: at(heard_at),
            refusal_heard_at: None,
        }
    }

    fn refusing(service: &str, problem: &str, from: i64, heard_at: i64) -> Replica {
        Replica { problem: problem.to_owned(), refusal_heard_at: Some(at(from)), ..replica(service, "one", heard_at) }
    }

    /// Looks every 5 s from 0 on, as long as replicas say something.
    fn looked(until: i64, replicas: impl Fn(i64) -> Vec<Replica>) -> Option<Disagreement> {
        (0..=until / 5).map(|step| step * 5).fold(None, |before, now| {
            let alive: Vec<_> = replicas(now).into_iter().filter(|replica| at(now - 60) < replica.heard_at).collect();
            Disagreement::next(before, &alive, at(now))
        })
    }

    #[test]
    fn a_disagreement_lasts_when_it_is_over_a_minute_old() {
        let both = |now| vec![replica("erp-sync", "one", now), replica("crm-sync", "two", now)];
        assert!(!looked(60, both).unwrap().lasts());
        assert!(looked(65, both).unwrap().lasts());
    }

    #[test]
    fn who_agrees_again_starts_anew() {
        let often = |now| {
            let other = if now % 60 == 55 { "one" } else { "two" };
            vec![replica("erp-sync", "one", now), replica("crm-sync", other, now)]
        };
        assert_eq!(looked(115, often), None);
        assert!(!looked(175 - 5, often).unwrap().lasts());
    }

    #[test]
    fn a_changing_third_plan_does_not_hide_that_one_stays_behind() {
        let edited =
            |now: i64| vec![replica("erp-sync", "old", now), replica("crm-sync", &format!("{}", now / 20), now)];
        assert!(looked(65, edited).unwrap().lasts());
    }

    #[test]
    fn a_rolling_restart_is_no_disagreement() {
        // The old one speaks until 30 and is remembered until 90.
        let rolled = |now: i64| vec![replica("erp-sync", "old", now.min(30)), replica("crm-sync", "new", now)];
        assert!((0..=100).step_by(5).all(|until| looked(until, rolled).is_none_or(|it| !it.lasts())));
        assert_eq!(looked(90, rolled), None);
    }

    #[test]
    fn a_pause_of_the_road_does_not_resolve_a_disagreement() {
        let cut = |now: i64| vec![replica("erp-sync", "one", now.min(65)), replica("crm-sync", "two", now.min(65))];
        assert!(looked(120, cut).unwrap().lasts());
        assert_eq!(looked(125, cut), None);
    }

    #[test]
    fn one_alone_does_not_disagree() {
        assert_eq!(looked(65, |now| vec![replica("erp-sync", "one", now)]), None);
        assert_eq!(looked(65, |_| Vec::new()), None);
    }

    #[test]
    fn a_refusal_is_a_cause_when_it_has_been_said_for_over_a_minute() {
        assert!(refused(&[refusing("erp-sync", "WB-P003", 0, 60)]).is_none());
        let Cause { code, detail, first_us, .. } = refused(&[refusing("erp-sync", "WB-P003", 0, 61)]).unwrap();
        assert_eq!((code.as_str(), detail.as_str(), first_us), ("plan_refused", "erp-sync host-1: WB-P003", 0));
    }

    #[test]
    fn a_file_that_several_refuse_for_one_reason_is_told_once() {
        let cause = refused(&[
            refusing("crm-sync", "WB-P003", 10, 80),
            refusing("erp-sync", "WB-P003", 0, 80),
            refusing("alerter", "WB-P010", 5, 80),
            replica("shopify-ingest", "two", 80),
        ]);
        assert_eq!(cause.unwrap().detail, "crm-sync host-1, erp-sync host-1: WB-P003\nalerter host-1: WB-P010");
    }

    #[test]
    fn who_obeys_what_is_told_in_a_page_length() {
        let mut many: Vec<_> = (0..NAMED + 2).map(|_| replica("erp-sync", "new", 0)).collect();
        many.push(replica("crm-sync", "old", 0));
        let told = who_obeys_what(&many);
        assert!(
            told.starts_with("new: erp-sync host-1, ") && told.ends_with(" and 2 more; old: crm-sync host-1"),
            "{told}"
        );
    }
}
