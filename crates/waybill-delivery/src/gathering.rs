//! What is known of claims beside their snapshots.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use prost::Message as _;
use sqlx::PgConnection;
use waybill_domain::{Body, Kind, RecordId, RecordKey, Revision, Snapshot, SystemName};
use waybill_plan::{
    DeliveryFacts, Facts, Flow, OrderFact, Override, Overrides, Plan, ReceiptFact, ReceiptState, editable,
};
use waybill_proto::wire;

use crate::{
    apply::object_of,
    engine::Engine,
    store::{
        claim::Claim,
        edits, facts,
        flows::{self, FlowState},
        sent::{self, Sent},
        steps,
    },
};

/// What is known of a batch of claims beside their snapshots.
struct Gathered {
    receipts: Vec<facts::Fact>,
    /// Orders of refunds, and buyers of orders.
    others: Vec<facts::OtherRow>,
    /// Those of them whose bodies went with age and whose source does not answer.
    silent: Vec<RecordKey>,
    begun: HashSet<i64>,
    sent: Sent,
    edits: HashMap<i64, Overrides>,
    flows: BTreeMap<String, FlowState>,
}

impl Engine {
    /// What is known beside the snapshots, read after they were claimed.
    #[allow(clippy::type_complexity, reason = "a claim with what is known of it, in one place only")]
    pub(crate) async fn gather(
        &self,
        plan: &Plan,
        system: &SystemName,
        claims: Vec<Claim>,
    ) -> sqlx::Result<Vec<(Claim, Option<Snapshot>, Option<(DeliveryFacts, Facts)>)>> {
        let mut connection = self.pool().acquire().await?;
        let snapshots: Vec<Option<Snapshot>> = claims.iter().map(|claim| decode(&claim.desired)).collect();
        let gathered = self.read_known(&mut connection, plan, system, &claims, &snapshots).await?;
        let mut all = Vec::with_capacity(claims.len());
        for (mut claim, snapshot) in claims.into_iter().zip(snapshots) {
            let Some(snapshot) = snapshot else {
                all.push((claim, None, None));
                continue;
            };
            claim.unsure = claim.is_unsure(&snapshot);
            let needed = other_of(plan, system, &snapshot);
            claim.lacks_other = needed.is_some_and(|other| gathered.silent.contains(&other));
            let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, system);
            let mut facts = gathered.facts(&claim, &snapshot, flow, self.now());
            self.hooks().complete(plan, &mut connection, system, &snapshot, &mut facts).await?;
            let mut delivery = gathered.delivery(&claim, &snapshot.key);
            // Without the other record the plan comes to something else for a moment only.
            let is_edited = !delivery.overrides.is_empty() && !claim.lacks_other;
            if let Some(flow) = flow.filter(|_| is_edited) {
                let lapsed = lapsed(plan, flow, &snapshot, &facts, &delivery.overrides);
                edits::lapse(&mut connection, claim.id, &lapsed).await?;
                delivery.overrides.retain(|path, _| !lapsed.contains(path));
            }
            all.push((claim, Some(snapshot), Some((delivery, facts))));
        }
        Ok(all)
    }

    async fn read_known(
        &self,
        db: &mut PgConnection,
        plan: &Plan,
        system: &SystemName,
        claims: &[Claim],
        snapshots: &[Option<Snapshot>],
    ) -> sqlx::Result<Gathered> {
        let column = |pick: fn(&Claim) -> String| claims.iter().map(pick).collect::<Vec<_>>();
        let (stores, kinds, ids) =
            (column(|c| c.store.clone()), column(|c| c.kind.clone()), column(|c| c.record_id.clone()));
        let receipts = facts::of(db, &stores, &kinds, &ids).await?;
        let others: Vec<RecordKey> =
            snapshots.iter().flatten().filter_map(|snapshot| other_of(plan, system, snapshot)).collect();
        let mut others =
            if others.is_empty() { Vec::new() } else { facts::others(db, system.as_str(), &others).await? };
        let silent = self.fill_in(&mut others).await;
        let begun = steps::begun(db, &claims.iter().collect::<Vec<_>>()).await?;
        let keys = snapshots.iter().flatten().map(|snapshot| snapshot.key.to_string());
        let objects: BTreeSet<String> = claims.iter().map(|claim| claim.target_key.clone()).chain(keys).collect();
        let sent = sent::of(db, system.as_str(), &objects.into_iter().collect::<Vec<_>>()).await?;
        let edited: Vec<i64> = claims.iter().filter(|claim| claim.edited).map(|claim| claim.id).collect();
        let edits = if edited.is_empty() { HashMap::new() } else { edits::of(db, &edited).await? };
        Ok(Gathered { receipts, others, silent, begun, sent, edits, flows: flows::all(db).await? })
    }
}

