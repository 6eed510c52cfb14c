//! `waybill pause` and `waybill resume`.

use clap::Args;
use console::{
    services::{Gathered, Services, Who},
    words,
};

use waybill_proto::wire::SystemReport;

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, table::Table, terminal::Terminal};

/// A system or a flow to pause or to resume.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The system, by its name in the plan.
    #[arg(required_unless_present = "flow")]
    system: Option<String>,
    /// Only this flow of the plan: its records wait, and the system's others go on.
    #[arg(long, conflicts_with = "system")]
    flow: Option<String>,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(
    command: Pause,
    paused: bool,
    place: &Place,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let who = Who { actor: actor(), reason: command.reason };
    match (command.system, command.flow) {
        (Some(system), _) => {
            let answers = services.pause(&system, paused, who).await;
            show(&services, &system, answers, terminal).await
        }
        (None, flow) => of_flow(&services, &flow.unwrap_or_default(), paused, who, terminal).await,
    }
}

async fn of_flow(
    services: &Services,
    flow: &str,
    paused: bool,
    who: Who,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let answers = services.pause_flow(flow, paused, who).await;
    let silent = terminal.unanswered(&answers.unanswered)?;
    for (service, ()) in &answers.found {
        terminal.line(&format!("flow '{flow}' is {} in {service}", if paused { "paused" } else { "resumed" }))?;
    }
    if answers.found.is_empty() {
        terminal.problem(format!("no service that answers has the flow '{flow}' in its plan"))?;
        return Ok(if silent { CANNOT_TELL } else { NOT_WELL });
    }
    Ok(if silent { CANNOT_TELL } else { WELL })
}

/// Shows how a system is after something was done to it, in every service that serves it.
pub(super) async fn show(
    services: &Services,
    system: &str,
    answers: Gathered<Vec<SystemReport>>,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let silent = terminal.unanswered(&answers.unanswered)?;
    if answers.found.is_empty() {
        return nobody(services, system, silent, terminal).await;
    }
    let mut table = Table::new(&["system", "condition", "service", "message"]);
    for (service, reports) in &answers.found {
        for report in reports {
            table.row([
                report.system.clone(),
                words::condition(report.condition()).to_owned(),
                service.clone(),
                report.message.clone(),
            ]);
        }
    }
    table.write(terminal.out, "")?;
    Ok(if silent { CANNOT_TELL } else { WELL })
}

async fn nobody(services: &Services, system: &str, silent: bool, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let known: Vec<String> = services.system_names().await.into_iter().collect();
    terminal.problem(format!("no service that answers serves '{system}'; they serve: {}", known.join(", ")))?;
    Ok(if silent { CANNOT_TELL } else { NOT_WELL })
}
