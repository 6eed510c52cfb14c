//! A person stops a system or a flow, and lets it go on.

use tonic::Status;
use waybill_domain::SystemName;
use waybill_proto::wire::{PauseRequest, SystemsResponse};
use waybill_runtime::database;

use super::unavailable;
use crate::{
    engine::Engine,
    first_run::What,
    store::{flows, systems},
};

pub(super) async fn pause(engine: &Engine, request: PauseRequest) -> Result<SystemsResponse, Status> {
    let PauseRequest { system, paused, actor, reason, flow } = request;
    let action = if paused { "pause" } else { "resume" };
    let (system, action) = match flow.as_str() {
        "" => (of_system(engine, &system, paused).await?, action.to_owned()),
        flow => (of_flow(engine, flow, paused, &actor).await?, format!("{action} flow {flow}")),
    };
    engine.audit(&actor, &action, system.as_str(), "", &reason).await.map_err(unavailable)?;
    engine.looked().forget(What::LetGo);
    engine.report_systems_now();
    engine.wake_workers();
    Ok(SystemsResponse { systems: engine.system_reports().await.map_err(unavailable)? })
}

async fn of_system(engine: &Engine, system: &str, paused: bool) -> Result<SystemName, Status> {
    let system: SystemName = system.parse().map_err(|error| Status::invalid_argument(format!("{error}")))?;
    // A worker takes its system up a moment after the start: a pause is not to wait for it.
    if let Some(served) = engine.served().iter().find(|served| served.name == system) {
        let enlisted = systems::enlist(engine.pool(), system.as_str(), served.paused, served.released).await;
        enlisted.map_err(unavailable)?;
    }
    if !systems::pause(engine.pool(), system.as_str(), paused).await.map_err(unavailable)? {
        return Err(Status::not_found(format!("{} does not serve '{system}'", engine.service())));
    }
    Ok(system)
}

/// The flow's records wait, or are decided anew: workers look for those of a resumed flow. Gives the flow's system.
async fn of_flow(engine: &Engine, name: &str, paused: bool, actor: &str) -> Result<SystemName, Status> {
    let plan = engine.plan();
    let flow = plan.flows.iter().find(|flow| flow.name == name);
    let flow = flow.filter(|flow| engine.is_ours(&plan, &flow.to, flow.kind));
    let flow = flow.ok_or_else(|| Status::not_found(format!("{} serves no flow '{name}'", engine.service())))?;
    let outcome = async {
        let mut transaction = database::begin(engine.pool()).await?;
        engine.note_flows(&mut transaction, &plan).await?;
        flows::pause(&mut transaction, name, paused, actor).await?;
        transaction.commit().await
    };
    outcome.await.map_err(unavailable)?;
    Ok(flow.to.clone())
}
