//! `waybill status`: whether all is well.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use console::{
    services::{Overview, Verdict},
    words,
};
use serde::Serialize;
use waybill_proto::wire::system_report::Condition;

use super::{
    CANNOT_TELL, NOT_WELL, WELL, Where,
    accounting::{self, LineJson},
    incidents::{self, IncidentJson},
    place::Place,
    table::Table,
    terminal::Terminal,
};

/// Whether all is well.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// One JSON object. What could not be asked is absent, never 0 or empty.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// The status as programs read it.
#[derive(Debug, Serialize)]
struct StatusJson<'a> {
    /// `well`, `not_well` or `cannot_tell`.
    verdict: &'static str,
    reasons: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    accounting: Option<Vec<LineJson<'a>>>,
    systems: Vec<SystemJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Vec<IncidentJson<'a>>>,
    /// Webhooks by outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<BTreeMap<&'a str, i64>>,
    /// Services that gave no answer, to us or to the watch.
    unreachable: BTreeSet<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest_page_s: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SystemJson<'a> {
    system: &'a str,
    service: &'a str,
    condition: &'static str,
    message: &'a str,
}

pub(super) async fn run(command: Status, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let overview = place.services(&command.at)?.overview().await;
    let verdict = overview.verdict();
    if command.json {
        terminal.json(&as_json(&overview, &verdict))?;
    } else {
        write(&overview, &verdict, terminal)?;
        if let Some(console) = place.console(&command.at) {
            terminal.line(&format!("console {console}"))?;
        }
    }
    Ok(match verdict {
        Verdict::Well => WELL,
        Verdict::NotWell(_) => NOT_WELL,
        Verdict::CannotTell(_) => CANNOT_TELL,
    })
}

const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Unspecified => "unknown",
        Condition::Serving => "serving",
        Condition::Unauthorized => "unauthorized",
        Condition::Unavailable => "unavailable",
        Condition::Paused => "paused",
        Condition::Asking => "asking",
    }
}

fn as_json<'a>(overview: &'a Overview, verdict: &'a Verdict) -> StatusJson<'a> {
    let (word, reasons): (_, &[String]) = match verdict {
        Verdict::Well => ("well", &[]),
        Verdict::NotWell(why) => ("not_well", why),
        Verdict::CannotTell(why) => ("cannot_tell", why),
    };
    let silent = overview.services.iter().filter(|service| service.problem.is_some());
    StatusJson {
        verdict: word,
        reasons,
        accounting: overview.accounting.as_ref().ok().map(|lines| lines.iter().map(LineJson::from).collect()),
        systems: overview
            .systems
            .iter()
            .map(|health| SystemJson {
                system: &health.system,
                service: &health.service,
                condition: condition(health.condition),
                message: &health.message,
            })
            .collect(),
        incidents: overview.incidents.as_ref().ok().map(|open| open.iter().map(IncidentJson::from).collect()),
        webhooks: outcomes(overview),
        unreachable: silent
            .map(|service| service.name.as_str())
            .chain(overview.unheard.iter().map(String::as_str))
            .collect(),
        slowest_page_s: overview.slowest_page_ms.map(|milliseconds| milliseconds as f64 / 1000.0),
    }
}

fn outcomes(overview: &Overview) -> Option<BTreeMap<&str, i64>> {
    let mut outcomes = BTreeMap::new();
    for count in overview.webhooks.as_ref().ok()? {
        *outcomes.entry(count.outcome.as_str()).or_insert(0) += count.webhooks;
    }
    Some(outcomes)
}

fn write(overview: &Overview, verdict: &Verdict, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let (title, reasons): (_, &[String]) = match verdict {
        Verdict::Well => ("all is well", &[]),
        Verdict::NotWell(why) => ("not well", why),
        Verdict::CannotTell(why) => ("cannot be told", why),
    };
    terminal.line(title)?;
    for reason in reasons {
        terminal.line(&format!("  {reason}"))?;
    }
    terminal.gap()?;
    services(overview, terminal)?;
    terminal.gap()?;
    systems(overview, terminal)?;
    terminal.gap()?;
    match &overview.accounting {
        Ok(lines) => accounting::write(lines, terminal)?,
        Err(unanswered) => terminal.line(&format!("accounting is not known: {unanswered}"))?,
    }
    for incident in overview.incidents.iter().flatten() {
        terminal.gap()?;
        incidents::write(incident, terminal)?;
    }
    terminal.gap()?;
    let webhooks = match outcomes(overview) {
        None => "not known".to_owned(),
        Some(outcomes) if outcomes.is_empty() => "none yet".to_owned(),
        Some(outcomes) => {
            let words: Vec<_> = outcomes.iter().map(|(outcome, number)| format!("{number} {outcome}")).collect();
            words.join(", ")
        }
    };
    terminal.line(&format!("webhooks: {webhooks}"))?;
    if let Some(milliseconds) = overview.slowest_page_ms {
        terminal.line(&format!("slowest page so far: {:.1} s after the parking", milliseconds as f64 / 1000.0))?;
    }
    Ok(())
}

fn services(overview: &Overview, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["service", "answers", "address"]);
    for service in &overview.services {
        let heard = overview.unheard.contains(&service.name);
        let answers = match &service.problem {
            None if heard => "yes, but not to the watch".to_owned(),
            None => "yes".to_owned(),
            Some(problem) => format!("no: {problem}"),
        };
        table.row([service.name.clone(), answers, service.url.clone()]);
    }
    table.write(terminal.out, "")?;
    Ok(())
}

fn systems(overview: &Overview, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["system", "condition", "service", "reported", "message"]);
    for health in &overview.systems {
        table.row([
            health.system.clone(),
            words::condition(health.condition).to_owned(),
            health.service.clone(),
            terminal.since(health.at),
            health.message.clone(),
        ]);
    }
    table.write(terminal.out, "")?;
    Ok(())
}