impl Gathered {
    fn facts(&self, claim: &Claim, snapshot: &Snapshot, flow: Option<&Flow>, now: Timestamp) -> Facts {
        let mut facts = Facts { now, approved: claim.approved, ..Facts::default() };
        let state = flow.and_then(|flow| self.flows.get(&flow.name));
        facts.active_since = state.and_then(|state| state.active_since.get(&claim.store).copied());
        facts.paused = state.is_some_and(|state| state.paused);
        let theirs = self
            .receipts
            .iter()
            .filter(|f| f.store == claim.store && f.kind == claim.kind && f.record_id == claim.record_id);
        for fact in theirs {
            let state = match fact.state.as_str() {
                "applied" => ReceiptState::Applied,
                "ignored" => ReceiptState::Ignored,
                _ => ReceiptState::Parked,
            };
            let revision = |(epoch, number)| Revision { epoch, number };
            let said_of = fact.said_epoch.zip(fact.said_number).map(revision);
            let applied = fact.applied_epoch.zip(fact.applied_number).map(revision);
            if let Ok(system) = fact.system.parse() {
                facts.receipts.insert(system, ReceiptFact { state, said_of, applied });
            }
        }
        let other = |kind: Kind, id: &RecordId| {
            let is_meant = |row: &&facts::OtherRow| {
                row.store == claim.store && row.kind == kind.as_str() && row.record_id == id.as_str()
            };
            let row = self.others.iter().find(is_meant)?;
            Some((row, decode(&row.desired)?.body?))
        };
        match &snapshot.body {
            Some(Body::Refund(refund)) => {
                if let Some((row, Body::Order(order))) = other(Kind::Order, &refund.order_id) {
                    let ignored = row.state == "ignored";
                    facts.order = Some(OrderFact { order, applied_once: row.applied_once, ignored });
                }
            }
            Some(Body::Order(order)) => {
                let buyer = order.customer.as_ref().and_then(|buyer| other(Kind::Customer, &buyer.id));
                if let Some((_, Body::Customer(customer))) = buyer {
                    facts.buyer = Some(customer.person());
                }
            }
            _ => {}
        }
        facts
    }

    fn delivery(&self, claim: &Claim, key: &RecordKey) -> DeliveryFacts {
        let mut known = BTreeMap::new();
        // What was sent last is not known after a restore: whose a difference is, the plan says.
        let own = key.to_string();
        let objects = [&claim.target_key, &own].into_iter().filter(|_| !claim.unsure);
        for (object, roles) in objects.filter_map(|object| self.sent.get_key_value(object)) {
            for (role, fields) in roles {
                if object_of(&claim.target_key, key, role) == *object {
                    known.insert(role.clone(), fields.clone());
                }
            }
        }
        DeliveryFacts {
            applied_once: claim.applied_number.is_some(),
            begun: self.begun.contains(&claim.id),
            unsure: claim.unsure,
            applied_hash: claim.applied_hash.as_deref().map(hex),
            again: claim.again,
            first_unapplied_at: claim.first_unapplied_us.and_then(|us| Timestamp::from_microsecond(us).ok()),
            sent: known,
            overrides: self.edits.get(&claim.id).cloned().unwrap_or_default(),
        }
    }
}

/// The places of edits where the plan comes to something else than it came to when a person looked.
fn lapsed(plan: &Plan, flow: &Flow, snapshot: &Snapshot, facts: &Facts, edits: &Overrides) -> Vec<String> {
    let planned = editable(plan, flow, snapshot, facts, edits);
    let stands = |path: &String, edit: &Override| {
        let mark = planned.get(path).map(|planned| planned.mark.as_str());
        mark == edit.instead_of.as_deref()
    };
    edits.iter().filter(|(path, edit)| !stands(path, edit)).map(|(path, _)| path.clone()).collect()
}

/// Another record whose delivery to the same system a decision needs.
fn other_of(plan: &Plan, system: &SystemName, snapshot: &Snapshot) -> Option<RecordKey> {
    let (kind, id) = match snapshot.body.as_ref()? {
        Body::Refund(refund) => (Kind::Order, &refund.order_id),
        Body::Order(order) if plan.flow(&snapshot.key.store, Kind::Customer, system).is_some() => {
            (Kind::Customer, &order.customer.as_ref()?.id)
        }
        _ => return None,
    };
    Some(RecordKey { kind, id: id.clone(), ..snapshot.key.clone() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(bytes: &[u8]) -> Option<Snapshot> {
    wire::Snapshot::decode(bytes).ok().and_then(|wire| Snapshot::try_from(wire).ok())
}
