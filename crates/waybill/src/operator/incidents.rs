//! `waybill incidents`: what is wrong, what it means and what to do.

use std::io;

use clap::Args;
use console::{services, words};
use jiff::Timestamp;
use serde::Serialize;
use waybill_proto::wire::Incident;

use super::{CANNOT_TELL, WELL, Where, place::Place, terminal::Terminal};

/// So many records are named; the rest is in `waybill parked list`.
const NAMED: usize = 10;

/// Incidents.
#[derive(Debug, Args)]
pub(crate) struct Incidents {
    /// Resolved ones too.
    #[arg(long)]
    all: bool,
    /// A JSON array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// An incident as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct IncidentJson<'a> {
    id: i64,
    system: &'a str,
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    meaning: &'a str,
    action: &'a str,
    detail: &'a str,
    count: i64,
    records: Vec<String>,
    opened_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paged_at: Option<Timestamp>,
}

impl<'a> From<&'a Incident> for IncidentJson<'a> {
    fn from(incident: &'a Incident) -> Self {
        Self {
            id: incident.id,
            system: &incident.system,
            code: &incident.code,
            severity: &incident.severity,
            title: &incident.title,
            meaning: &incident.meaning,
            action: &incident.action,
            detail: &incident.detail,
            count: incident.count,
            records: incident.records.iter().map(services::written).collect(),
            opened_at: words::instant(incident.opened_at),
            resolved_at: words::instant(incident.resolved_at),
            paged_at: words::instant(incident.paged_at),
        }
    }
}

pub(super) async fn run(command: Incidents, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let incidents = match place.services(&command.at)?.incidents(command.all).await {
        Ok(answer) => answer.incidents,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    if command.json {
        terminal.json(&incidents.iter().map(IncidentJson::from).collect::<Vec<_>>())?;
    } else if incidents.is_empty() {
        terminal.line(if command.all { "no incident so far" } else { "no incident is open" })?;
    } else {
        for (index, incident) in incidents.iter().enumerate() {
            if index > 0 {
                terminal.gap()?;
            }
            write(incident, terminal)?;
        }
    }
    Ok(WELL)
}

/// One incident in a few lines.
pub(super) fn write(incident: &Incident, terminal: &mut Terminal<'_>) -> io::Result<()> {
    let system = if incident.system.is_empty() { String::new() } else { format!("{}: ", incident.system) };
    let count =
        if incident.count > 0 { format!(", {}", words::count(incident.count, "record")) } else { String::new() };
    terminal.line(&format!("{system}{} ({}){count}", incident.title, incident.code))?;
    let opened = terminal.time(words::instant(incident.opened_at));
    let paged = match words::instant(incident.paged_at) {
        Some(time) => format!("paged {}", terminal.since(Some(time))),
        None => "not paged".to_owned(),
    };
    let resolved = match words::instant(incident.resolved_at) {
        Some(time) => format!(", resolved {}", terminal.since(Some(time))),
        None => String::new(),
    };
    terminal.line(&format!("  opened {opened}, {paged}{resolved}"))?;
    if !incident.detail.is_empty() {
        terminal.line(&format!("  {}", incident.detail))?;
    }
    terminal.explain(&incident.meaning, &incident.action, "  ")?;
    let named: Vec<_> = incident.records.iter().take(NAMED).map(services::written).collect();
    if !named.is_empty() {
        let more = if incident.count > named.len() as i64 { ", …" } else { "" };
        terminal.line(&format!("  records: {}{more}", named.join(", ")))?;
    }
    Ok(())
}
