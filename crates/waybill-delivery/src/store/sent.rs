//! What was sent last of the mapped fields.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, types::Json};
use waybill_domain::{Kind, document::Fields};

use super::heard::Wanted;

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

/// Has people whose address changes take what was sent of them along: without it nobody could tell what a colleague
/// changed at the system since. To be called before the change is wanted.
pub(crate) async fn follow_person(db: &mut PgConnection, wanted: &[Wanted]) -> sqlx::Result<()> {
    let known: Vec<&Wanted> =
        wanted.iter().filter(|wanted| wanted.kind == Kind::Customer.as_str() && wanted.number > 1).collect();
    if known.is_empty() {
        return Ok(());
    }
    let column = |pick: fn(&Wanted) -> &str| known.iter().map(|wanted| pick(wanted).to_owned()).collect::<Vec<_>>();
    sqlx::query(
        "insert into sent (system, object, role, fields, sent_at)
         select distinct on (d.system, n.target_key, s.role) d.system, n.target_key, s.role, s.fields, s.sent_at
         from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (system, store, record_id, target_key)
         join delivery d on (d.store, d.kind, d.record_id, d.system) = (n.store, $5, n.record_id, n.system)
         join sent s on (s.system, s.object) = (d.system, d.target_key)
         -- While it is worked on it keeps its address.
         where d.target_key <> n.target_key and d.state <> 'applying'
         order by 1, 2, 3
         on conflict do nothing",
    )
    .bind(column(|wanted| &wanted.system))
    .bind(column(|wanted| &wanted.store))
    .bind(column(|wanted| &wanted.record_id))
    .bind(column(|wanted| &wanted.target_key))
    .bind(Kind::Customer.as_str())
    .execute(db)
    .await?;
    Ok(())
}
