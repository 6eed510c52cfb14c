//! The road can be lost: what JetStream keeps is a copy.

use std::time::Duration;

use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// Streams are made again within seconds, and sources are compared with each minute.
const WITHIN: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_wiped_while_everything_runs_are_made_again_and_nothing_is_missing() {
    let Some(mut suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell("TEE-WHITE-S").await;
    let nats = &mut suite.deployment.nats;
    nats.kill();
    nats.wipe_store().unwrap();
    // Taken without a road, and said on one that has no streams yet.
    suite.sell("TEE-WHITE-S").await;
    suite.deployment.nats.restart().unwrap();
    suite.sell("TEE-WHITE-S").await;
    wait_for_async("three orders in the ERP", WITHIN, async || {
        suite.is_settled("order", "erp")?;
        (suite.accepted("order", "erp") >= 3).then_some(())
    })
    .await;
    assert_eq!(suite.stop().await, Some(0));
}

/// By PostgreSQL's clock, which is the services' own, everything that happened so far is an hour older.
const AN_HOUR_PASSES: &str = "do $$ declare c record; begin
    for c in select table_schema, table_name, column_name from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where data_type = 'timestamp with time zone' and table_type = 'BASE TABLE' and table_name not like '\\_%'
            and table_schema not in ('pg_catalog', 'information_schema')
        order by 1, 2, 3
    loop
        execute format('update %I.%I set %I = %I - interval ''1 hour'' where isfinite(%I)',
            c.table_schema, c.table_name, c.column_name, c.column_name, c.column_name);
    end loop;
end $$";

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_a_road_costs_delay_only() {
    let Some(mut suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell("TEE-WHITE-S").await;
    wait_for_async("the first order in the ERP", WITHIN, async || suite.is_settled("order", "erp")).await;
    suite.deployment.nats.kill();
    suite.sell("TEE-WHITE-S").await;
    let waiting = "select count(*) from shopify_ingest.outbox where subject like 'store.v1.order.%'";
    wait_for_async("what is to be said of the order", WITHIN, async || {
        (suite.sql(waiting).trim() != "0").then_some(())
    })
    .await;
    // What a service has in hand may stand in the way of this one.
    wait_for_async("an hour to pass", WITHIN, async || suite.deployment.database.url().run(AN_HOUR_PASSES).ok()).await;
    let unsaid = "select count(*) from shopify_ingest.outbox where subject like 'store.v1.order.%'
        and created_at < now() - interval '59 minutes'";
    assert_ne!(suite.sql(unsaid).trim(), "0", "it is not said, and not forgotten");
    suite.sell("TEE-WHITE-S").await;
    suite.deployment.nats.restart().unwrap();
    wait_for_async("three orders in the ERP", WITHIN, async || {
        suite.is_settled("order", "erp")?;
        (suite.accepted("order", "erp") >= 3).then_some(())
    })
    .await;
    assert_eq!(suite.sql("select count(*) from erp_sync.delivery where state = 'parked'").trim(), "0");
    assert_eq!(suite.stop().await, Some(0));
}
