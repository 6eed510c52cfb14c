//! Asks the services, page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context as _;
use console::{
    services::{DELIVERING, INBOX, SOURCES, Services},
    words::instant,
};
use jiff::Timestamp;
use waybill_domain::{Kind, RecordKey, Revision, Snapshot};
use waybill_plan::recorded::{self, By, Line, RecordedDecision, Settled};
use waybill_proto::{
    WireError,
    convert::to_timestamp,
    wire::{self, GetRevisionsRequest, ListDecisionsRequest, ListRevisionsRequest, get_revisions_request::Wanted},
};

use super::{Held, Pseudonyms, Recording, Which, replacing::Replaced, which};

/// How many single revisions are asked for at once.
const SINGLE: usize = 100;

/// The service that records of a kind come from; none for what only the alerter itself knows.
pub(super) const fn source_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Order | Kind::Customer | Kind::Product | Kind::InventoryLevel | Kind::Fulfilment | Kind::Refund => {
            Some(INBOX)
        }
        Kind::Shipment => Some("fulfilment-sync"),
        Kind::StockLevel => Some("inventory-router"),
        Kind::Price => Some("erp-sync"),
        Kind::Incident => None,
    }
}

/// Everything that the services have kept of a time.
///
/// # Errors
/// If a service does not answer (an `Unanswered`), or says what cannot be read. A day with holes would be taken for one
/// on which less happened.
pub(crate) async fn gather(
    services: &Services,
    from: Timestamp,
    to: Timestamp,
    pseudonyms: Option<Pseudonyms>,
) -> anyhow::Result<Recording> {
    let recording = Recording::new(from, to, pseudonyms.is_some());
    let mut gathering = Gathering {
        services,
        recording,
        pseudonyms,
        complete_since: from,
        told: HashSet::new(),
        replaced: HashMap::new(),
    };
    // Decisions first: the snapshot of each is kept before it is made, and so is there to be asked for.
    for service in services.among(&DELIVERING) {
        gathering.decisions_of(service).await?;
    }
    let mut sources = services.among(&SOURCES);
    if !sources.contains(&INBOX) {
        // Without an address: it says so.
        sources.push(INBOX);
    }
    for source in sources {
        gathering.revisions_of(source).await?;
    }
    gathering.single_revisions().await?;
    Ok(gathering.finish())
}

struct Gathering<'s> {
    services: &'s Services,
    recording: Recording,
    pseudonyms: Option<Pseudonyms>,
    complete_since: Timestamp,
    /// Records of which a decision has something to say in words.
    told: HashSet<Which>,
    /// What was replaced in their snapshots.
    replaced: HashMap<Which, Replaced>,
}

