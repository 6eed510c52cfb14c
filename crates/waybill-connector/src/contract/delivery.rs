//! One document on its way into a system, driven as the engine drives it.

use serde::Serialize;
use waybill_domain::{CallKey, ObjectKey, RecordKey};

use crate::{
    failure::Failure,
    sink::{Applied, Known, Sink, Step, StepCall},
};

/// How often a transient failure, a limit or an ambiguous result of one call is tried again.
const TRIES_AGAIN: usize = 3;

/// One document on its way: its steps, which of them are done, and what they left.
pub struct Delivery<'a, D: Serialize + Sync> {
    sink: &'a dyn Sink<D>,
    record: &'a RecordKey,
    document: &'a D,
    steps: Vec<Step>,
    done: usize,
    known: Known,
    /// Whether the next step may have taken effect already: it is looked up before it is sent.
    ambiguous: bool,
}

impl<'a, D: Serialize + Sync> Delivery<'a, D> {
    /// A delivery with all its steps before it.
    ///
    /// # Panics
    /// If the connector has no steps for the document or gives two of them the same name.
    pub fn new(sink: &'a dyn Sink<D>, record: &'a RecordKey, document: &'a D, known: Known) -> Self {
        let steps = sink.steps(document, &known);
        assert!(!steps.is_empty(), "a document has at least one step");
        for (at, step) in steps.iter().enumerate() {
            assert!(!steps[..at].iter().any(|other| other.name == step.name), "two steps are called {}", step.name);
        }
        Self { sink, record, document, steps, done: 0, known, ambiguous: false }
    }

    /// What earlier revisions and the steps that are done left in the system.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The steps, done or not.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The next step; `None` if all are done.
    pub fn next(&self) -> Option<&Step> {
        self.steps.get(self.done)
    }

    /// Sends the next step once, without any recovery, and marks it done if it succeeds. True if there was one.
    ///
    /// # Errors
    /// The connector's failure.
    pub async fn advance(&mut self) -> Result<bool, Failure> {
        let Some(step) = self.steps.get(self.done) else { return Ok(false) };
        let outcome = self.apply(step).await;
        self.take(outcome)?;
        Ok(true)
    }

    /// Runs the steps that are left, recovering as the engine does. Can be called again after a failure.
    ///
    /// # Errors
    /// The failure that parks the delivery or pauses the system, or a transient one that stays.
    pub async fn drive(&mut self) -> Result<(), Failure> {
        let mut tries_left = TRIES_AGAIN;
        while self.done < self.steps.len() {
            let outcome = self.attempt().await;
            match self.take(outcome) {
                Ok(()) => tries_left = TRIES_AGAIN,
                Err(Failure::Ambiguous { .. } | Failure::Transient { .. } | Failure::RateLimited { .. })
                    if tries_left > 0 =>
                {
                    tries_left -= 1;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Looks one step up, done or not.
    ///
    /// # Errors
    /// The connector's failure.
    pub async fn find(&self, step: &Step) -> Result<Option<Applied>, Failure> {
        let (object_key, call_key) = self.keys(step);
        self.sink.find(&self.call(step, &object_key, &call_key)).await
    }

    /// One look-up if the step may have taken effect, and one call if it has not.
    async fn attempt(&mut self) -> Result<Applied, Failure> {
        let step = &self.steps[self.done];
        if self.ambiguous
            && let Some(found) = self.find(step).await?
        {
            return Ok(found);
        }
        self.apply(step).await
    }

    async fn apply(&self, step: &Step) -> Result<Applied, Failure> {
        let (object_key, call_key) = self.keys(step);
        let mut outcomes = self.sink.apply(&[self.call(step, &object_key, &call_key)]).await;
        assert_eq!(outcomes.len(), 1, "one outcome per call of step {}", step.name);
        outcomes.remove(0)
    }

    /// The keys of one step, as the engine makes them.
    pub(super) fn keys(&self, step: &Step) -> (ObjectKey, CallKey) {
        let payload = serde_json::to_vec(self.document).expect("a document can be written as JSON");
        let object_key = ObjectKey::new(self.record, &step.role);
        let call_key = CallKey::new(&object_key, &step.name, &payload);
        (object_key, call_key)
    }

    /// The call of one step.
    pub(super) fn call<'c>(
        &'c self,
        step: &'c Step,
        object_key: &'c ObjectKey,
        call_key: &'c CallKey,
    ) -> StepCall<'c, D> {
        StepCall { step, document: self.document, object_key, call_key, known: &self.known, is_again: false }
    }

    /// Takes the outcome of the next step: marks it done, or remembers that it must be looked up. That stays until
    /// the step is done: one look-up too many is harmless.
    pub(super) fn take(&mut self, outcome: Result<Applied, Failure>) -> Result<(), Failure> {
        match outcome {
            Ok(applied) => {
                self.known.extend(applied.known);
                self.done += 1;
                self.ambiguous = false;
                Ok(())
            }
            Err(failure) => {
                self.ambiguous |= matches!(failure, Failure::Ambiguous { .. });
                Err(failure)
            }
        }
    }
}
