//! What was sent last of the mapped fields.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, types::Json};
use waybill_domain::document::Fields;

/// An object at a system → role → fields.
pub(crate) type Sent = HashMap<String, BTreeMap<String, Fields>>;

/// What is known of these objects of a system.
pub(crate) async fn of(db: &mut PgConnection, system: &str, objects: &[String]) -> sqlx::Result<Sent> {
    let rows: Vec<(String, String, Json<Fields>)> =
        // Each object by itself, see `store`.
        sqlx::query_as(
            "select s.* from unnest($2::text[]) as n (object) cross join lateral (
                 select object, role, fields from sent where system = $1 and object = n.object offset 0) s",
        )
        .bind(system)
        .bind(objects)
        .fetch_all(db)
        .await?;
    let mut sent = Sent::new();
    for (object, role, fields) in rows {
        sent.entry(object).or_default().insert(role, fields.0);
    }
    Ok(sent)
}

/// Keeps what was sent of some objects: what was sent before of other fields stays.
pub(crate) async fn keep(db: &mut PgConnection, system: &str, sent: &[&(String, String, Fields)]) -> sqlx::Result<()> {
    if sent.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sent as s (system, object, role, fields)
         select $1, * from unnest($2::text[], $3::text[], $4::jsonb[]) order by 2, 3
         on conflict (system, object, role) do update set fields = s.fields || excluded.fields, sent_at = now()",
    )
    .bind(system)
    .bind(sent.iter().map(|(object, ..)| object.clone()).collect::<Vec<_>>())
    .bind(sent.iter().map(|(_, role, _)| role.clone()).collect::<Vec<_>>())
    .bind(sent.iter().map(|(.., fields)| Json(fields)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
