//! Tables as they are after years: records that are settled, whose bodies their consumers have given up.

use waybill_testkit::PostgresUrl;

/// A snapshot's size, of bytes that do not compress to nothing.
const SNAPSHOT: &str =
    "(select string_agg(sha512((n || ':' || part)::text::bytea), '') from generate_series(1, 24) part)";

/// Puts so many orders into every table that keeps a row for each, as delivered to the three systems.
pub(super) fn fill(database: &PostgresUrl, records: u64) -> anyhow::Result<()> {
    let orders = format!("generate_series(1, {records}) n");
    let id = "(1000000000000 + n)::text";
    let delivery = |system: &str| {
        format!(
            "insert into crm_sync.delivery (system, store, kind, record_id, name, target_key, desired_epoch,
                 desired_number, desired, applied_epoch, applied_number, applied_hash, settled_epoch, settled_number,
                 settlement, state, external_id, known, settled_at, body_removed_at, changed_at)
             select '{system}', 'main', 'order', {id}, '#' || n, 'order-main-' || {id}, 1, 1, '', 1, 1,
                 sha256({id}::bytea), 1, 1, 1, 'applied', {id}, json_build_object('order', {id})::jsonb,
                 now() - interval '100 days', now() - interval '1 day', now() - interval '100 days'
             from {orders}"
        )
    };
    let mut statements = vec![
        format!(
            "insert into crm_sync.buyer_order (store, order_id, buyer, epoch, number, counts, spent, placed_at)
             select 'main', {id}, 'order-main-' || {id}, 1, 1, true, 10, now() - interval '100 days' from {orders}"
        ),
        format!(
            "insert into shopify_ingest.record (store, kind, record_id, name, number, content_hash, snapshot, changed_at)
             select 'main', 'order', {id}, '#' || n, 1, sha256({id}::bytea), {SNAPSHOT}, now() - interval '100 days'
             from {orders}"
        ),
        format!(
            "insert into alerter.waybill (store, kind, record_id, name, changed_at)
             select 'main', 'order', {id}, '#' || n, now() - interval '100 days' from {orders}"
        ),
    ];
    for system in ["crm", "crm-2", "crm-3"] {
        statements.push(delivery(system));
        statements.push(format!(
            "insert into alerter.line (store, kind, record_id, system, service, accepted_epoch, accepted_number,
                 settled_epoch, settled_number, settlement, state, end_state, settled, applied, settled_at, changed_at)
             select 'main', 'order', {id}, '{system}', 'crm-sync', 1, 1, 1, 1, 1, 'applied', 'applied', true, 1,
                 now() - interval '100 days', now() - interval '100 days'
             from {orders}"
        ));
    }
    statements.push("vacuum (analyze)".to_owned());
    statements.push("checkpoint".to_owned());
    for statement in statements {
        database.run(&statement)?;
    }
    Ok(())
}
