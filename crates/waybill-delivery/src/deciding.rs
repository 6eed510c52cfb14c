//! From claims to decisions: what is gathered is decided, read where the plan asks, and grouped for calls.

use std::collections::{BTreeMap, BTreeSet};

use waybill_connector::Failure;
use waybill_domain::{Body, Kind, ObjectKey, RecordKey, Snapshot};
use waybill_plan::{
    Decision, DeliveryFacts, Document, Facts, Flow, ORDER_IGNORED, Plan, Remote, Retry, WaitFor, Write, decide,
};

use crate::{
    apply::Work,
    engine::{Engine, Served},
    settling::End,
    store::{
        claim::Claim,
        decisions::Basis,
        settle::{self, Back, Ended},
    },
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
            Decision::Ignore { rule } => {
                // What it hangs on, so that it is found once that has changed.
                let order = match &snapshot.body {
                    Some(Body::Refund(refund)) if rule == ORDER_IGNORED => refund.order_id.as_str(),
                    _ => "",
                };
                settled(claim, "ignored", &rule, order, "")
            }
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
        last: None,
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
