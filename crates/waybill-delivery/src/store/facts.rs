//! Other systems' receipts.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use waybill_domain::RecordKey;

/// One system's newest word on a record.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Fact {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) system: String,
    pub(crate) state: String,
    pub(crate) settlement: i64,
    /// The revision that it is about.
    pub(crate) said_epoch: Option<i64>,
    pub(crate) said_number: Option<i64>,
    /// The newest revision that the system holds.
    pub(crate) applied_epoch: Option<i64>,
    pub(crate) applied_number: Option<i64>,
}

/// Keeps the newest by settlement, whatever order they arrive in, and the newest revision that was ever applied; has
/// what waits for them decided at once.
pub(crate) async fn keep(db: &mut PgConnection, facts: &[Fact]) -> sqlx::Result<()> {
    let facts = newest(facts);
    let column = |pick: fn(&Fact) -> String| facts.iter().map(pick).collect::<Vec<_>>();
    let (stores, kinds, ids) =
        (column(|f| f.store.clone()), column(|f| f.kind.clone()), column(|f| f.record_id.clone()));
    sqlx::query(
        "insert into fact as f (store, kind, record_id, system, state, settlement, said_epoch, said_number,
             applied_epoch, applied_number)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
             $8::bigint[], $9::bigint[], $10::bigint[])
             as n (store, kind, record_id, system, state, settlement, said_epoch, said_number, applied_epoch,
                 applied_number)
         order by 1, 2, 3, 4
         on conflict (store, kind, record_id, system) do update set
             state = case when excluded.settlement > f.settlement then excluded.state else f.state end,
             said_epoch = case when excluded.settlement > f.settlement then excluded.said_epoch else f.said_epoch end,
             said_number = case when excluded.settlement > f.settlement then excluded.said_number
                 else f.said_number end,
             settlement = greatest(excluded.settlement, f.settlement),
             applied_epoch = case when (excluded.applied_epoch, excluded.applied_number)
                 > (coalesce(f.applied_epoch, -1), coalesce(f.applied_number, -1)) then excluded.applied_epoch
                 else f.applied_epoch end,
             applied_number = case when (excluded.applied_epoch, excluded.applied_number)
                 > (coalesce(f.applied_epoch, -1), coalesce(f.applied_number, -1)) then excluded.applied_number
                 else f.applied_number end",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .bind(column(|f| f.system.clone()))
    .bind(column(|f| f.state.clone()))
    .bind(facts.iter().map(|f| f.settlement).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.said_epoch).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.said_number).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.applied_epoch).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.applied_number).collect::<Vec<_>>())
    .execute(&mut *db)
    .await?;
    wake_waiting(db, &stores, &kinds, &ids).await
}

/// One fact per record and system, of several.
fn newest(facts: &[Fact]) -> Vec<Fact> {
    let mut newest: BTreeMap<(&str, &str, &str, &str), Fact> = BTreeMap::new();
    for fact in facts {
        let key = (&*fact.store, &*fact.kind, &*fact.record_id, &*fact.system);
        let known = newest.entry(key).or_insert_with(|| fact.clone());
        let applied = (known.applied_epoch, known.applied_number).max((fact.applied_epoch, fact.applied_number));
        if fact.settlement > known.settlement {
            *known = fact.clone();
        }
        (known.applied_epoch, known.applied_number) = applied;
    }
    newest.into_values().collect()
}

/// Has waiting deliveries of these records decided at once.
pub(crate) async fn wake_waiting(
    db: &mut PgConnection,
    stores: &[String],
    kinds: &[String],
    ids: &[String],
) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery d
         set wake = d.wake + 1, due_at = case when d.state = 'waiting' then now() else d.due_at end
         from unnest($1::text[], $2::text[], $3::text[]) as r (store, kind, record_id)
         where (d.store, d.kind, d.record_id) = (r.store, r.kind, r.record_id)
             and d.state in ('waiting', 'applying')",
    )
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .execute(db)
    .await?;
    Ok(())
}

/// Everything that is known of these records.
pub(crate) async fn of(
    db: &mut PgConnection,
    stores: &[String],
    kinds: &[String],
    ids: &[String],
) -> sqlx::Result<Vec<Fact>> {
    sqlx::query_as(
        "select f.* from fact f
         join unnest($1::text[], $2::text[], $3::text[]) as r (store, kind, record_id)
             using (store, kind, record_id)",
    )
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .fetch_all(db)
    .await
}

/// Another record's delivery to the same system: the order that a refund belongs to, an order's buyer.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct OtherRow {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) desired: Vec<u8>,
    pub(crate) applied_once: bool,
    pub(crate) state: String,
}

/// The deliveries of these records to a system.
pub(crate) async fn others(db: &mut PgConnection, system: &str, keys: &[RecordKey]) -> sqlx::Result<Vec<OtherRow>> {
    let column = |pick: fn(&RecordKey) -> String| keys.iter().map(pick).collect::<Vec<_>>();
    sqlx::query_as(
        // What the system lost is not there until it is written again.
        "select d.store, d.kind, d.record_id, d.desired, d.applied_number is not null and not d.again as applied_once, d.state
         from delivery d
         join unnest($2::text[], $3::text[], $4::text[]) as r (store, kind, record_id) using (store, kind, record_id)
         where d.system = $1",
    )
    .bind(system)
    .bind(column(|key| key.store.to_string()))
    .bind(column(|key| key.kind.to_string()))
    .bind(column(|key| key.id.to_string()))
    .fetch_all(db)
    .await
}
