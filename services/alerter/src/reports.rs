//! Systems' conditions, as services say them.

use prost::Message as _;
use sqlx::PgPool;
use waybill_proto::wire::{SystemReport, system_report::Condition};

/// The word for a condition, as tables and pages have it.
fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Serving | Condition::Unspecified => "serving",
        Condition::Unauthorized => "unauthorized",
        Condition::Unavailable => "unavailable",
        Condition::Paused => "paused",
        Condition::Asking => "asking",
    }
}

/// Keeps one report.
pub(crate) async fn keep(pool: &PgPool, payload: &[u8]) -> anyhow::Result<()> {
    let report = SystemReport::decode(payload)?;
    sqlx::query(
        "insert into system_seen as s (system, service, condition, message, plan_hash, paused_flows)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (system, service) do update set
             since = case when s.condition = excluded.condition then s.since else now() end,
             condition = excluded.condition, message = excluded.message, seen_at = now(),
             plan_hash = excluded.plan_hash, paused_flows = excluded.paused_flows",
    )
    .bind(&report.system)
    .bind(&report.service)
    .bind(word(report.condition()))
    .bind(&report.message)
    .bind(&report.plan_hash)
    .bind(&report.paused_flows)
    .execute(pool)
    .await?;
    Ok(())
}
