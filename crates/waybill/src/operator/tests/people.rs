//! What a service has for people to decide: approvals, first runs, settled deliveries of a flow.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tonic::Status;
use waybill_proto::wire::{
    self, Delivery, RecordKey, Revision, RolledDelivery, State, SystemReport, list_approvals_response::Approval,
    system_report::Condition,
};

use super::suite::{delivery, order};

/// The one flow whose settled deliveries can be rolled.
pub(super) const FLOW: &str = "orders-to-erp";
/// The plan that the service obeys.
pub(super) const PLAN: &str = "b1946ac92492";
/// So small that every test sees several.
const PAGE: usize = 2;

#[derive(Debug, Default, Clone)]
pub(super) struct People {
    /// What a person types.
    pub(super) answer: Option<&'static str>,
    approvals: Vec<Approval>,
    /// A system that asks, and what it says; nothing once it is released.
    asking: Arc<Mutex<Option<(String, String)>>>,
    looks: Arc<AtomicUsize>,
    /// Settled deliveries with what would become of each; nothing where it stays.
    settled: Vec<(Delivery, Option<RolledDelivery>)>,
}

impl People {
    pub(super) fn approving(mut self, id: &str, total: &str) -> Self {
        let mut waiting = delivery("erp", order(id), State::Waiting);
        waiting.code = "approval".to_owned();
        self.approvals.push(Approval {
            delivery: Some(waiting),
            flow: FLOW.to_owned(),
            condition: "order.total > decimal(\"500\")".to_owned(),
            since: Some(waybill_proto::convert::to_timestamp(jiff::Timestamp::UNIX_EPOCH)),
            total: total.to_owned(),
        });
        self
    }

    pub(super) fn first_run_of(self, system: &str, message: &str) -> Self {
        *self.asking.lock().unwrap() = Some((system.to_owned(), message.to_owned()));
        self
    }

    pub(super) fn staying(mut self, id: &str) -> Self {
        self.settled.push((delivery("erp", order(id), State::Applied), None));
        self
    }

    pub(super) fn becoming(mut self, id: &str, would_be: State, fields: &[(&str, Option<&str>, &str)]) -> Self {
        let delivery = delivery("erp", order(id), State::Applied);
        let fields = fields.iter().map(|(field, was, would_be)| wire::FieldChange {
            role: "order".to_owned(),
            field: (*field).to_owned(),
            was: was.map(str::to_owned),
            would_be: (*would_be).to_owned(),
        });
        let rolled = RolledDelivery {
            delivery: Some(delivery.clone()),
            would_be: would_be.into(),
            fields: fields.collect(),
            ..RolledDelivery::default()
        };
        self.settled.push((delivery, Some(rolled)));
        self
    }

    pub(super) fn list(&self, asked: &wire::ListApprovalsRequest) -> wire::ListApprovalsResponse {
        let chosen = self.approvals.iter().filter(|approval| {
            let delivery = approval.delivery.as_ref().unwrap();
            (asked.system.is_empty() || asked.system == delivery.system)
                && (asked.key.is_none() || asked.key == delivery.key)
        });
        let approvals: Vec<_> = chosen.cloned().collect();
        wire::ListApprovalsResponse { total: approvals.len() as i64, approvals }
    }

    /// How many deliveries a word is for.
    pub(super) fn word(&self, system: &str, key: Option<&RecordKey>, seen: Option<Revision>) -> Result<i64, Status> {
        let mut waiting = self.approvals.iter().filter_map(|approval| approval.delivery.as_ref());
        match waiting.find(|delivery| delivery.system == system && delivery.key.as_ref() == key) {
            None => Ok(0),
            Some(delivery) if seen != delivery.desired => Err(Status::failed_precondition("it has changed")),
            Some(_) => Ok(1),
        }
    }

    /// How often systems were looked at.
    pub(super) fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    pub(super) fn asking(&self) -> Option<SystemReport> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let asking = self.asking.lock().unwrap().clone();
        asking.map(|(system, message)| report(&system, Condition::Asking, message))
    }

    pub(super) fn release(&self, system: &str) -> Result<Vec<SystemReport>, Status> {
        let mut asking = self.asking.lock().unwrap();
        if asking.as_ref().is_none_or(|(asks, _)| asks != system) {
            return Err(Status::not_found("not served here"));
        }
        *asking = None;
        Ok(vec![report(system, Condition::Serving, String::new())])
    }

    /// A page, and what was rolled of it.
    pub(super) fn roll(&self, asked: &wire::RollRequest) -> Result<(wire::RollResponse, Vec<String>), Status> {
        if asked.flow != FLOW {
            return Err(Status::not_found("the plan has no such flow"));
        }
        if self.settled.is_empty() {
            // The flow is another service's business.
            return Ok(Default::default());
        }
        if !asked.plan_hash.is_empty() && asked.plan_hash != PLAN {
            return Err(Status::failed_precondition("another plan is obeyed here"));
        }
        let passed: usize = if asked.after.is_empty() { 0 } else { asked.after.parse().unwrap() };
        let most = if asked.most == 0 { usize::MAX } else { asked.most as usize };
        let mut answer = wire::RollResponse { ours: true, plan_hash: PLAN.to_owned(), ..wire::RollResponse::default() };
        let (mut looked_at, mut rolled) = (0, Vec::new());
        for (delivery, becomes) in self.settled.iter().skip(passed).take(PAGE) {
            looked_at += 1;
            let Some(becomes) = becomes else {
                answer.unchanged += 1;
                continue;
            };
            match becomes.would_be() {
                State::Parked => answer.parked += 1,
                _ => answer.written += 1,
            }
            if answer.examples.len() < asked.examples as usize {
                answer.examples.push(becomes.clone());
            }
            rolled.push(format!("roll {}", delivery.name));
            if rolled.len() == most {
                break;
            }
        }
        answer.cursor = (passed + looked_at).to_string();
        answer.more = passed + looked_at < self.settled.len();
        if !asked.change {
            rolled.clear();
        }
        answer.changed = rolled.len() as i64;
        Ok((answer, rolled))
    }
}

fn report(system: &str, condition: Condition, message: String) -> SystemReport {
    SystemReport {
        service: "erp-sync".to_owned(),
        system: system.to_owned(),
        condition: condition.into(),
        message,
        ..SystemReport::default()
    }
}
