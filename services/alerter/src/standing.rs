//! Which gaps stand.

use sqlx::PgConnection;

use crate::incidents::Cause;

/// Lines that have not closed for half a minute because of the same records: what is on its way is others each time.
/// Where no records can be told, those that have not closed for four minutes.
pub(crate) async fn causes(db: &mut PgConnection) -> sqlx::Result<Vec<Cause>> {
    sqlx::query_as(
        "with counted as (
             select store, kind, system, count(*) as times, min(seen_at) as since,
                 max(abs(gap)) as most, (array_agg(gap order by seen_at desc))[1] as gap
             from gap_seen where seen_at > now() - interval '30 seconds'
             group by store, kind, system
             having count(*) >= 5 and min(sign(gap)) = max(sign(gap)) and min(abs(gap)) > 0
                 and min(seen_at) < now() - interval '24 seconds'
         ), named as (
             -- They are asked for from the second look on.
             select c.store, c.kind, c.system, array_agg(r.record order by r.record) as records
             from counted c
             cross join lateral (
                 select record from gap_seen g, jsonb_array_elements_text(g.records) record
                 where (g.store, g.kind, g.system) = (c.store, c.kind, c.system)
                     and g.seen_at > now() - interval '30 seconds'
                 group by record having count(*) >= c.times - 1
             ) r
             group by c.store, c.kind, c.system
         ), nameless as (
             select store, kind, system from gap_seen where seen_at > now() - interval '250 seconds'
             group by store, kind, system
             having min(sign(gap)) = max(sign(gap)) and min(abs(gap)) > 0 and min(seen_at) < now() - interval '240 seconds'
                 and count(*) filter (where records = '[]') * 2 > count(*)
         )
         select c.system, 'gap' as code, c.store || '/' || c.kind || ': ' || c.gap as detail, c.most as count,
             to_jsonb((coalesce(n.records, '{}'))[1:5]) as records,
             (extract(epoch from c.since) * 1000000)::bigint as first_us
         from counted c
         left join named n using (store, kind, system)
         left join nameless l using (store, kind, system)
         where n.system is not null or l.system is not null
         order by c.store, c.kind",
    )
    .fetch_all(db)
    .await
}

/// Whether the lines were counted often enough of late: without every service's answer they are not.
pub(crate) async fn counted_lately(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select count(distinct seen_at) >= 5 from gap_seen where seen_at > now() - interval '30 seconds'",
    )
    .fetch_one(db)
    .await
}

#[cfg(test)]
mod tests {
    use sqlx::{PgPool, types::Json};
    use waybill_runtime::database;
    use waybill_testkit::TestDatabase;

    use super::causes;
    use crate::app::{SERVICE, migrator};

    async fn watch() -> Option<(TestDatabase, PgPool)> {
        let server = TestDatabase::create()?;
        let url = database::provision(&server.url().expose(), SERVICE, "waybill-test", &migrator()).await.unwrap();
        Some((server, database::pool(&url, 2).unwrap()))
    }

    /// A look so many seconds ago.
    async fn look(pool: &PgPool, seconds_ago: i32, gap: i64, records: &[String]) {
        sqlx::query(
            "insert into gap_seen (store, kind, system, gap, records, seen_at)
             values ('main', 'order', 'erp', $1, $2, now() - make_interval(secs => $3))",
        )
        .bind(gap)
        .bind(Json(records))
        .bind(seconds_ago)
        .execute(pool)
        .await
        .unwrap();
    }

    /// The records of each gap that stands.
    async fn standing(pool: &PgPool) -> Vec<Vec<String>> {
        let found = causes(&mut pool.acquire().await.unwrap()).await.unwrap();
        found.into_iter().map(|cause| cause.records.0).collect()
    }

    const LOOKS: [i32; 6] = [28, 23, 18, 13, 8, 3];

    #[tokio::test]
    async fn a_gap_stands_where_the_same_record_is_missing_each_time() {
        let Some((_server, pool)) = watch().await else { return };
        look(&pool, LOOKS[0], 1, &[]).await;
        for ago in &LOOKS[1..] {
            look(&pool, *ago, 2, &["main/order/7".to_owned(), format!("main/order/{}", 100 - ago)]).await;
        }
        assert_eq!(standing(&pool).await, [["main/order/7"]]);
    }

    #[tokio::test]
    async fn what_is_always_on_its_way_is_no_gap() {
        let Some((_server, pool)) = watch().await else { return };
        for ago in LOOKS {
            look(&pool, ago, 1, &[format!("main/order/{}", 100 - ago)]).await;
        }
        assert!(standing(&pool).await.is_empty());
    }

    #[tokio::test]
    async fn what_catches_up_for_minutes_is_no_gap() {
        let Some((_server, pool)) = watch().await else { return };
        for ago in (3..247).step_by(5) {
            look(&pool, ago, 40, &[format!("main/order/{}", 1000 - ago)]).await;
        }
        assert!(standing(&pool).await.is_empty());
    }

    #[tokio::test]
    async fn a_gap_without_a_name_stands_after_four_minutes() {
        let Some((_server, pool)) = watch().await else { return };
        for ago in LOOKS {
            look(&pool, ago, -1, &[]).await;
        }
        assert!(standing(&pool).await.is_empty());
        for ago in (33..247).step_by(5) {
            look(&pool, ago, -1, &[]).await;
        }
        assert_eq!(standing(&pool).await, [Vec::<String>::new()]);
        look(&pool, 280, 0, &[]).await;
        assert_eq!(standing(&pool).await.len(), 1, "it closed long ago");
        look(&pool, 100, 0, &[]).await;
        assert!(standing(&pool).await.is_empty(), "it closed meanwhile");
    }
}
