//! A plan run on recorded snapshots, with no system called: what would be written where, what would wait, what would be
//! parked. The same `decide` as in live traffic, at the moments at which live traffic decided where the file tells
//! them, else at each snapshot.

mod diff;
mod known;
mod outcome;
mod sent;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use waybill_domain::{Body, Kind, RecordKey, Revision, Snapshot, SystemName, document::OnMatch};

use crate::{
    decide::{
        Decision, DeliveryFacts, Facts, Overrides, ReceiptFact, ReceiptState, Remote, WaitFor, Write, decide,
        target_key,
    },
    plan::{Flow, Plan},
    recorded::{By, Line, RecordedDecision, Settled},
};

use known::Known;
use sent::Sent;

pub use diff::{Change, Difference, diff};
pub use outcome::{Outcome, State, Summary, summary};

/// Which delivery: a system and a record.
type Which = (SystemName, RecordKey);

/// A delivery as the simulation knows it.
#[derive(Debug, Default)]
struct Delivery {
    desired: Option<Snapshot>,
    applied: Option<Revision>,
    applied_hash: Option<String>,
    first_unapplied_at: Option<Timestamp>,
    /// What the system holds, as far as it was written.
    written: Option<Write>,
    writes: usize,
    state: Option<State>,
    settled: Option<Revision>,
    assumed: BTreeSet<String>,
}

/// A plan under simulation. Takes a day's lines in their order.
pub struct Simulation<'p> {
    plan: &'p Plan,
    /// Deliveries for which the day tells when they were decided.
    paced: BTreeSet<Which>,
    deliveries: BTreeMap<Which, Delivery>,
    /// The states that records had, for decisions that were made while a newer one was on its way.
    history: BTreeMap<RecordKey, Vec<Snapshot>>,
    /// A person's customer deliveries, which follow their totals.
    people: BTreeMap<String, BTreeSet<Which>>,
    sent: Sent,
    known: Known,
    now: Timestamp,
}

