//! A system that can be told how to answer.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection};
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall, sink::Check};
use waybill_domain::document::{Fields, OrderDocument, RefundDocument};

/// How the system answers a call.
#[derive(Debug, Clone)]
pub(in crate::tests) enum Answer {
    Fail(Failure),
    ActThen(Failure),
    ActThenHang,
    Hang,
    ActAfter(Duration),
}

/// A system that takes orders, and counts what is asked of it.
#[derive(Default)]
pub(super) struct System {
    pub(super) answers: Mutex<VecDeque<Answer>>,
    /// For the next call of one order alone, by its name.
    pub(super) scripts: Mutex<BTreeMap<String, Answer>>,
    /// What it holds of each order: so many units.
    pub(super) held: Mutex<BTreeMap<String, i64>>,
    pub(super) hanging: AtomicUsize,
    pub(super) always: Mutex<Option<Failure>>,
    /// Object key → the order's name, as often as it was created.
    pub(super) objects: Mutex<Vec<(String, String)>>,
    pub(super) refunds: Mutex<Vec<String>>,
    pub(super) calls: AtomicUsize,
    pub(super) looks: AtomicUsize,
    /// Of each look for what a call made: whether it was said to be of this very call.
    pub(super) looked_again: Mutex<Vec<bool>>,
    pub(super) looks_fail: Mutex<Option<Failure>>,
    pub(super) audits: AtomicUsize,
    pub(super) fields: Mutex<BTreeMap<String, Fields>>,
    pub(super) look_takes: Mutex<Duration>,
    pub(super) checks_fail: AtomicBool,
}

#[async_trait]
impl Sink<OrderDocument> for System {
    fn steps(&self, _document: &OrderDocument, known: &Known) -> Vec<Step> {
        let is_known = known.contains_key("order");
        vec![if is_known { Step::idempotent("update", "order") } else { Step::unkeyed("create", "order") }]
    }

    async fn apply(&self, calls: &[StepCall<'_, OrderDocument>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes = Vec::new();
        for call in calls {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let act = || {
                let units = call.document.lines.iter().map(|line| line.quantity).sum();
                self.held.lock().unwrap().insert(call.document.name.clone(), units);
                let mut objects = self.objects.lock().unwrap();
                if !objects.iter().any(|(key, _)| key == call.object_key.as_str()) || call.known.is_empty() {
                    objects.push((call.object_key.to_string(), call.document.name.clone()));
                }
                let mut fields = self.fields.lock().unwrap();
                let kept = &call.document.policy.keep;
                let written = call.document.fields.iter().filter(|(name, _)| !kept.contains(*name));
                let written = written.map(|(name, value)| (name.clone(), value.clone()));
                fields.entry(call.document.name.clone()).or_default().extend(written);
                Applied::wrote("order", "7")
            };
            if let Some(failure) = self.always.lock().unwrap().clone() {
                outcomes.push(Err(failure));
                continue;
            }
            let scripted = self.scripts.lock().unwrap().remove(&call.document.name);
            let answer = scripted.or_else(|| self.answers.lock().unwrap().pop_front());
            outcomes.push(match answer {
                None => Ok(act()),
                Some(Answer::Fail(failure)) => Err(failure),
                Some(Answer::ActThen(failure)) => {
                    act();
                    Err(failure)
                }
                Some(Answer::ActThenHang) => {
                    act();
                    self.hanging.fetch_add(1, Ordering::SeqCst);
                    std::future::pending().await
                }
                Some(Answer::Hang) => {
                    self.hanging.fetch_add(1, Ordering::SeqCst);
                    std::future::pending().await
                }
                Some(Answer::ActAfter(time)) => {
                    tokio::time::sleep(time).await;
                    Ok(act())
                }
            });
        }
        outcomes
    }

    async fn find(&self, call: &StepCall<'_, OrderDocument>) -> Result<Option<Applied>, Failure> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.looked_again.lock().unwrap().push(call.is_again);
        let time = *self.look_takes.lock().unwrap();
        tokio::time::sleep(time).await;
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().any(|(key, _)| key == call.object_key.as_str());
        let fields = self.fields.lock().unwrap();
        let shown = fields.get(&call.document.name);
        let shows = |name: &String, value| shown.and_then(|shown| shown.get(name)) == Some(value);
        let wanted = call.document.fields.iter().filter(|(name, _)| !call.document.policy.keep.contains(*name));
        let found = found && wanted.into_iter().all(|(name, value)| shows(name, value));
        Ok(found.then(|| Applied::unchanged("order", "7")))
    }

    async fn look(&self, calls: &[LookCall<'_, OrderDocument>]) -> Vec<Result<Look, Failure>> {
        let broken = self.looks_fail.lock().unwrap().clone();
        self.audits.fetch_add(1, Ordering::SeqCst);
        let time = *self.look_takes.lock().unwrap();
        tokio::time::sleep(time * u32::try_from(calls.len()).unwrap()).await;
        let objects = self.objects.lock().unwrap();
        let look = |call: &LookCall<'_, OrderDocument>| {
            let found = objects.iter().filter(|(key, _)| key == call.document.key.as_str());
            match found.map(|(_, name)| name.as_str()).collect::<Vec<_>>().as_slice() {
                [] => Look::missing("order"),
                [_] => Look::whole(),
                several => Look::doubled("order", (7..).take(several.len()).map(|id: i32| id.to_string()).collect()),
            }
        };
        calls.iter().map(|call| broken.clone().map_or_else(|| Ok(look(call)), Err)).collect()
    }
}

#[async_trait]
impl Sink<RefundDocument> for System {
    fn steps(&self, _document: &RefundDocument, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent("refund", "refund")]
    }

    async fn apply(&self, calls: &[StepCall<'_, RefundDocument>]) -> Vec<Result<Applied, Failure>> {
        let refund = |call: &StepCall<'_, RefundDocument>| {
            self.refunds.lock().unwrap().push(call.document.source_id.to_string());
            Ok(Applied::wrote("refund", "8"))
        };
        calls.iter().map(refund).collect()
    }

    async fn find(&self, _call: &StepCall<'_, RefundDocument>) -> Result<Option<Applied>, Failure> {
        Ok(None)
    }

    async fn look(&self, calls: &[LookCall<'_, RefundDocument>]) -> Vec<Result<Look, Failure>> {
        calls.iter().map(|_| Ok(Look::whole())).collect()
    }
}

#[async_trait]
impl Check for System {
    async fn check(&self) -> Result<(), Failure> {
        if self.checks_fail.load(Ordering::SeqCst) {
            Err(Failure::Unauthorized { message: "401".to_owned() })
        } else {
            Ok(())
        }
    }
}

impl super::Bench {
    /// While a condition holds, whatever is put back comes there late.
    pub(in crate::tests) async fn late_when(&self, condition: &str) {
        let late = [
            format!(
                "create function erp_sync.late() returns trigger language plpgsql as $$ begin
                     if {condition} then perform pg_sleep(1); end if;
                     return null;
                 end $$"
            ),
            "create trigger late before update on erp_sync.delivery for each statement execute function erp_sync.late()"
                .to_owned(),
        ];
        let mut admin = PgConnection::connect(&self.admin()).await.unwrap();
        for statement in late {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        }
    }

    /// What the system holds in a mapped field of an order, by its name.
    pub(in crate::tests) fn field(&self, order: &str, field: &str) -> Option<String> {
        let fields = self.system.fields.lock().unwrap();
        fields.get(order)?.get(field).map(waybill_domain::document::FieldValue::to_text)
    }
}
