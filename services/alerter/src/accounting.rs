//! accepted = applied + superseded + ignored + parked + in flight + gap

use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgPool;
use tokio::sync::watch;
use waybill_delivery::tally::Tally;
use waybill_domain::Kind;
use waybill_plan::Plan;
use waybill_proto::wire::{
    AccountingLine, AccountingResponse, CountAcceptedRequest, CountInFlightRequest,
    deliveries_client::DeliveriesClient, source_client::SourceClient,
};
use waybill_runtime::{Metrics, database, grpc::PeerChannel};

/// The services that are a source of records.
pub(crate) const SOURCES: [&str; 4] = ["shopify-ingest", "fulfilment-sync", "inventory-router", "erp-sync"];
/// The services that deliver records.
pub(crate) const DELIVERERS: [&str; 4] = ["erp-sync", "crm-sync", "fulfilment-sync", "inventory-router"];

/// Every service that the line asks.
pub(crate) const PEERS: [&str; 5] = ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync"];

/// The ends of all lines.
pub(crate) const ENDS: Tally = Tally {
    kept: "line_tally",
    of: "line",
    counted: "true",
    by: "store, kind, system",
    sums: &[
        ("applied", "sum(applied)"),
        ("superseded", "sum(superseded)"),
        ("ignored", "sum(ignored)"),
        ("parked", "sum(parked)"),
    ],
};

/// Adds up the line, each term from its own place.
#[derive(Clone)]
pub(crate) struct Accounting {
    pub(crate) pool: PgPool,
    pub(crate) plan: watch::Receiver<Arc<Plan>>,
    pub(crate) peers: BTreeMap<String, PeerChannel>,
    pub(crate) metrics: Metrics,
}

type Place = (String, String, String);

impl Accounting {
    /// The line per store, kind and system of the plan.
    pub(crate) async fn lines(&self) -> sqlx::Result<AccountingResponse> {
        let mut unreachable = Vec::new();
        let plan = Arc::clone(&self.plan.borrow());
        // Accepted is asked first and the ends last: what moves meanwhile shows as an end too many, never as a record
        // that is lost.
        let accepted = self.accepted(&mut unreachable).await;
        let in_flight = self.in_flight(&mut unreachable).await;
        let ends = self.ends().await?;
        let mut lines = Vec::new();
        for store in plan.stores.keys() {
            for kind in Kind::ALL {
                for system in plan.systems_for(store, kind) {
                    let place = (store.to_string(), kind.to_string(), system.to_string());
                    let ends = ends.get(&place).copied().unwrap_or_default();
                    let accepted = accepted.get(&(place.0.clone(), place.1.clone())).copied().unwrap_or(0);
                    let in_flight = in_flight.get(&place).copied().unwrap_or(0);
                    let [applied, superseded, ignored, parked] = ends;
                    lines.push(AccountingLine {
                        store: place.0,
                        kind: place.1,
                        system: place.2,
                        accepted,
                        applied,
                        superseded,
                        ignored,
                        parked,
                        in_flight,
                        gap: accepted - applied - superseded - ignored - parked - in_flight,
                    });
                }
            }
        }
        unreachable.sort();
        unreachable.dedup();
        Ok(AccountingResponse { lines, unreachable })
    }

    async fn accepted(&self, unreachable: &mut Vec<String>) -> BTreeMap<(String, String), i64> {
        let mut counts = BTreeMap::new();
        for name in SOURCES {
            let Some(channel) = self.peers.get(name) else {
                unreachable.push(name.to_owned());
                continue;
            };
            match SourceClient::new(channel.clone()).count_accepted(CountAcceptedRequest {}).await {
                Ok(answer) => {
                    for count in answer.into_inner().counts {
                        *counts.entry((count.store, count.kind)).or_insert(0) += count.revisions;
                    }
                }
                Err(error) => {
                    tracing::warn!(service = name, %error, "does not say what it accepted");
                    unreachable.push(name.to_owned());
                }
            }
        }
        counts
    }

