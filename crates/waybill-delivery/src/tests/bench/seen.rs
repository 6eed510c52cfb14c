//! What the tables say.

use prost::Message as _;
use waybill_proto::wire;
use waybill_runtime::database;

use super::Bench;

/// What a receipt says.
#[derive(Debug, Clone)]
pub(in crate::tests) struct Said {
    pub(in crate::tests) from: i64,
    pub(in crate::tests) to: i64,
    pub(in crate::tests) state: String,
    pub(in crate::tests) settlement: i64,
}

impl From<wire::Receipt> for Said {
    fn from(receipt: wire::Receipt) -> Self {
        let state = receipt.state().as_str_name().trim_start_matches("STATE_").to_lowercase();
        let to = receipt.to.unwrap_or_default().number;
        Self { from: receipt.from, to, state, settlement: receipt.settlement }
    }
}

/// A delivery as the tables have it.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::tests) struct Stands {
    pub(in crate::tests) number: i64,
    pub(in crate::tests) desired: i64,
    pub(in crate::tests) settled: i64,
    pub(in crate::tests) state: String,
    pub(in crate::tests) code: String,
}

impl Bench {
    /// Each delivery's state and code, by record.
    pub(in crate::tests) async fn states(&self) -> Vec<String> {
        self.texts("select trim(state || ' ' || case when state in ('applied', 'applying') then '' else code end) from delivery order by record_id").await
    }

    pub(in crate::tests) async fn steps(&self) -> Vec<String> {
        self.texts("select name || ' ' || state from step order by delivery_id, name").await
    }

    pub(in crate::tests) async fn attempts(&self) -> Vec<i32> {
        sqlx::query_scalar("select attempts from delivery order by record_id").fetch_all(&self.pool).await.unwrap()
    }

    pub(in crate::tests) async fn condition(&self) -> String {
        self.texts("select condition from system_state").await.remove(0)
    }

    pub(in crate::tests) async fn in_flight(&self) -> i64 {
        let counts = crate::store::deliveries::in_flight(&self.pool).await.unwrap();
        counts.into_iter().map(|(_, _, _, revisions)| revisions).sum()
    }

    /// The receipts in the outbox: `from..to state`.
    pub(in crate::tests) async fn receipts(&self) -> Vec<String> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("select payload from outbox where subject like 'receipt.%' order by id")
                .fetch_all(&self.pool)
                .await
                .unwrap();
        let said = rows.iter().map(|payload| Said::from(wire::Receipt::decode(payload.as_slice()).unwrap()));
        said.map(|said| format!("{}..{} {}", said.from, said.to, said.state)).collect()
    }

    /// The receipts since the last time, by order, which nobody else hears of; and the deliveries, at one moment: what a
    /// process that died has sent may be committed only now.
    pub(in crate::tests) async fn look(&self) -> (Vec<(i64, Said)>, Vec<Stands>) {
        let mut moment = database::begin(&self.pool).await.unwrap();
        sqlx::query("set transaction isolation level repeatable read").execute(&mut *moment).await.unwrap();
        let mut rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("delete from outbox where subject like 'receipt.%' returning id, payload")
                .fetch_all(&mut *moment)
                .await
                .unwrap();
        let sql =
            "select record_id::bigint as number, desired_number as desired, settled_number as settled, state, code
             from delivery order by 1";
        let deliveries = sqlx::query_as(sql).fetch_all(&mut *moment).await.unwrap();
        moment.commit().await.unwrap();
        rows.sort();
        let receipts = rows.iter().map(|(_, payload)| wire::Receipt::decode(payload.as_slice()).unwrap());
        let said = receipts.map(|receipt| (receipt.key.as_ref().unwrap().id.parse().unwrap(), receipt.into()));
        (said.collect(), deliveries)
    }

    pub(in crate::tests) async fn dead_letters(&self) -> usize {
        self.texts("select subject from outbox where subject like 'dead.%'").await.len()
    }

    pub(in crate::tests) async fn audited(&self) -> Vec<String> {
        self.texts("select action from audit order by id").await
    }
}
