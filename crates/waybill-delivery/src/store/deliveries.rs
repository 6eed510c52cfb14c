//! What people see of deliveries and do with them.

use sqlx::{
    Arguments as _, PgPool,
    encode::Encode,
    postgres::{PgArguments, Postgres},
    types::Type,
};

/// A delivery as people see it. Times are microseconds since the Unix epoch.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) name: String,
    pub(crate) desired_epoch: i64,
    pub(crate) desired_number: i64,
    pub(crate) applied_epoch: Option<i64>,
    pub(crate) applied_number: Option<i64>,
    pub(crate) settled_number: i64,
    pub(crate) state: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) field: String,
    pub(crate) external_id: String,
    pub(crate) known: sqlx::types::Json<std::collections::BTreeMap<String, String>>,
    pub(crate) attempts: i32,
    pub(crate) due_us: i64,
    pub(crate) changed_us: i64,
    pub(crate) first_unapplied_us: Option<i64>,
    pub(crate) plan_hash: String,
    pub(crate) body_removed_us: Option<i64>,
}

/// The columns of a [`Row`].
pub(crate) const COLUMNS: &str =
    "id, system, store, kind, record_id, name, desired_epoch, desired_number, applied_epoch,
    applied_number, settled_number, state, code, message, field, external_id, known, attempts,
    (extract(epoch from due_at) * 1000000)::bigint as due_us,
    (extract(epoch from changed_at) * 1000000)::bigint as changed_us,
    (extract(epoch from first_unapplied_at) * 1000000)::bigint as first_unapplied_us, plan_hash,
    (extract(epoch from body_removed_at) * 1000000)::bigint as body_removed_us";

/// Which deliveries; an absent part selects all.
#[derive(Debug, Default, Clone)]
pub(crate) struct Selection {
    pub(crate) system: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) record: Option<(String, String, String)>,
    /// Of them at most so many, those that changed first.
    pub(crate) limit: Option<i64>,
}

const WHERE: &str = "($1::text is null or system = $1) and ($2::text is null or state = $2)
    and ($3::text is null or code = $3) and ($4::text is null or store = $4)
    and ($5::text is null or kind = $5) and ($6::text is null or record_id = $6)";

impl Selection {
    /// What [`WHERE`] asks for, and how many at most as `$7`.
    fn arguments(&self, limit: Option<i64>) -> sqlx::Result<PgArguments> {
        fn add<'a>(
            to: &mut PgArguments,
            value: impl Encode<'a, Postgres> + Type<Postgres> + Send + 'a,
        ) -> sqlx::Result<()> {
            to.add(value).map_err(sqlx::Error::Encode)
        }
        let mut arguments = PgArguments::default();
        let (store, kind, id) = match &self.record {
            Some((store, kind, id)) => (Some(store), Some(kind), Some(id)),
            None => (None, None, None),
        };
        for part in [self.system.as_ref(), self.state.as_ref(), self.code.as_ref(), store, kind, id] {
            add(&mut arguments, part)?;
        }
        add(&mut arguments, limit)?;
        Ok(arguments)
    }
}

/// The selected deliveries, those that changed last first.
pub(crate) async fn list(pool: &PgPool, selection: &Selection, limit: i64) -> sqlx::Result<Vec<Row>> {
    ordered(pool, selection, "changed_at desc", limit).await
}

/// The selected deliveries, those that changed first first.
pub(crate) async fn oldest(pool: &PgPool, selection: &Selection, limit: i64) -> sqlx::Result<Vec<Row>> {
    ordered(pool, selection, "changed_at, id", limit).await
}

async fn ordered(pool: &PgPool, selection: &Selection, order: &'static str, limit: i64) -> sqlx::Result<Vec<Row>> {
    let sql = format!("select {COLUMNS} from delivery where {WHERE} order by {order} limit $7");
    sqlx::query_as_with(sqlx::AssertSqlSafe(sql), selection.arguments(Some(limit))?).fetch_all(pool).await
}

/// A step as people see it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StepRow {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) call_key: String,
    pub(crate) state: String,
    pub(crate) message: String,
    pub(crate) started_us: i64,
    pub(crate) finished_us: Option<i64>,
}

/// A delivery's steps, newest first.
pub(crate) async fn steps(pool: &PgPool, delivery: i64) -> sqlx::Result<Vec<StepRow>> {
    sqlx::query_as(
        "select name, role, call_key, state, message,
             (extract(epoch from started_at) * 1000000)::bigint as started_us,
             (extract(epoch from finished_at) * 1000000)::bigint as finished_us
         from step where delivery_id = $1 order by started_at desc limit 50",
    )
    .bind(delivery)
    .fetch_all(pool)
    .await
}

/// How many are selected.
pub(crate) async fn count(pool: &PgPool, selection: &Selection) -> sqlx::Result<i64> {
    let sql = format!("select count(*) from (select from delivery where {WHERE} limit $7) d");
    sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), selection.arguments(selection.limit)?).fetch_one(pool).await
}

/// When deliveries are tried again: the first after so long, then so many a second; 0 for all at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) rate: f64,
    pub(crate) after_seconds: f64,
}

/// Has selected deliveries tried again, with an audit row each: all now, or at a rate of so many a second.
pub(crate) async fn retry(
    pool: &PgPool,
    selection: &Selection,
    pace: Pace,
    actor: &str,
    reason: &str,
) -> sqlx::Result<u64> {
    let sql = format!(
        "with chosen as (
             select id, row_number() over (order by changed_at, id) as place
             from delivery where {WHERE} order by changed_at, id limit $7
         ), tried as (
             update delivery d set state = 'pending', attempts = 0, tried_seconds = 0, wake = d.wake + 1,
                 due_at = now() + make_interval(secs => $11)
                     + case when $8 > 0 then make_interval(secs => (c.place - 1) / $8) else '0' end,
                 first_unapplied_at = now(), changed_at = now()
             from chosen c where d.id = c.id and d.state = 'parked'
             returning d.system, d.store, d.kind, d.record_id
         )
         insert into audit (actor, action, system, record, reason)
         select $9, 'retry', system, store || '/' || kind || '/' || record_id, $10 from tried"
    );
    let done = sqlx::query_with(sqlx::AssertSqlSafe(sql), selection.arguments(selection.limit)?)
        .bind(pace.rate)
        .bind(actor)
        .bind(reason)
        .bind(pace.after_seconds)
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}

/// Revisions heard and not settled, per store, kind and system.
pub(crate) async fn in_flight(pool: &PgPool) -> sqlx::Result<Vec<(String, String, String, i64)>> {
    sqlx::query_as(
        "select store, kind, system,
             -- A new epoch numbers on from where the backup stood.
             sum(desired_number - settled_number)::bigint
         from (
             -- Whatever is not settled is in one of these states: there are few of them, and each has its index.
             select store, kind, system, settled_epoch, settled_number, desired_epoch, desired_number
             from delivery where state in ('pending', 'waiting')
             union all
             select store, kind, system, settled_epoch, settled_number, desired_epoch, desired_number
             from delivery where state = 'applying'
         ) d
         where (settled_epoch, settled_number) < (desired_epoch, desired_number)
         group by store, kind, system",
    )
    .fetch_all(pool)
    .await
}
