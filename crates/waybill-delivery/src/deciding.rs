//! From claims to decisions: what is known is gathered, decided, read where the plan asks, and grouped for calls.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use prost::Message as _;
use waybill_connector::Failure;
use waybill_domain::{Body, Kind, ObjectKey, RecordId, RecordKey, Revision, Snapshot, SystemName};
use waybill_plan::{
    Decision, DeliveryFacts, Document, Facts, Flow, OrderFact, Override, Overrides, Plan, ReceiptFact, ReceiptState,
    Remote, Retry, WaitFor, Write, decide, editable,
};
use waybill_proto::wire;

use crate::{
    apply::{Work, object_of},
    engine::{Engine, Served},
    store::{
        claim::Claim,
        decisions::Basis,
        edits, facts,
        flows::{self, FlowState},
        sent::{self, Sent},
        settle::{self, Back, Ended},
        steps,
    },
    worker::End,
};

/// A waiting delivery is looked at again after this even if nothing woke it.
const WAIT_RECHECK_SECONDS: f64 = 30.0;
/// What a person paused is woken once they resumed it; there may be very many.
const PAUSE_RECHECK_SECONDS: f64 = 3600.0;

/// What becomes of a claim.
enum Decided {
    Write(Box<Work>),
    ReadFirst(Box<Question>),
    Settled(Box<(Ended, Claim)>),
    Back(Box<(Back, Claim)>),
}

/// A claim whose fields have to be read before it can be decided.
struct Question {
    claim: Claim,
    snapshot: Snapshot,
    known: (DeliveryFacts, Facts),
    document: Document,
    fields: BTreeMap<String, BTreeSet<String>>,
}

