//! `waybill hear`: a record is heard from its source once more.

use clap::Args;
use console::services::{self, Who};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, record::meant, terminal::Terminal};

/// A record that is to be heard again.
#[derive(Debug, Args)]
pub(crate) struct Hear {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    /// Why; kept with who and when.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Hear, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let meant = meant(&services, &command.record).await;
    let silent = terminal.unanswered(&meant.unanswered)?;
    let key = match &meant.keys[..] {
        [] => return super::trace::nothing(&command.record, silent, terminal),
        [key] => key,
        several => {
            let keys: Vec<String> = several.iter().map(services::written).collect();
            terminal.problem(format!("{} may mean {}: say which", command.record, keys.join(" or ")))?;
            return Ok(NOT_WELL);
        }
    };
    let changed = services.hear_again(key, Who { actor: actor(), reason: command.reason }).await;
    let silent = terminal.unanswered(&changed.unanswered)?;
    terminal.line(&match changed.deliveries {
        0 => format!(
            "{}: no delivery of it is gone or behind; what is settled was said once more",
            services::written(key)
        ),
        1 => format!("{}: 1 delivery has something to do", services::written(key)),
        many => format!("{}: {many} deliveries have something to do", services::written(key)),
    })?;
    Ok(if silent { CANNOT_TELL } else { WELL })
}
