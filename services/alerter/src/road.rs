//! The watch keeps the road: streams and consumers that are gone or were changed are made as they should be.

use waybill_bus::{Bus, topology};
use waybill_runtime::Metrics;

/// Looks once. What was lost with a stream is heard from its source's tables, see the engine's comparison.
pub(crate) async fn keep(bus: &Bus, replicas: Option<usize>, metrics: &Metrics) -> anyhow::Result<()> {
    if !bus.connected() {
        return Ok(());
    }
    for repaired in topology::ensure(bus.context(), replicas).await? {
        tracing::warn!(repaired, "streams and consumers were not as they should be");
        metrics.add("waybill_road_repairs_total", &[("what", repaired.as_str())], 1);
    }
    Ok(())
}