/// A hash as it stands in tables.
pub(crate) fn digest(hex: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
    hex.as_bytes().chunks(2).filter_map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(bytes: &[u8]) -> Option<Snapshot> {
    wire::Snapshot::decode(bytes).ok().and_then(|wire| Snapshot::try_from(wire).ok())
}

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
    /// Decides each claim; what is no write is settled or put back here. The writes come in groups that one call can
    /// carry.
    pub(crate) async fn decide_and_group(
        &self,
        served: &Served,
        claims: Vec<Claim>,
        serving: bool,
    ) -> sqlx::Result<Vec<Vec<Work>>> {
        let plan = self.plan();
        let claims = self.with_bodies(&plan, claims).await?;
        let mut writes: Vec<Work> = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        let mut ends = Vec::new();
        for (claim, snapshot, known) in self.gather(&plan, &served.name, claims).await? {
            if claim.lacks_other {
                self.wait_for_source(&plan, &claim).await?;
                continue;
            }
            match self.decide_one(&plan, served, claim, snapshot, known, &Remote::NotRead) {
                Decided::ReadFirst(question) => questions.push(*question),
                decided => writes.extend(self.follow(decided, &mut ends).await?),
            }
        }
        self.settle_or_leave(served, std::mem::take(&mut ends)).await;
        for (question, remote) in self.read_first(served, questions).await? {
            let Question { mut claim, snapshot, known, .. } = question;
            match remote {
                Ok(remote) => {
                    let decided = self.decide_one(&plan, served, claim, Some(snapshot), Some(known), &remote);
                    writes.extend(self.follow(decided, &mut ends).await?);
                }
                Err(failure) => {
                    let retry = plan
                        .flow(&snapshot.key.store, snapshot.key.kind, &served.name)
                        .map(|flow| flow.retry)
                        .unwrap_or_default();
                    claim.basis =
                        Basis { known: Some(known), unread: true, plan_hash: plan.hash.clone(), ..Basis::default() };
                    let write = Write { document: question.document, hash: String::new(), sent: BTreeMap::new() };
                    let work = Work::new(claim, snapshot.key, write, retry);
                    self.end(served, vec![(work, Err(failure))], serving).await?;
                }
            }
        }
        self.settle_or_leave(served, ends).await;
        let writes = self.without_held(served, writes).await?;
        Ok(grouped(served, writes, serving))
    }

    /// What is no write must not be in a write's way: whatever cannot be settled is claimed again.
    async fn settle_or_leave(&self, served: &Served, ends: Vec<End>) {
        let count = ends.len();
        if let Err(error) = self.settle(served.name.as_str(), ends).await {
            tracing::error!(system = %served.name, count, %error, "ends cannot be recorded; they are decided again");
        }
    }

    /// Carries out what is no write; what is settled by it is told to `ends`.
    async fn follow(&self, decided: Decided, ends: &mut Vec<End>) -> sqlx::Result<Option<Work>> {
        match decided {
            Decided::Write(work) => return Ok(Some(*work)),
            Decided::Settled(end) => ends.push(End { claim: end.1, ended: end.0, sent: Vec::new() }),
            Decided::Back(back) => settle::put_back(&mut *self.pool().acquire().await?, &back.0).await?,
            // Asked again after it was read, it is decided.
            Decided::ReadFirst(question) => {
                tracing::error!(record = %question.snapshot.key, "what was read did not settle it");
            }
        }
        Ok(None)
    }

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
        db: &mut sqlx::PgConnection,
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
        let begun = steps::begun(db, &claims.iter().map(|claim| claim.id).collect::<Vec<_>>()).await?;
        let keys = snapshots.iter().flatten().map(|snapshot| snapshot.key.to_string());
        let objects: Vec<String> = claims.iter().map(|claim| claim.target_key.clone()).chain(keys).collect();
        let sent = sent::of(db, system.as_str(), &objects).await?;
        let edited: Vec<i64> = claims.iter().filter(|claim| claim.edited).map(|claim| claim.id).collect();
        let edits = if edited.is_empty() { HashMap::new() } else { edits::of(db, &edited).await? };
        Ok(Gathered { receipts, others, silent, begun, sent, edits, flows: flows::all(db).await? })
    }

    fn decide_one(
        &self,
        plan: &Plan,
        served: &Served,
        mut claim: Claim,
        snapshot: Option<Snapshot>,
        known: Option<(DeliveryFacts, Facts)>,
        remote: &Remote,
    ) -> Decided {
        let (Some(snapshot), Some(known)) = (snapshot, known) else {
            let end = ended(&plan.hash, &claim, "parked", "malformed", "", "the stored snapshot cannot be read");
            return Decided::Settled(Box::new((end, claim)));
        };
        let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &served.name);
        let decision = decision(plan, flow, &snapshot, &known, remote);
        if let Decision::ReadFirst { document, fields } = decision {
            return Decided::ReadFirst(Box::new(Question { claim, snapshot, known, document: *document, fields }));
        }
        claim.basis = Basis { known: Some(known), plan_hash: plan.hash.clone(), ..Basis::default() };
        let settled = |claim: Claim, state, code: &str, field: &str, message: &str| {
            let end = ended(&plan.hash, &claim, state, code, field, message);
            Decided::Settled(Box::new((end, claim)))
        };
        match decision {
            Decision::Ignore { rule } => settled(claim, "ignored", &rule, "", ""),
            Decision::Nothing => {
                claim.basis.document_hash = claim.applied_hash.clone().unwrap_or_default();
                settled(claim, "applied", "", "", "")
            }
            Decision::Shadow(write) => {
                claim.basis.document_hash = digest(&write.hash);
                let fields: BTreeSet<&str> = write.sent.values().flat_map(|f| f.keys().map(String::as_str)).collect();
                let fields: Vec<&str> = fields.into_iter().collect();
                let message = format!("in shadow; would be written, with: {}", fields.join(", "));
                settled(claim, "ignored", "shadow", "", &message)
            }
            Decision::Park { code, field, message } => settled(claim, "parked", code, &field, &message),
            Decision::Wait { on, reason, until } => {
                let now = self.now();
                let known_wait = until.map(|until| until.duration_since(now).as_secs_f64().max(0.0));
                let recheck = if on == WaitFor::Resume { PAUSE_RECHECK_SECONDS } else { WAIT_RECHECK_SECONDS };
                let after_seconds = known_wait.unwrap_or(recheck);
                let mut back = Back::waiting(&claim, after_seconds, on.as_str(), reason, &plan.hash);
                if let (WaitFor::Resume, Some(flow)) = (on, flow) {
                    back.field.clone_from(&flow.name);
                }
                Decided::Back(Box::new((back, claim)))
            }
            Decision::Write(write) => {
                claim.basis.document_hash = digest(&write.hash);
                let retry = flow.map_or_else(Retry::default, |flow| flow.retry);
                Decided::Write(Box::new(Work::new(claim, snapshot.key, *write, retry)))
            }
            Decision::ReadFirst { .. } => settled(claim, "parked", "malformed", "", "what was read did not settle it"),
        }
    }

    /// Reads the fields that decisions ask for, those of one role in one call.
    async fn read_first(
        &self,
        served: &Served,
        questions: Vec<Question>,
    ) -> sqlx::Result<Vec<(Question, Result<Remote, Failure>)>> {
        let mut answers: Vec<Result<BTreeMap<String, Option<waybill_domain::document::Fields>>, Failure>> =
            questions.iter().map(|_| Ok(BTreeMap::new())).collect();
        let roles: BTreeSet<(Kind, String)> = questions
            .iter()
            .flat_map(|question| question.fields.keys().map(|role| (question.snapshot.key.kind, role.clone())))
            .collect();
        for (kind, role) in roles {
            let asked: Vec<usize> = questions
                .iter()
                .enumerate()
                .filter(|(_, question)| question.snapshot.key.kind == kind && question.fields.contains_key(&role))
                .map(|(index, _)| index)
                .collect();
            let calls: Vec<crate::sinks::AnyFieldsCall<'_>> = asked
                .iter()
                .map(|&index| {
                    let question = &questions[index];
                    crate::sinks::AnyFieldsCall {
                        document: &question.document,
                        role: &role,
                        object_key: object_key(&question.document, &question.snapshot.key, &role),
                        known: &question.claim.known.0,
                        names: &question.fields[&role],
                    }
                })
                .collect();
            // A system that cannot be asked is left out: then the owner wins.
            let Some(found) = served.port.read_fields(kind, &calls).await else { continue };
            for (&index, found) in asked.iter().zip(found) {
                match (&mut answers[index], found) {
                    (Ok(objects), Ok(fields)) => {
                        objects.insert(role.clone(), fields);
                    }
                    (answer @ Ok(_), Err(failure)) => *answer = Err(failure),
                    (Err(_), _) => {}
                }
            }
        }
        Ok(questions.into_iter().zip(answers.into_iter().map(|answer| answer.map(Remote::Read))).collect())
    }
}

