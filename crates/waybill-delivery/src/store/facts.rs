//! Other systems' receipts.

use sqlx::PgConnection;

/// One system's newest word on a record.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Fact {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) system: String,
    pub(crate) state: String,
    pub(crate) settlement: i64,
}

/// Keeps the newest by settlement, whatever order they arrive in, and has what waits for them decided at once.
pub(crate) async fn keep(db: &mut PgConnection, facts: &[Fact]) -> sqlx::Result<()> {
    let column = |pick: fn(&Fact) -> String| facts.iter().map(pick).collect::<Vec<_>>();
    let (stores, kinds, ids) =
        (column(|f| f.store.clone()), column(|f| f.kind.clone()), column(|f| f.record_id.clone()));
    sqlx::query(
        "insert into fact as f (store, kind, record_id, system, state, settlement)
         select distinct on (1, 2, 3, 4) *
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
             as n (store, kind, record_id, system, state, settlement)
         order by 1, 2, 3, 4, n.settlement desc
         on conflict (store, kind, record_id, system) do update
             set state = excluded.state, settlement = excluded.settlement
             where excluded.settlement > f.settlement",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .bind(column(|f| f.system.clone()))
    .bind(column(|f| f.state.clone()))
    .bind(facts.iter().map(|f| f.settlement).collect::<Vec<_>>())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "update delivery d
         set wake = d.wake + 1, due_at = case when d.state = 'waiting' then now() else d.due_at end
         from unnest($1::text[], $2::text[], $3::text[]) as r (store, kind, record_id)
         where (d.store, d.kind, d.record_id) = (r.store, r.kind, r.record_id)
             and d.state in ('waiting', 'applying')",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
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
