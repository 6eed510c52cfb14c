//! What a process says of the systems that it serves.

use std::{sync::Arc, time::Duration};

use waybill_domain::SystemName;
use waybill_proto::wire;

use crate::{
    engine::Engine,
    first_run,
    store::{self, systems},
};

/// How often it says so, if nothing happens.
const REPORT_EVERY: Duration = Duration::from_secs(5);

impl Engine {
    /// Says which systems this process serves and how they are.
    pub(crate) async fn report(self: Arc<Self>) -> anyhow::Result<()> {
        use prost::Message as _;
        let stop = self.stop_signal();
        while !stop.is_cancelled() {
            match self.system_reports().await {
                Ok(reports) => {
                    self.health().set("postgres", None);
                    for report in reports {
                        let Ok(system) = report.system.parse::<SystemName>() else { continue };
                        if !self.served().iter().any(|served| served.name == system) {
                            continue;
                        }
                        let subject = waybill_bus::subjects::system_report(&system, self.service());
                        let payload = report.encode_to_vec().into();
                        if let Err(error) = self.bus().announce(subject, payload).await {
                            tracing::debug!(%error, "the report was not sent");
                        }
                    }
                }
                Err(error) => self.health().set("postgres", Some(error.to_string())),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.report_wanted() => {}
                () = tokio::time::sleep(REPORT_EVERY) => {}
            }
        }
        Ok(())
    }

    /// How each system is.
    pub(crate) async fn system_reports(&self) -> sqlx::Result<Vec<wire::SystemReport>> {
        use wire::system_report::Condition;
        let at = waybill_proto::convert::to_timestamp(self.now());
        let plan = self.plan();
        let plan_hash = plan.hash.clone();
        let paused = store::flows::paused(self.pool()).await?;
        let paused_to = |system: &str| {
            let flows = plan.flows.iter().filter(|flow| flow.to.as_str() == system && paused.contains(&flow.name));
            flows.map(|flow| flow.name.clone()).collect::<Vec<_>>()
        };
        Ok(systems::all(self.pool())
            .await?
            .into_iter()
            .map(|state| wire::SystemReport {
                service: self.service().to_owned(),
                condition: match (state.paused, state.condition.as_str(), state.asking) {
                    (true, ..) => Condition::Paused,
                    (_, "unauthorized", _) => Condition::Unauthorized,
                    (_, "unavailable", _) => Condition::Unavailable,
                    (.., Some(_)) => Condition::Asking,
                    _ => Condition::Serving,
                }
                .into(),
                replica: self.replica().to_owned(),
                message: match state.asking {
                    Some(records) => first_run::message(&state.system, state.first_writes, records),
                    None if state.message.is_empty() => match paused_to(&state.system) {
                        flows if flows.is_empty() => String::new(),
                        flows => format!("paused flows: {}", flows.join(", ")),
                    },
                    None => state.message,
                },
                paused_flows: paused_to(&state.system),
                system: state.system,
                at: Some(at),
                plan_hash: plan_hash.clone(),
            })
            .collect())
    }
}
