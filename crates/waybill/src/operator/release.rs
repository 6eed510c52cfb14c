//! `waybill release`: a system's first run may create as much as it will.

use clap::Args;
use console::services::Who;

use super::{Where, actor, pause, place::Place, terminal::Terminal};

/// A system to release, for good.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The system, by its name in the plan.
    system: String,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Release, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let who = Who { actor: actor(), reason: command.reason };
    let answers = services.release(&command.system, who).await;
    pause::show(&services, &command.system, answers, terminal).await
}
