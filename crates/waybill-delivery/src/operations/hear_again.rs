//! A record is heard from its source once more, as a person asks.

use tonic::Status;
use waybill_domain::RecordKey;
use waybill_proto::wire::HearAgainRequest;

use super::{receipts, unavailable};
use crate::{engine::Engine, intake::Heard};

/// Gives how many deliveries have something new of it.
pub(super) async fn hear(engine: &Engine, request: HearAgainRequest) -> Result<i64, Status> {
    if request.actor.is_empty() || request.reason.is_empty() {
        return Err(Status::invalid_argument("it needs who and why: give 'actor' and 'reason'"));
    }
    let told = request.key.ok_or_else(|| Status::invalid_argument("'key' is missing"))?;
    let key = RecordKey::try_from(&told).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let plan = engine.plan();
    if !plan.systems_for(&key.store, key.kind).any(|system| engine.is_ours(&plan, system, key.kind)) {
        return Err(Status::not_found(format!(
            "{} brings no {} of '{}' anywhere",
            engine.service(),
            key.kind,
            key.store
        )));
    }
    let unheard = |error: anyhow::Error| {
        tracing::warn!(error = format!("{error:#}"), record = %key, "it cannot be heard from its source");
        Status::unavailable("its source does not answer; try again")
    };
    let snapshot = engine.ask_source(&key).await.map_err(unheard)?;
    let snapshot = snapshot.ok_or_else(|| Status::not_found(format!("the source of {key} does not have it")))?;
    let heard = Heard { snapshot, traceparent: waybill_runtime::trace_context::current() };
    let changed = engine.take_as(vec![heard], true).await.map_err(unheard)?;
    // What was settled all the same is said, too.
    receipts::say_again(engine, &[told]).await?;
    engine.audit(&request.actor, "hear", "", &key.to_string(), &request.reason).await.map_err(unavailable)?;
    Ok(i64::try_from(changed).unwrap_or(i64::MAX))
}
