//! `waybill webhooks`: what was received and gave no record, and what was found although it was not received.

use clap::Args;
use console::{services::Services, words};

use super::{CANNOT_TELL, WELL, Where, place::Place, table::Table, terminal::Terminal};

/// Webhooks by outcome.
#[derive(Debug, Args)]
pub(crate) struct Webhooks {
    /// unreadable, unknown, stale, echo, refetch, refetched, applied or new. Without it: how many came to what.
    #[arg(long)]
    outcome: Option<String>,
    /// The newest so many.
    #[arg(long, default_value_t = 50)]
    limit: i32,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Webhooks, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let mut table;
    match &command.outcome {
        None => {
            let counts = match services.webhook_counts().await {
                Ok(counts) => counts,
                Err(unanswered) => {
                    terminal.problem(unanswered)?;
                    return Ok(CANNOT_TELL);
                }
            };
            table = Table::new(&["store", "topic", "outcome", "#webhooks"]);
            for count in counts {
                table.row([count.store, count.topic, count.outcome, count.webhooks.to_string()]);
            }
            table.write(terminal.out, "")?;
            return not_received(&services, terminal).await;
        }
        Some(outcome) => {
            let webhooks = match services.webhooks(outcome, command.limit).await {
                Ok(webhooks) => webhooks,
                Err(unanswered) => {
                    terminal.problem(unanswered)?;
                    return Ok(CANNOT_TELL);
                }
            };
            if outcome == "unreadable" {
                let why = words::explain("unreadable_webhook");
                terminal.explain(why.meaning, "Look at the message; the record comes with its next change.", "")?;
                terminal.gap()?;
            }
            table = Table::new(&["#id", "received", "store", "topic", "#bytes", "webhook id", "message"]);
            for webhook in webhooks {
                table.row([
                    webhook.id.to_string(),
                    terminal.time(words::instant(webhook.received_at)),
                    webhook.store,
                    webhook.topic,
                    webhook.body_bytes.to_string(),
                    webhook.webhook_id,
                    webhook.message,
                ]);
            }
        }
    }
    table.write(terminal.out, "")?;
    Ok(WELL)
}

/// What comparing with the stores found, and how their subscriptions are.
async fn not_received(services: &Services, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let (compared, audits) = match tokio::try_join!(services.reconciliations(), services.subscription_audits()) {
        Ok(both) => both,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    terminal.gap()?;
    terminal.line("Found by asking the store, as no webhook told it:")?;
    let mut table = Table::new(&["store", "kind", "#compared", "#missing", "#old", "#gone", "compared to", "message"]);
    for one in compared {
        table.row([
            one.store,
            one.kind,
            one.compared.to_string(),
            one.missing.to_string(),
            one.old.to_string(),
            one.gone.to_string(),
            terminal.time(words::instant(one.compared_to)),
            one.message,
        ]);
    }
    table.write(terminal.out, "  ")?;
    terminal.gap()?;
    terminal.line("Webhook subscriptions:")?;
    let mut table = Table::new(&["store", "audited", "#right", "#repaired", "where to", "message"]);
    for audit in audits {
        table.row([
            audit.store,
            terminal.time(words::instant(audit.audited_at)),
            audit.right.to_string(),
            audit.repaired.to_string(),
            audit.callback_url,
            audit.message,
        ]);
    }
    table.write(terminal.out, "  ")?;
    Ok(WELL)
}
