//! Parcels that were told before their order was heard.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use waybill_connector::source::ParcelNews;
use waybill_delivery::pruning;
use waybill_domain::SystemName;
use waybill_runtime::Metrics;

/// A store tells an app nothing of orders that are older than 60 days, unless it has the scope `read_all_orders`: what
/// nobody claimed a month after that is of an order that will not be heard any more. Most likely it is another
/// installation's, whose keys look like ours, in the same account.
const KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// The order that a key is: its store, id and name.
pub(crate) type ShippedOrder = (String, String, String);

/// A kept parcel whose order is known by now.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) parcel_id: String,
    pub(crate) order: ShippedOrder,
    /// A [`ParcelNews`] as JSON.
    pub(crate) news: String,
    began_us: i64,
}

impl Claimed {
    /// When the shipping system was asked for it.
    pub(crate) fn began_at(&self) -> anyhow::Result<Timestamp> {
        Ok(Timestamp::from_microsecond(self.began_us)?)
    }
}

/// Keeps what was told of a parcel by a question asked at `began_at`, unless a later one has told of it.
pub(crate) async fn keep(
    pool: &PgPool,
    system: &SystemName,
    news: &ParcelNews,
    began_at: Timestamp,
) -> anyhow::Result<()> {
    let json = serde_json::to_string(news)?;
    sqlx::query(
        "insert into unclaimed_parcel as p (system, parcel_id, order_key, news, began_at)
         values ($1, $2, $3, $4::json, $5::timestamptz)
         on conflict (system, parcel_id) do update
             set order_key = excluded.order_key, news = excluded.news, began_at = excluded.began_at
             where excluded.began_at > p.began_at",
    )
    .bind(system.as_str())
    .bind(&news.parcel.id)
    .bind(&news.order_key)
    .bind(json)
    .bind(began_at.to_string())
    .execute(pool)
    .await?;
    Ok(())
}

/// The system's kept parcels whose order was heard meanwhile.
pub(crate) async fn of_known_orders(pool: &PgPool, system: &SystemName) -> sqlx::Result<Vec<Claimed>> {
    let rows: Vec<(String, String, i64, String, String, String)> = sqlx::query_as(
        "select p.parcel_id, p.news::text, (extract(epoch from p.began_at) * 1000000)::bigint,
             o.store, o.order_id, o.name
         from unclaimed_parcel p join shipped_order o on o.object_key = p.order_key
         where p.system = $1 order by p.began_at, p.parcel_id",
    )
    .bind(system.as_str())
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(parcel_id, news, began_us, store, order_id, name)| Claimed {
            parcel_id,
            order: (store, order_id, name),
            news,
            began_us,
        })
        .collect())
}

/// Removes what was taken. What another replica was told of the parcel since stays, to be taken next.
pub(crate) async fn forget(db: &mut PgConnection, system: &SystemName, claimed: &Claimed) -> sqlx::Result<()> {
    sqlx::query(
        "delete from unclaimed_parcel
         where system = $1 and parcel_id = $2 and (extract(epoch from began_at) * 1000000)::bigint = $3",
    )
    .bind(system.as_str())
    .bind(&claimed.parcel_id)
    .bind(claimed.began_us)
    .execute(db)
    .await?;
    Ok(())
}

/// Removes what nobody claimed for so long that nobody will.
pub(crate) async fn prune(pool: &PgPool, metrics: &Metrics) -> anyhow::Result<()> {
    let gone = pruning::in_batches(metrics, "unclaimed_parcel", |most| remove(pool, most)).await?;
    if gone > 0 {
        tracing::warn!(parcels = gone, "parcels of orders that no store told of within 90 days are given up");
    }
    Ok(())
}

/// Replicas that do so at once take different rows.
async fn remove(pool: &PgPool, most: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "with old as (
             select system, parcel_id from unclaimed_parcel where kept_at < now() - make_interval(secs => $2)
             order by kept_at limit $1 for update skip locked
         ), gone as (
             delete from unclaimed_parcel p using old
             where (p.system, p.parcel_id) = (old.system, old.parcel_id) returning 1
         )
         select count(*) from gone",
    )
    .bind(most)
    .bind(KEPT_FOR.as_secs_f64())
    .fetch_one(pool)
    .await
}
