//! The services' replicas and the plan that each obeys, as they say it themselves.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use sqlx::{PgExecutor, PgPool};
use waybill_bus::subjects;
use waybill_proto::{
    convert::{from_timestamp, to_timestamp},
    wire,
};

/// One that has been silent for so long is gone.
pub(crate) const GONE_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// Room enough for a refusal's first lines.
const PROBLEM_CHARS: usize = 2000;

/// A process of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) service: String,
    pub(crate) replica: String,
    pub(crate) plan_hash: String,
    /// By its own clock.
    pub(crate) obeyed_since: Timestamp,
    /// Why it refuses the file that it looked at last; empty if that passes.
    pub(crate) problem: String,
    /// By its own clock.
    pub(crate) refused_since: Option<Timestamp>,
    /// By ours.
    pub(crate) heard_at: Timestamp,
    /// By ours.
    pub(crate) refusal_heard_at: Option<Timestamp>,
}

impl From<Replica> for wire::Replica {
    fn from(replica: Replica) -> Self {
        Self {
            plan: Some(wire::PlanReport {
                service: replica.service,
                replica: replica.replica,
                plan_hash: replica.plan_hash,
                obeyed_since: Some(to_timestamp(replica.obeyed_since)),
                problem: replica.problem,
                refused_since: replica.refused_since.map(to_timestamp),
            }),
            heard_at: Some(to_timestamp(replica.heard_at)),
        }
    }
}

/// Keeps one report.
pub(crate) async fn keep(pool: &PgPool, subject: &str, payload: &[u8], now: Timestamp) -> anyhow::Result<()> {
    let report = wire::PlanReport::decode(payload)?;
    let service = subjects::parse_plan_report(subject)?;
    anyhow::ensure!(report.service == service, "{service} says which plan '{}' obeys", report.service);
    let obeyed_since = report.obeyed_since.as_ref().context("obeyed_since is missing")?;
    let refused_since = report.refused_since.as_ref().map(|since| from_timestamp("refused_since", since));
    sqlx::query(
        "insert into replica as r
             (service, replica, plan_hash, obeyed_since, problem, refused_since, heard_at, refusal_heard_at)
         values ($1, $2, $3, $4::timestamptz, $5, $6::timestamptz, $7::timestamptz,
             case when $5 <> '' then $7::timestamptz end)
         on conflict (service, replica) do update set
             plan_hash = excluded.plan_hash, obeyed_since = excluded.obeyed_since, problem = excluded.problem,
             refused_since = excluded.refused_since, heard_at = excluded.heard_at,
             refusal_heard_at = case when excluded.problem <> '' then coalesce(r.refusal_heard_at, excluded.heard_at) end",
    )
    .bind(service)
    .bind(&report.replica)
    .bind(&report.plan_hash)
    .bind(from_timestamp("obeyed_since", obeyed_since)?.to_string())
    .bind(report.problem.chars().take(PROBLEM_CHARS).collect::<String>())
    .bind(refused_since.transpose()?.map(|since| since.to_string()))
    .bind(now.to_string())
    .execute(pool)
    .await?;
    Ok(())
}

/// Those that are not gone, by service and name.
pub(crate) async fn alive(db: impl PgExecutor<'_>, now: Timestamp) -> anyhow::Result<Vec<Replica>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        service: String,
        replica: String,
        plan_hash: String,
        obeyed_us: i64,
        problem: String,
        refused_us: Option<i64>,
        heard_us: i64,
        refusal_heard_us: Option<i64>,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select service, replica, plan_hash, (extract(epoch from obeyed_since) * 1000000)::bigint as obeyed_us, problem,
             (extract(epoch from refused_since) * 1000000)::bigint as refused_us,
             (extract(epoch from heard_at) * 1000000)::bigint as heard_us,
             (extract(epoch from refusal_heard_at) * 1000000)::bigint as refusal_heard_us
         from replica where heard_at > $1::timestamptz order by service, replica",
    )
    .bind((now - GONE_AFTER).to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Replica {
                service: row.service,
                replica: row.replica,
                plan_hash: row.plan_hash,
                obeyed_since: Timestamp::from_microsecond(row.obeyed_us)?,
                problem: row.problem,
                refused_since: row.refused_us.map(Timestamp::from_microsecond).transpose()?,
                heard_at: Timestamp::from_microsecond(row.heard_us)?,
                refusal_heard_at: row.refusal_heard_us.map(Timestamp::from_microsecond).transpose()?,
            })
        })
        .collect()
}

/// Forgets those that are gone.
pub(crate) async fn forget_gone(db: impl PgExecutor<'_>, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("delete from replica where heard_at <= $1::timestamptz")
        .bind((now - GONE_AFTER).to_string())
        .execute(db)
        .await?;
    Ok(())
}
