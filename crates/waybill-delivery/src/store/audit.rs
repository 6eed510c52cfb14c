//! Applied deliveries that are compared with what their systems hold, and those to be written again.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use super::claim::{COLUMNS, Claim};

/// Which deliveries: one system's of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Chosen<'a> {
    pub(crate) system: &'a str,
    pub(crate) kind: &'a str,
    /// Empty for all.
    pub(crate) store: &'a str,
    /// Those that changed at this instant or later.
    pub(crate) since: Option<Timestamp>,
    /// The system may not show yet what was written so short ago.
    pub(crate) lag_seconds: f64,
}

/// Their last end is `applied`, they are settled at the newest revision, and the system shows it by now.
const AT_REST: &str =
    "d.state = 'applied' and (d.applied_epoch, d.applied_number) = (d.desired_epoch, d.desired_number)
    and d.changed_at <= now() - make_interval(secs => $5)";

const CHOSEN: &str = "d.system = $1 and d.kind = $2 and ($3 = '' or d.store = $3)
    and ($4::timestamptz is null or d.changed_at >= $4::timestamptz)";

/// The chosen deliveries at rest after an id, as if they were claimed; nothing holds them.
pub(crate) async fn page(pool: &PgPool, chosen: &Chosen<'_>, after: i64, limit: i64) -> sqlx::Result<Vec<Claim>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from delivery d where {CHOSEN} and {AT_REST} and d.id > $6 order by d.id limit $7"
    )))
    .bind(chosen.system)
    .bind(chosen.kind)
    .bind(chosen.store)
    .bind(chosen.since.map(|since| since.to_string()))
    .bind(chosen.lag_seconds)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// How many of the chosen are on their way, or so short at rest that the system may not show it yet.
pub(crate) async fn on_their_way(pool: &PgPool, chosen: &Chosen<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "select count(*) from delivery d
         where {CHOSEN} and d.state in ('pending', 'applying', 'waiting', 'applied') and not ({AT_REST})"
    )))
    .bind(chosen.system)
    .bind(chosen.kind)
    .bind(chosen.store)
    .bind(chosen.since.map(|since| since.to_string()))
    .bind(chosen.lag_seconds)
    .fetch_one(pool)
    .await
}

/// Of these deliveries, by id and wake, those that are as they were.
pub(crate) async fn unchanged(pool: &PgPool, looked_at: &[(i64, i64)]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "select d.id from delivery d join unnest($1::bigint[], $2::bigint[]) as n (id, wake) using (id)
         where d.wake = n.wake and d.state = 'applied'",
    )
    .bind(looked_at.iter().map(|one| one.0).collect::<Vec<_>>())
    .bind(looked_at.iter().map(|one| one.1).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
}

/// One delivery to be written again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Healed {
    pub(crate) id: i64,
    pub(crate) wake: i64,
    /// Whether an object is gone: what is known by its id would lead nowhere.
    pub(crate) forgets: bool,
    /// What was sent of these fields counts no more: object, role, fields; none for all of the object's.
    pub(crate) unsent: Vec<(String, String, Option<Vec<String>>)>,
}

/// Has a delivery written again, with an audit row; one that has changed since it was looked at is left alone. Whether
/// it is.
pub(crate) async fn heal(db: &mut PgConnection, healed: &Healed, actor: &str, reason: &str) -> sqlx::Result<bool> {
    let system: Option<String> = sqlx::query_scalar(
        "with healed as (
             update delivery d set state = 'pending', due_at = now(), attempts = 0, tried_seconds = 0,
                 wake = d.wake + 1, again = true,
                 known = case when $3 then '{}' else d.known end,
                 external_id = case when $3 then '' else d.external_id end,
                 first_unapplied_at = now(), changed_at = now()
             where d.id = $1 and d.wake = $2 and d.state = 'applied'
             returning d.system, d.store, d.kind, d.record_id
         ), told as (
             insert into audit (actor, action, system, record, reason)
             select $4, 'heal', system, store || '/' || kind || '/' || record_id, $5 from healed
         )
         select system from healed",
    )
    .bind(healed.id)
    .bind(healed.wake)
    .bind(healed.forgets)
    .bind(actor)
    .bind(reason)
    .fetch_optional(&mut *db)
    .await?;
    let Some(system) = system else { return Ok(false) };
    for (object, role, fields) in &healed.unsent {
        sqlx::query(
            "update sent set fields = case when $4::text[] is null then '{}' else fields - $4::text[] end
             where system = $1 and object = $2 and role = $3",
        )
        .bind(&system)
        .bind(object)
        .bind(role)
        .bind(fields)
        .execute(&mut *db)
        .await?;
    }
    Ok(true)
}