impl Gathered {
    fn facts(&self, claim: &Claim, snapshot: &Snapshot, flow: Option<&Flow>, now: Timestamp) -> Facts {
        let mut facts = Facts { now, approved: claim.approved, ..Facts::default() };
        let state = flow.and_then(|flow| self.flows.get(&flow.name));
        facts.active_since = state.map(|state| state.active_since);
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

/// What the plan wants of a snapshot.
pub(crate) fn decision(
    plan: &Plan,
    flow: Option<&Flow>,
    snapshot: &Snapshot,
    (delivery, facts): &(DeliveryFacts, Facts),
    remote: &Remote,
) -> Decision {
    match (&snapshot.body, flow) {
        (_, Some(flow)) => decide(plan, flow, snapshot, delivery, facts, remote),
        // Incidents go to the plan's pagers, which are no flows.
        (Some(Body::Incident(incident)), None) => page(incident, delivery),
        (_, None) => Decision::Ignore { rule: "no-flow".to_owned() },
    }
}

/// A page is written unless the pager was told just this.
fn page(incident: &waybill_domain::document::IncidentDocument, delivery: &DeliveryFacts) -> Decision {
    let document = Document::Incident(incident.clone());
    let hash = document.hash();
    if delivery.applied_hash.as_deref() == Some(hash.as_str()) {
        return Decision::Nothing;
    }
    Decision::Write(Box::new(Write { document, hash, sent: BTreeMap::new() }))
}

pub(crate) fn object_key(document: &Document, key: &RecordKey, role: &str) -> ObjectKey {
    match document {
        Document::Order(order) if role == "customer" => {
            order.customer.as_ref().map_or_else(|| ObjectKey::new(key, role), |customer| customer.key.clone())
        }
        _ => ObjectKey::new(key, role),
    }
}

/// How a claim ends under a plan of this hash, with all else as it stood.
pub(crate) fn ended(
    plan_hash: &str,
    claim: &Claim,
    state: &'static str,
    code: &str,
    field: &str,
    message: &str,
) -> Ended {
    Ended {
        id: claim.id,
        fence: claim.fence,
        wake: claim.wake,
        epoch: claim.desired_epoch,
        number: claim.desired_number,
        state,
        code: code.to_owned(),
        message: message.to_owned(),
        field: field.to_owned(),
        external_id: claim.external_id.clone(),
        hash: claim.applied_hash.clone(),
        attempts: claim.attempts,
        plan_hash: plan_hash.to_owned(),
    }
}

/// Writes of one kind go together as the system's batches allow. A breaker that is open lets one at a time through.
fn grouped(served: &Served, writes: Vec<Work>, serving: bool) -> Vec<Vec<Work>> {
    if !serving {
        return writes.into_iter().map(|work| vec![work]).collect();
    }
    let mut by_kind: BTreeMap<Kind, Vec<Work>> = BTreeMap::new();
    for work in writes {
        by_kind.entry(work.key.kind).or_default().push(work);
    }
    let mut groups = Vec::new();
    for works in by_kind.into_values() {
        let first = works.first().and_then(|work| {
            let sink = served.port.sink(&work.document)?;
            let step = sink.steps(&work.document, &work.known).into_iter().next()?;
            Some(sink.batch_size(&step.name))
        });
        let mut works = works.into_iter().peekable();
        while works.peek().is_some() {
            groups.push(works.by_ref().take(first.unwrap_or(1)).collect());
        }
    }
    groups
}