    async fn in_flight(&self, unreachable: &mut Vec<String>) -> BTreeMap<Place, i64> {
        let mut counts = BTreeMap::new();
        for name in DELIVERERS {
            let Some(channel) = self.peers.get(name) else {
                unreachable.push(name.to_owned());
                continue;
            };
            match DeliveriesClient::new(channel.clone()).count_in_flight(CountInFlightRequest {}).await {
                Ok(answer) => {
                    for count in answer.into_inner().counts {
                        *counts.entry((count.store, count.kind, count.system)).or_insert(0) += count.revisions;
                    }
                }
                Err(error) => {
                    tracing::warn!(service = name, %error, "does not say what is in flight");
                    unreachable.push(name.to_owned());
                }
            }
        }
        counts
    }

    async fn ends(&self) -> sqlx::Result<BTreeMap<Place, [i64; 4]>> {
        ENDS.fold(&self.pool).await?;
        let rows: Vec<(String, String, String, i64, i64, i64, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(ENDS.question())).fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|(store, kind, system, applied, superseded, ignored, parked)| {
                ((store, kind, system), [applied, superseded, ignored, parked])
            })
            .collect())
    }

    /// Whether there was a gap here the last time already: most are messages under way.
    async fn stands(&self, line: &AccountingLine) -> sqlx::Result<bool> {
        if line.gap == 0 {
            return Ok(false);
        }
        sqlx::query_scalar(
            "select coalesce((select gap <> 0 from gap_seen where (store, kind, system) = ($1, $2, $3)
                 order by seen_at desc limit 1), false)",
        )
        .bind(&line.store)
        .bind(&line.kind)
        .bind(&line.system)
        .fetch_one(&self.pool)
        .await
    }

    async fn note_unreachable(&self, services: &[String]) -> sqlx::Result<()> {
        sqlx::query(
            "with gone as (delete from unreachable where service <> all($1))
             insert into unreachable (service) select unnest($1::text[])
             on conflict (service) do update set seen_at = now()",
        )
        .bind(services)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes gaps down, and forgets those older than a few minutes.
    pub(crate) async fn note_gaps(&self) -> anyhow::Result<()> {
        let answer = self.lines().await?;
        // Whoever has no address here is meant to be away, and said so where the lines are shown.
        let silent: Vec<String> =
            answer.unreachable.iter().filter(|service| self.peers.contains_key(*service)).cloned().collect();
        self.note_unreachable(&silent).await?;
        if !answer.unreachable.is_empty() {
            // A missing term is no gap.
            return Ok(());
        }
        let mut records = Vec::new();
        for line in &answer.lines {
            records.push(if self.stands(line).await? {
                self.records_of(line).await.unwrap_or_else(|error| {
                    tracing::warn!(error = format!("{error:#}"), "the records of a gap cannot be told");
                    Vec::new()
                })
            } else {
                Vec::new()
            });
        }
        let mut transaction = database::begin(&self.pool).await?;
        sqlx::query("delete from gap_seen where seen_at < now() - interval '5 minutes'")
            .execute(&mut *transaction)
            .await?;
        for (line, records) in answer.lines.into_iter().zip(records) {
            let labels =
                [("store", line.store.as_str()), ("kind", line.kind.as_str()), ("system", line.system.as_str())];
            self.metrics.set("waybill_accounting_gap", &labels, line.gap);
            self.metrics.set("waybill_accounting_in_flight", &labels, line.in_flight);
            self.metrics.set("waybill_accounting_parked", &labels, line.parked);
            sqlx::query("insert into gap_seen (store, kind, system, gap, records) values ($1, $2, $3, $4, $5)")
                .bind(&line.store)
                .bind(&line.kind)
                .bind(&line.system)
                .bind(line.gap)
                .bind(sqlx::types::Json(records))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
