//! Incidents.

use waybill_domain::document::{IncidentDocument, Severity};

use super::scalars::{WireError, from_timestamp, need, to_timestamp};
use crate::wire;

impl From<&IncidentDocument> for wire::IncidentRecord {
    fn from(incident: &IncidentDocument) -> Self {
        Self {
            key: incident.key.to_string(),
            resolved: incident.resolved,
            severity: match incident.severity {
                Severity::Critical => "critical",
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            }
            .to_owned(),
            summary: incident.summary.clone(),
            meaning: incident.meaning.clone(),
            action: incident.action.clone(),
            system: incident.system.clone(),
            code: incident.code.clone(),
            detail: incident.detail.clone(),
            count: incident.count,
            records: incident.records.clone(),
            opened_at: Some(to_timestamp(incident.opened_at)),
            link: incident.link.clone(),
        }
    }
}

impl TryFrom<wire::IncidentRecord> for IncidentDocument {
    type Error = WireError;
    fn try_from(incident: wire::IncidentRecord) -> Result<Self, WireError> {
        let opened_at = need("incident.opened_at", incident.opened_at)?;
        Ok(Self {
            key: waybill_domain::ObjectKey::from_text(incident.key),
            resolved: incident.resolved,
            severity: match incident.severity.as_str() {
                "critical" => Severity::Critical,
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                "info" => Severity::Info,
                other => {
                    let problem = format!("'{other}' is no severity");
                    return Err(WireError::Invalid { field: "incident.severity", problem });
                }
            },
            summary: incident.summary,
            meaning: incident.meaning,
            action: incident.action,
            system: incident.system,
            code: incident.code,
            detail: incident.detail,
            count: incident.count,
            records: incident.records,
            opened_at: from_timestamp("incident.opened_at", &opened_at)?,
            link: incident.link,
        })
    }
}
