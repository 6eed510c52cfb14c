//! What people gave in place of the plan's values.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool, types::Json};
use waybill_domain::document::FieldValue;
use waybill_plan::{Override, Overrides};

use super::claim::{COLUMNS, Claim};

/// A delivery as if it were claimed, with its state; nothing holds it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Looked {
    #[sqlx(flatten)]
    pub(crate) claim: Claim,
    pub(crate) state: String,
}

/// One value that a person gives.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) path: String,
    pub(crate) value: FieldValue,
    pub(crate) instead_of: String,
    /// What the plan came to, or why it came to nothing.
    pub(crate) was: Result<String, String>,
}

/// An edit as people see it: which value, and not what it is.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) edited_us: i64,
    pub(crate) lapsed: bool,
}

/// The newest edits of deliveries.
pub(crate) async fn of(db: &mut PgConnection, deliveries: &[i64]) -> sqlx::Result<HashMap<i64, Overrides>> {
    let rows: Vec<(i64, String, Json<FieldValue>, String)> = sqlx::query_as(
        "select distinct on (delivery_id, path) delivery_id, path, value, instead_of
         from edit where delivery_id = any($1) and lapsed_at is null order by delivery_id, path, id desc",
    )
    .bind(deliveries)
    .fetch_all(db)
    .await?;
    let mut edits: HashMap<i64, Overrides> = HashMap::new();
    for (delivery, path, value, instead_of) in rows {
        let given = Override { value: value.0, instead_of: Some(instead_of) };
        edits.entry(delivery).or_default().insert(path, given);
    }
    Ok(edits)
}

/// Notes that the plan came to something else in these places of a delivery.
pub(crate) async fn lapse(db: &mut PgConnection, delivery: i64, paths: &[String]) -> sqlx::Result<()> {
    sqlx::query("update edit set lapsed_at = now() where delivery_id = $1 and path = any($2) and lapsed_at is null")
        .bind(delivery)
        .bind(paths)
        .execute(db)
        .await?;
    Ok(())
}

/// A delivery that is to be edited.
pub(crate) async fn look(
    pool: &PgPool,
    system: &str,
    (store, kind, id): (&str, &str, &str),
) -> sqlx::Result<Option<Looked>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, d.state from delivery d
         where d.system = $1 and d.store = $2 and d.kind = $3 and d.record_id = $4"
    )))
    .bind(system)
    .bind(store)
    .bind(kind)
    .bind(id)
    .fetch_optional(pool)
    .await
}

/// Keeps edits of a parked delivery and has it tried again, with an audit row that names the places and no values.
/// Whether it was still as it was looked at.
pub(crate) async fn keep(
    db: &mut PgConnection,
    claim: &Claim,
    edits: &[Edit],
    actor: &str,
    reason: &str,
) -> sqlx::Result<bool> {
    let column = |pick: fn(&Edit) -> String| edits.iter().map(pick).collect::<Vec<_>>();
    let paths = column(|edit| edit.path.clone());
    let tried = sqlx::query(
        "update delivery set edited = true, state = 'pending', due_at = now(), attempts = 0, tried_seconds = 0,
             wake = wake + 1, first_unapplied_at = now(), changed_at = now()
         where id = $1 and wake = $2 and state = 'parked'",
    )
    .bind(claim.id)
    .bind(claim.wake)
    .execute(&mut *db)
    .await?;
    if tried.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "insert into edit (delivery_id, path, value, instead_of, was, was_error, epoch, number, actor, reason)
         select $1, e.*, $7, $8, $9, $10
         from unnest($2::text[], $3::jsonb[], $4::text[], $5::text[], $6::boolean[]) as e",
    )
    .bind(claim.id)
    .bind(&paths)
    .bind(edits.iter().map(|edit| Json(&edit.value)).collect::<Vec<_>>())
    .bind(column(|edit| edit.instead_of.clone()))
    .bind(column(|edit| match &edit.was {
        Ok(text) | Err(text) => text.clone(),
    }))
    .bind(edits.iter().map(|edit| edit.was.is_err()).collect::<Vec<_>>())
    .bind(claim.desired_epoch)
    .bind(claim.desired_number)
    .bind(actor)
    .bind(reason)
    .execute(&mut *db)
    .await?;
    sqlx::query("insert into audit (actor, action, system, record, reason) values ($1, 'edit', $2, $3, $4)")
        .bind(actor)
        .bind(&claim.system)
        .bind(format!("{}/{}/{}", claim.store, claim.kind, claim.record_id))
        .bind(format!("{}: {reason}", paths.join(", ")))
        .execute(db)
        .await?;
    Ok(true)
}

/// Which values of a delivery people gave, the newest of each place, the newest first.
pub(crate) async fn list(pool: &PgPool, delivery: i64) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select path, actor, reason, (extract(epoch from edited_at) * 1000000)::bigint as edited_us,
             lapsed_at is not null as lapsed
         from (select distinct on (path) * from edit where delivery_id = $1 order by path, id desc) e
         order by id desc limit 50",
    )
    .bind(delivery)
    .fetch_all(pool)
    .await
}