impl<'p> Simulation<'p> {
    /// An empty simulation. `decisions` are the day's, told beforehand so that it is known which deliveries' moments
    /// the day tells.
    pub fn new<'d>(plan: &'p Plan, decisions: impl Iterator<Item = &'d RecordedDecision>) -> Self {
        let paced = decisions.map(|decision| (decision.system.clone(), decision.key.clone())).collect();
        Self {
            plan,
            paced,
            deliveries: BTreeMap::new(),
            history: BTreeMap::new(),
            people: BTreeMap::new(),
            sent: Sent::default(),
            known: Known::default(),
            now: Timestamp::default(),
        }
    }

    /// Takes one line.
    pub fn take(&mut self, line: &Line) {
        match line {
            Line::Day(_) => {}
            Line::Snapshot(snapshot) => self.snapshot(snapshot),
            Line::Decision(decision) => self.decision(decision),
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        self.now = self.now.max(snapshot.observed_at);
        let changed_totals = self.known.hear(self.plan, snapshot);
        let flows: Vec<&Flow> = self
            .plan
            .flows
            .iter()
            .filter(|flow| flow.kind == snapshot.key.kind && flow.covers(&snapshot.key.store))
            .collect();
        for flow in flows {
            let which = (flow.to.clone(), snapshot.key.clone());
            let delivery = self.deliveries.entry(which.clone()).or_default();
            if delivery.desired.as_ref().is_some_and(|known| known.revision >= snapshot.revision) {
                continue;
            }
            delivery.desired = Some(snapshot.clone());
            delivery.first_unapplied_at.get_or_insert(snapshot.observed_at);
            if flow.kind == Kind::Customer && flow.uses_totals() {
                self.people.entry(target_key(snapshot)).or_default().insert(which.clone());
            }
            if self.paced.contains(&which) {
                let history = self.history.entry(snapshot.key.clone()).or_default();
                if history.last().is_none_or(|last| last.revision < snapshot.revision) {
                    history.push(snapshot.clone());
                }
            } else {
                self.decide_now(&which, None);
            }
        }
        if let Some(person) = changed_totals {
            let mut follow = self.people.get(&person).cloned().unwrap_or_default();
            follow.retain(|which| !self.paced.contains(which));
            for which in follow {
                self.decide_now(&which, None);
            }
        }
    }

    fn decision(&mut self, recorded: &RecordedDecision) {
        self.now = self.now.max(recorded.decided_at);
        let which = (recorded.system.clone(), recorded.key.clone());
        let has_flow = self.plan.flow(&recorded.key.store, recorded.key.kind, &recorded.system).is_some();
        if !has_flow {
            return;
        }
        if recorded.by == By::Person {
            let delivery = self.deliveries.entry(which).or_default();
            delivery.state = Some(State::Ignored { rule: recorded.code.clone() });
            delivery.settled = Some(recorded.revision);
            return;
        }
        self.decide_now(&which, Some(recorded));
    }

    /// Decides a delivery at this moment, and what follows for those that wait for it.
    fn decide_now(&mut self, which: &Which, recorded: Option<&RecordedDecision>) {
        let Some(flow) = self.plan.flow(&which.1.store, which.1.kind, &which.0) else { return };
        let Some(delivery) = self.deliveries.get(which) else { return };
        let then = recorded.and_then(|recorded| {
            let history = self.history.get(&which.1)?;
            history.iter().find(|snapshot| snapshot.revision == recorded.revision)
        });
        let Some(desired) = then.or(delivery.desired.as_ref()).cloned() else { return };
        let (facts, sent) = (self.facts(flow, &desired, recorded), self.sent.of(which, &desired));
        let delivery = DeliveryFacts {
            applied_once: delivery.applied.is_some(),
            begun: recorded.is_some_and(|recorded| recorded.delivery.begun),
            unsure: recorded.is_some_and(|recorded| recorded.delivery.unsure),
            applied_hash: delivery.applied_hash.clone(),
            again: recorded.is_some_and(|recorded| recorded.delivery.again),
            first_unapplied_at: delivery.first_unapplied_at,
            sent,
            // What people gave is not recorded: the plan by itself is what is simulated.
            overrides: Overrides::new(),
        };
        let mut assumed = BTreeSet::new();
        let mut decision = decide(self.plan, flow, &desired, &delivery, &facts, &Remote::NotRead);
        if let Decision::ReadFirst { fields, .. } = &decision {
            // Nobody asks the system: it is taken to hold what was sent last.
            let mut objects = BTreeMap::new();
            for (role, names) in fields {
                let fields: Vec<&str> = names.iter().map(String::as_str).collect();
                assumed.insert(format!("{}: as sent last, not read", fields.join(", ")));
                objects.insert(role.clone(), delivery.sent.get(role).cloned());
            }
            decision = decide(self.plan, flow, &desired, &delivery, &facts, &Remote::Read(objects));
        }
        let is_first = !delivery.applied_once;
        let before = self.receipt(which);
        self.follow(which, &desired, decision, recorded, assumed, is_first);
        if self.receipt(which) != before {
            self.wake_those_after(which);
        }
    }

    fn follow(
        &mut self,
        which: &Which,
        desired: &Snapshot,
        decision: Decision,
        recorded: Option<&RecordedDecision>,
        assumed: BTreeSet<String>,
        is_first: bool,
    ) {
        let refused = recorded.filter(|recorded| recorded.by == By::System && recorded.state == Settled::Parked);
        let Some(delivery) = self.deliveries.get_mut(which) else { return };
        delivery.assumed.extend(assumed);
        let settled = match decision {
            Decision::Write(write) => match refused {
                Some(refusal) if refusal.document_hash.is_empty() || refusal.document_hash == write.hash => {
                    delivery.assumed.insert("refused as on the recorded day".to_owned());
                    State::Parked {
                        code: refusal.code.clone(),
                        field: refusal.field.clone(),
                        message: refusal.message.clone(),
                    }
                }
                other => {
                    if other.is_some() {
                        delivery
                            .assumed
                            .insert("accepted: on the recorded day another document was refused".to_owned());
                    }
                    if is_first && looks_for_others(&write) {
                        delivery.assumed.insert("created: nobody looked for a record from before".to_owned());
                    }
                    delivery.applied = Some(desired.revision);
                    delivery.applied_hash = Some(write.hash.clone());
                    delivery.writes += 1;
                    let sent = write.sent.clone();
                    delivery.written = Some(*write);
                    self.sent.keep(which, desired, sent);
                    State::Applied
                }
            },
            Decision::Nothing => {
                delivery.applied = Some(desired.revision);
                State::Applied
            }
            Decision::Shadow(write) => {
                delivery.written = Some(*write);
                State::Ignored { rule: "shadow".to_owned() }
            }
            Decision::Ignore { rule } => State::Ignored { rule },
            Decision::Park { code, field, message } => State::Parked { code: code.to_owned(), field, message },
            Decision::Wait { on, reason, until } => {
                delivery.state = Some(State::Waiting { on, reason, until });
                return;
            }
            Decision::ReadFirst { .. } => State::Waiting {
                on: WaitFor::After,
                reason: "fields that cannot be assumed have to be read".to_owned(),
                until: None,
            },
        };
        let Some(delivery) = self.deliveries.get_mut(which) else { return };
        delivery.state = Some(settled);
        delivery.settled = Some(desired.revision);
        delivery.first_unapplied_at = None;
    }

    /// What another flow may wait for.
    fn receipt(&self, which: &Which) -> Option<ReceiptFact> {
        let delivery = self.deliveries.get(which)?;
        let state = match delivery.state.as_ref()? {
            State::Applied => ReceiptState::Applied,
            State::Ignored { .. } => ReceiptState::Ignored,
            State::Parked { .. } => ReceiptState::Parked,
            State::Waiting { .. } => return None,
        };
        Some(ReceiptFact { state, said_of: delivery.settled, applied: delivery.applied })
    }

    /// Decides what waits for this delivery, where the day does not tell when.
    fn wake_those_after(&mut self, which: &Which) {
        let (system, key) = which;
        let after: Vec<Which> = self
            .plan
            .flows
            .iter()
            .filter(|flow| flow.kind == key.kind && flow.covers(&key.store) && flow.after.contains(system))
            .map(|flow| (flow.to.clone(), key.clone()))
            .collect();
        let refunds = self.known.refunds_of(key).into_iter().map(|refund| (system.clone(), refund));
        let waiting: Vec<Which> = after
            .into_iter()
            .chain(refunds)
            .filter(|which| {
                let state = self.deliveries.get(which).and_then(|delivery| delivery.state.as_ref());
                matches!(state, Some(State::Waiting { on: WaitFor::After, .. }))
            })
            .collect();
        for which in waiting {
            self.decide_now(&which, None);
        }
    }

    fn facts(&self, flow: &Flow, desired: &Snapshot, recorded: Option<&RecordedDecision>) -> Facts {
        let told = recorded.and_then(|recorded| recorded.facts.clone());
        let mut facts = told.unwrap_or_else(|| {
            let mut facts = Facts { now: self.now, ..Facts::default() };
            facts.totals = flow.uses_totals().then(|| self.known.totals(&target_key(desired)));
            if let Some(Body::StockLevel(level)) = &desired.body {
                facts.inventory_item = self.known.item(&desired.key.store, &level.sku);
            }
            if let Some(Body::Price(price)) = &desired.body {
                facts.variants = self.known.variants(&desired.key.store, &price.sku);
            }
            facts
        });
        // Other systems' receipts are the simulated plan's.
        facts.receipts.clear();
        for system in &flow.after {
            if let Some(receipt) = self.receipt(&(system.clone(), desired.key.clone())) {
                facts.receipts.insert(system.clone(), receipt);
            }
        }
        if let Some(Body::Order(order)) = &desired.body
            && self.plan.flow(&desired.key.store, Kind::Customer, &flow.to).is_some()
        {
            facts.buyer = order.customer.as_ref().and_then(|buyer| self.known.person(&desired.key.store, &buyer.id));
        }
        if let Some(Body::Refund(refund)) = &desired.body {
            let key = RecordKey { kind: Kind::Order, id: refund.order_id.clone(), ..desired.key.clone() };
            let delivery = self.deliveries.get(&(flow.to.clone(), key.clone()));
            facts.order = self.known.order(&key).map(|order| crate::OrderFact {
                order: Box::new(order.clone()),
                applied_once: delivery.is_some_and(|delivery| delivery.applied.is_some()),
                ignored: delivery.is_some_and(|delivery| matches!(delivery.state, Some(State::Ignored { .. }))),
            });
        }
        facts
    }

    /// What became of every delivery, by record and system.
    pub fn finish(self) -> Vec<Outcome> {
        let (plan, sent) = (self.plan, self.sent);
        let mut outcomes: Vec<Outcome> = self
            .deliveries
            .into_iter()
            .filter_map(|((system, key), delivery)| {
                let flow = plan.flow(&key.store, key.kind, &system)?.name.clone();
                let desired = delivery.desired?;
                let which = (system, key);
                let fields = sent.held(&which, &desired, delivery.written);
                let (system, key) = which;
                let state = delivery.state.unwrap_or(State::Waiting {
                    on: WaitFor::After,
                    reason: "the recorded day ends before it was decided".to_owned(),
                    until: None,
                });
                Some(Outcome {
                    name: desired.name().to_owned(),
                    key,
                    system,
                    flow,
                    revision: desired.revision.number,
                    state,
                    writes: delivery.writes,
                    fields,
                    assumed: delivery.assumed.into_iter().collect(),
                })
            })
            .collect();
        outcomes.sort_by(|a, b| (&a.key, &a.system).cmp(&(&b.key, &b.system)));
        outcomes
    }
}

/// Whether the system would be asked for a record from before.
fn looks_for_others(write: &Write) -> bool {
    use crate::Document;
    let policies = match &write.document {
        Document::Order(order) => {
            vec![Some(&order.policy), order.customer.as_ref().map(|customer| &customer.policy)]
        }
        Document::Customer(customer) => vec![Some(&customer.policy)],
        Document::Refund(refund) => vec![Some(&refund.policy)],
        Document::Shipment(shipment) => vec![Some(&shipment.policy)],
        Document::Stock(_) | Document::Price(_) | Document::Incident(_) => Vec::new(),
    };
    policies.into_iter().flatten().any(|policy| !policy.matching.is_empty() && policy.on_match != OnMatch::CreateSecond)
}

/// Runs a plan on a recorded day.
pub fn simulate(plan: &Plan, lines: &[Line]) -> Vec<Outcome> {
    let decisions = lines.iter().filter_map(|line| match line {
        Line::Decision(decision) => Some(decision.as_ref()),
        Line::Day(_) | Line::Snapshot(_) => None,
    });
    let mut simulation = Simulation::new(plan, decisions);
    for line in lines {
        simulation.take(line);
    }
    simulation.finish()
}
