//! Which deliveries wait for a person, as the services say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgPool;
use waybill_plan::Plan;
use waybill_proto::wire::{ListApprovalsRequest, RecordKey, deliveries_client::DeliveriesClient};
use waybill_runtime::grpc::PeerChannel;

/// Asks every delivering service, and keeps what it says. What one that does not answer has said stays.
pub(crate) async fn ask(
    pool: &PgPool,
    plan: &Plan,
    peers: &BTreeMap<String, PeerChannel>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let is_asked_for = plan.flows.iter().any(|flow| flow.approval_condition().is_some());
    for (service, channel) in peers {
        if service == "shopify-ingest" {
            continue;
        }
        // A plan that no longer asks ends what waits.
        let waiting = if is_asked_for { waiting(channel.clone()).await } else { Ok(Vec::new()) };
        match waiting {
            Ok(waiting) => keep(pool, service, &waiting, now).await?,
            Err(error) => tracing::warn!(service, %error, "does not say what waits for a person"),
        }
    }
    sqlx::query(
        "delete from approval_seen a where not exists (
             select from line l
             where (l.store, l.kind, l.record_id, l.system) = (a.store, a.kind, a.record_id, a.system)
                 and l.waits_since is not null) and a.over_at is not null",
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn waiting(channel: PeerChannel) -> Result<Vec<(String, RecordKey)>, tonic::Status> {
    let mut client = DeliveriesClient::new(channel);
    let mut all = Vec::new();
    loop {
        let offset = i32::try_from(all.len()).unwrap_or(i32::MAX);
        let request = ListApprovalsRequest { offset, ..ListApprovalsRequest::default() };
        let page = client.list_approvals(request).await?.into_inner().approvals;
        if page.is_empty() {
            return Ok(all);
        }
        let deliveries = page.into_iter().filter_map(|approval| approval.delivery);
        all.extend(deliveries.filter_map(|delivery| Some((delivery.system, delivery.key?))));
    }
}

async fn keep(pool: &PgPool, service: &str, waiting: &[(String, RecordKey)], now: Timestamp) -> sqlx::Result<()> {
    let column = |pick: fn(&(String, RecordKey)) -> String| waiting.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(
        "with said as (
             select distinct * from unnest($2::text[], $3::text[], $4::text[], $5::text[])
                 as s (system, store, kind, record_id)
         ), over as (
             update approval_seen a set over_at = $6::timestamptz
             where a.service = $1 and a.over_at is null
                 and not exists (
                     select from said s
                     where (s.system, s.store, s.kind, s.record_id) = (a.system, a.store, a.kind, a.record_id))
         )
         insert into approval_seen as a (service, system, store, kind, record_id)
         select $1, * from said
         on conflict (store, kind, record_id, system) do update set service = excluded.service, over_at = null
         where a.over_at is not null or a.service <> excluded.service",
    )
    .bind(service)
    .bind(column(|(system, _)| system.clone()))
    .bind(column(|(_, key)| key.store.clone()))
    .bind(column(|(_, key)| key.kind.clone()))
    .bind(column(|(_, key)| key.id.clone()))
    .bind(now.to_string())
    .execute(pool)
    .await?;
    Ok(())
}
