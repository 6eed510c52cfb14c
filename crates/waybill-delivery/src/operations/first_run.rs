//! A person's word that a system's first run may create as much as it will.

use tonic::Status;
use waybill_domain::SystemName;
use waybill_proto::wire::{ReleaseRequest, SystemReport};

use super::unavailable;
use crate::engine::Engine;

/// Releases a system, with an audit row. Gives every system's report after it.
pub(super) async fn release(engine: &Engine, request: ReleaseRequest) -> Result<Vec<SystemReport>, Status> {
    let system: SystemName = request.system.parse().map_err(|error| Status::invalid_argument(format!("{error}")))?;
    if !engine.release(system.as_str(), &request.actor).await.map_err(unavailable)? {
        return Err(Status::not_found(format!("{} does not serve '{system}'", engine.service())));
    }
    engine.audit(&request.actor, "release", system.as_str(), "", &request.reason).await.map_err(unavailable)?;
    engine.report_systems_now();
    engine.system_reports().await.map_err(unavailable)
}
