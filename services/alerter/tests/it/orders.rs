//! Orders as their source says them, and what becomes of them.

use std::time::Duration;

use jiff::Timestamp;
use prost::Message as _;
use waybill_bus::{Outgoing, subjects};
use waybill_domain::{Body, Snapshot};
use waybill_proto::{convert::to_timestamp, wire};
use waybill_testkit::{records::order, wait_for_async};

use crate::bench::Bench;

const DEADLINE: Duration = Duration::from_secs(30);

/// A new order, accepted when it was placed.
pub(crate) fn placed(number: u64, at: Timestamp) -> Snapshot {
    accepted(number, at, at)
}

/// An order that was accepted some time after it was placed.
pub(crate) fn accepted(number: u64, placed_at: Timestamp, accepted_at: Timestamp) -> Snapshot {
    let mut snapshot = order(number).paid().with_line("TEE", 1, "24.00").at_revision(1);
    snapshot.observed_at = accepted_at;
    if let Some(Body::Order(order)) = &mut snapshot.body {
        order.created_at = placed_at;
    }
    snapshot
}

impl Bench {
    /// Has the source say an order, and waits until the watch has heard it.
    pub(crate) async fn hear_order(&self, snapshot: &Snapshot) {
        let payload = wire::Snapshot::from(snapshot).encode_to_vec();
        let message =
            Outgoing { subject: subjects::snapshot(&snapshot.key), headers: Vec::new(), payload: payload.into() };
        for outcome in self.road_of("shopify-ingest").publish(vec![message]).await {
            outcome.unwrap();
        }
        wait_for_async("an order to be heard", DEADLINE, async || {
            let found = sqlx::query("select from waybill where record_id = $1")
                .bind(snapshot.key.id.to_string())
                .fetch_optional(self.db())
                .await
                .unwrap();
            found.map(drop)
        })
        .await;
    }

    /// An order that all of its systems have waited for since a time.
    pub(crate) async fn hear_waiting(&self, number: u64, since: &str) {
        let since: Timestamp = since.parse().unwrap();
        self.hear_order(&placed(number, since)).await;
        sqlx::query("update line set waits_since = $2::timestamptz where record_id = $1")
            .bind(number.to_string())
            .bind(since.to_string())
            .execute(self.db())
            .await
            .unwrap();
    }

    /// A system has taken an order just now.
    pub(crate) async fn hear_receipt(&self, number: u64, system: &str) {
        self.hear_receipts(number, system, &[(1, wire::State::Applied)]).await;
    }

    /// A system said what became of an order's revisions, all at once; in the order of their settlements.
    pub(crate) async fn hear_receipts(&self, number: u64, system: &str, ends: &[(i64, wire::State)]) {
        let key = placed(number, self.now()).key;
        let message = |(settlement, (revision, state)): (i64, &(i64, wire::State))| {
            let receipt = wire::Receipt {
                service: "erp-sync".to_owned(),
                system: system.to_owned(),
                key: Some((&key).into()),
                from: *revision,
                to: Some(wire::Revision { epoch: 1, number: *revision }),
                state: (*state).into(),
                settled_at: Some(to_timestamp(self.now())),
                settlement,
                ..wire::Receipt::default()
            };
            Outgoing {
                subject: subjects::receipt("erp-sync", &system.parse().unwrap(), &key),
                headers: Vec::new(),
                payload: receipt.encode_to_vec().into(),
            }
        };
        let last = i64::try_from(ends.len()).unwrap();
        for outcome in self.road_of("erp-sync").publish((1..).zip(ends).map(message).collect()).await {
            outcome.unwrap();
        }
        wait_for_async("receipts to be heard", DEADLINE, async || {
            let sql = "select from line where record_id = $1 and system = $2 and settlement >= $3";
            let query = sqlx::query(sql).bind(number.to_string()).bind(system).bind(last);
            query.fetch_optional(self.db()).await.unwrap().map(drop)
        })
        .await;
    }

    /// How many records an open incident counts; none if it is not open.
    pub(crate) async fn open_count(&self, code: &str, system: &str) -> Option<i64> {
        let incidents = self.incidents(code).await;
        let open = incidents.into_iter().find(|one| one.resolved_at.is_none() && one.system == system);
        open.map(|incident| incident.count)
    }
}