impl Gathering<'_> {
    async fn decisions_of(&mut self, service: &str) -> anyhow::Result<()> {
        let (from, to) = (Some(to_timestamp(self.recording.day.from)), Some(to_timestamp(self.recording.day.to)));
        let mut after = String::new();
        loop {
            let request = ListDecisionsRequest { from, to, after, limit: 0 };
            let page = self.services.decisions(service, request).await?;
            self.note_complete(instant(page.complete_since));
            for decision in page.decisions {
                let decision = read(decision)
                    .with_context(|| format!("{service} says a decision that this version cannot read"))?;
                if self.pseudonyms.is_some() && !decision.message.is_empty() {
                    self.told.insert(which(&decision));
                }
                self.recording.decisions.push(decision);
            }
            if !page.more {
                return Ok(());
            }
            after = page.cursor;
        }
    }

    async fn revisions_of(&mut self, source: &str) -> anyhow::Result<()> {
        let (from, to) = (Some(to_timestamp(self.recording.day.from)), Some(to_timestamp(self.recording.day.to)));
        let mut after = String::new();
        loop {
            let request = ListRevisionsRequest { from, to, after, limit: 0 };
            let page = self.services.revisions(source, request).await?;
            self.note_complete(instant(page.complete_since));
            self.hold(source, page.snapshots)?;
            if !page.more {
                return Ok(());
            }
            after = page.cursor;
        }
    }

    /// Snapshots from before the time, that its decisions are about.
    async fn single_revisions(&mut self) -> anyhow::Result<()> {
        let mut missing: BTreeMap<&'static str, HashSet<Which>> = BTreeMap::new();
        for decision in &self.recording.decisions {
            let which = which(decision);
            if let Some(source) = source_of(decision.key.kind)
                && !self.recording.snapshots.contains_key(&which)
            {
                missing.entry(source).or_default().insert(which);
            }
        }
        for (source, missing) in missing {
            let missing: Vec<Which> = missing.into_iter().collect();
            for some in missing.chunks(SINGLE) {
                let wanted =
                    |(key, revision): &Which| Wanted { key: Some(key.into()), revision: Some((*revision).into()) };
                let request = GetRevisionsRequest { wanted: some.iter().map(wanted).collect() };
                let found = self.services.single_revisions(source, request).await?;
                self.hold(source, found.snapshots)?;
            }
        }
        Ok(())
    }

    fn hold(&mut self, source: &str, snapshots: Vec<wire::Snapshot>) -> anyhow::Result<()> {
        for snapshot in snapshots {
            let mut snapshot = Snapshot::try_from(snapshot)
                .with_context(|| format!("{source} says a snapshot that this version cannot read"))?;
            let which = (snapshot.key.clone(), snapshot.revision);
            if let Some(pseudonyms) = &self.pseudonyms {
                let replaced = pseudonyms.replace(&mut snapshot);
                if self.told.contains(&which) {
                    self.replaced.insert(which.clone(), replaced);
                }
            }
            let mut text = Vec::new();
            let at = snapshot.observed_at;
            recorded::write(&mut text, &Line::Snapshot(Box::new(snapshot)))?;
            self.recording.snapshots.insert(which, Held { at, text: text.into() });
        }
        Ok(())
    }

    fn note_complete(&mut self, since: Option<Timestamp>) {
        if let Some(since) = since {
            self.complete_since = self.complete_since.max(since);
        }
    }

    fn finish(mut self) -> Recording {
        if let Some(pseudonyms) = &self.pseudonyms {
            for decision in &mut self.recording.decisions {
                pseudonyms.replace_in_decision(decision, self.replaced.get(&(which(decision))));
            }
        }
        let from = self.complete_since.min(self.recording.day.to);
        self.recording.begin_at(from);
        self.recording
    }
}

fn read(decision: wire::RecordedDecision) -> anyhow::Result<RecordedDecision> {
    let state = match decision.state() {
        wire::State::Applied => Settled::Applied,
        wire::State::Ignored => Settled::Ignored,
        wire::State::Parked => Settled::Parked,
        other => anyhow::bail!("'{}' is no end of a delivery", other.as_str_name()),
    };
    let by = match decision.by() {
        wire::recorded_decision::By::Plan => By::Plan,
        wire::recorded_decision::By::System => By::System,
        wire::recorded_decision::By::Person => By::Person,
        wire::recorded_decision::By::Unspecified => anyhow::bail!("it does not say who decided"),
    };
    let key: RecordKey = decision.key.as_ref().ok_or(WireError::Missing("key"))?.try_into()?;
    let revision: Revision = decision.revision.ok_or(WireError::Missing("revision"))?.into();
    Ok(RecordedDecision {
        system: decision.system.parse()?,
        key,
        revision,
        settlement: decision.settlement,
        decided_at: instant(decision.decided_at).ok_or(WireError::Missing("decided_at"))?,
        state,
        code: decision.code,
        field: decision.field,
        message: decision.message,
        by,
        plan_hash: decision.plan_hash,
        document_hash: decision.document_hash,
        delivery: match decision.delivery.as_str() {
            "" => Default::default(),
            json => serde_json::from_str(json).context("what was known of the delivery")?,
        },
        facts: match decision.facts.as_str() {
            "" => None,
            json => Some(serde_json::from_str(json).context("its facts")?),
        },
    })
}
