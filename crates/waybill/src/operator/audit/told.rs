//! What an audit found, for people and for programs.

use std::collections::BTreeSet;

use console::words;
use serde::Serialize;
use waybill_proto::wire::{
    AuditFinding, AuditResponse,
    audit_finding::{Stands, What},
};

use super::super::{table::Table, terminal::Terminal};

/// All that was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    /// Deliveries.
    pub(super) compared: i64,
    missing: i64,
    differs: i64,
    doubled: i64,
    unreadable: i64,
    /// Fields that show the system's own value, which stands by the plan.
    theirs: i64,
    /// Not compared, as they are on their way.
    in_flight: i64,
    /// Not compared, as their systems can be told and not asked, or the plan brings them there no more.
    left_out: i64,
    /// Deliveries that are written again.
    healed: i64,
    pub(super) unasked: Vec<Unasked>,
    found: Vec<FoundJson>,
    #[serde(skip)]
    systems: BTreeSet<String>,
}

/// A system of which nothing is known from some record on.
#[derive(Debug, Serialize)]
pub(super) struct Unasked {
    pub(super) service: String,
    pub(super) system: String,
    pub(super) reason: String,
}

#[derive(Debug, Serialize)]
struct FoundJson {
    service: String,
    system: String,
    store: String,
    kind: String,
    id: String,
    name: String,
    external_id: String,
    what: &'static str,
    role: String,
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    there: Option<String>,
    owner: String,
    /// `ours`, `theirs` or `person`.
    stands: &'static str,
    /// Whether writing the record again mends it, and whether that was begun.
    heals: bool,
    healed: bool,
    ids: Vec<String>,
    message: String,
}

const fn what(what: What) -> &'static str {
    match what {
        What::Missing => "missing",
        What::Differs => "differs",
        What::Doubled => "doubled",
        What::Unreadable => "cannot be read",
        What::Unspecified => "unknown",
    }
}

const fn stands(stands: Stands) -> &'static str {
    match stands {
        Stands::Ours => "ours",
        Stands::Theirs => "theirs",
        Stands::Person | Stands::Unspecified => "person",
    }
}

impl From<AuditFinding> for FoundJson {
    fn from(finding: AuditFinding) -> Self {
        let (what, stands) = (what(finding.what()), stands(finding.stands()));
        let delivery = finding.delivery.unwrap_or_default();
        let key = delivery.key.unwrap_or_default();
        Self {
            service: delivery.service,
            system: delivery.system,
            store: key.store,
            kind: key.kind,
            id: key.id,
            name: delivery.name,
            external_id: delivery.external_id,
            what,
            role: finding.role,
            field: finding.field,
            sent: finding.sent,
            there: finding.there,
            owner: finding.owner,
            stands,
            heals: finding.heals,
            healed: finding.healed,
            ids: finding.ids,
            message: finding.message,
        }
    }
}

impl FoundJson {
    /// What there is to do about it.
    fn to_do(&self, heals: bool) -> String {
        match (self.what, self.stands) {
            (_, "theirs") => "nothing: theirs stands by the plan".to_owned(),
            _ if self.healed => "is written again".to_owned(),
            _ if self.heals && heals => "changed meanwhile: run it again".to_owned(),
            _ if self.heals => "--heal writes it again".to_owned(),
            ("doubled", _) => {
                format!("look at {} there, keep one, remove the others by hand", self.ids.join(", "))
            }
            _ if !self.message.is_empty() => self.message.clone(),
            _ if self.field == "cancelled" => "for a person: it was cancelled there".to_owned(),
            _ => "for a person: set it there, or change it in the store".to_owned(),
        }
    }
}

impl Told {
    /// Adds a page.
    pub(super) fn add(&mut self, service: &str, page: AuditResponse) {
        self.compared += page.compared;
        self.in_flight += page.in_flight;
        self.left_out += page.left_out;
        self.healed += page.healed;
        self.systems.extend(page.systems);
        let service = || service.to_owned();
        let unasked = page.unasked.into_iter();
        self.unasked.extend(unasked.map(|one| Unasked { service: service(), system: one.system, reason: one.reason }));
        for finding in page.findings {
            match (finding.what(), finding.stands()) {
                (What::Differs, Stands::Theirs) => self.theirs += 1,
                (What::Differs, _) => self.differs += 1,
                (What::Missing, _) => self.missing += 1,
                (What::Doubled, _) => self.doubled += 1,
                (What::Unreadable | What::Unspecified, _) => self.unreadable += 1,
            }
            self.found.push(finding.into());
        }
    }

    /// Its limit holds and holds.
    pub(super) fn gives_up(&mut self, service: &str, system: &str) {
        let reason = "its limit leaves no room".to_owned();
        self.unasked.push(Unasked { service: service.to_owned(), system: system.to_owned(), reason });
    }

    /// Whether somebody who answered serves a system.
    pub(super) fn serves(&self, system: &str) -> bool {
        self.systems.contains(system) || self.unasked.iter().any(|one| one.system == system)
    }

    /// Whether all is as it was brought there, or as the plan lets it be.
    pub(super) const fn is_clean(&self) -> bool {
        self.missing + self.differs + self.doubled + self.unreadable == 0
    }

    /// Writes what was found, and last of all the sum of it.
    pub(super) fn write(&self, values: bool, heals: bool, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
        if !self.found.is_empty() {
            if values {
                self.with_values(heals).write(terminal.out, "")?;
            } else {
                self.without_values(heals).write(terminal.out, "")?;
            }
            terminal.gap()?;
        }
        if self.healed > 0 {
            let healed = words::count(self.healed, "delivery");
            terminal.line(&format!("{healed} set to be written again; `waybill status` shows how they fare"))?;
        }
        Ok(terminal.line(&self.sum())?)
    }

    fn sum(&self) -> String {
        let Self { missing, differs, doubled, unreadable, theirs, in_flight, left_out, .. } = self;
        let compared = words::count(self.compared, "delivery");
        format!(
            "{compared} compared: {missing} missing, {differs} differ, {doubled} doubled, {unreadable} cannot be read, \
             {theirs} theirs; {in_flight} on their way, {left_out} cannot be compared"
        )
    }

    fn with_values(&self, heals: bool) -> Table {
        let mut table = Table::new(&["record", "name", "system", "what", "field", "sent", "there", "owner", "to do"]);
        for one in &self.found {
            let [record, name, system, what, field, owner, to_do] = one.cells(heals);
            let shown = |value: &Option<String>| value.as_ref().map(|value| format!("'{value}'")).unwrap_or_default();
            table.row([record, name, system, what, field, shown(&one.sent), shown(&one.there), owner, to_do]);
        }
        table
    }

    fn without_values(&self, heals: bool) -> Table {
        let mut table = Table::new(&["record", "name", "system", "what", "field", "owner", "to do"]);
        for one in &self.found {
            table.row(one.cells(heals));
        }
        table
    }
}

impl FoundJson {
    fn cells(&self, heals: bool) -> [String; 7] {
        let field = if self.field.is_empty() { self.role.clone() } else { format!("{}.{}", self.role, self.field) };
        [
            format!("{}/{}/{}", self.store, self.kind, self.id),
            self.name.clone(),
            self.system.clone(),
            self.what.to_owned(),
            field,
            self.owner.clone(),
            self.to_do(heals),
        ]
    }
}
