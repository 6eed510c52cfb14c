//! Systems that take records.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use waybill_domain::{CallKey, ObjectKey, document::Fields};

use crate::{
    failure::Failure,
    look::{Look, LookCall},
};

/// What earlier steps and earlier revisions left in the system, per role: `party` → its id there.
pub type Known = BTreeMap<String, String>;

/// One call's worth of work on the way to a document: `party`, `draft`, `confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done; unique within a document's steps.
    pub name: Cow<'static, str>,
    /// Which object it concerns: the role that its object key is made of.
    pub role: Cow<'static, str>,
    /// Whether sending it twice has the effect of sending it once: the vendor honours our key, or it sets state.
    /// A cut during a step that is not is ambiguous and looked up with `find` before any resend.
    pub idempotent: bool,
}

impl Step {
    /// A step that may be sent again.
    pub const fn idempotent(name: &'static str, role: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), role: Cow::Borrowed(role), idempotent: true }
    }

    /// A step that must not be sent again without a look.
    pub const fn unkeyed(name: &'static str, role: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), role: Cow::Borrowed(role), idempotent: false }
    }
}

/// One step to run for one document.
#[derive(Debug, Clone, Copy)]
pub struct StepCall<'a, D> {
    /// The step.
    pub step: &'a Step,
    /// What the system is to hold in the end.
    pub document: &'a D,
    /// Names the object of the step's role for ever. Stored in the vendor's record.
    pub object_key: &'a ObjectKey,
    /// Names this call. Sent as the idempotency header where the vendor has one.
    pub call_key: &'a CallKey,
    /// Ids by role, from earlier steps and revisions.
    pub known: &'a Known,
    /// Whether a call with this key was begun before: what is found was made of this document, and what differs from it
    /// was changed there since.
    pub is_again: bool,
}

/// What a step left in the system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The system's id of the record as people would look it up; shown on the waybill. Absent if the step made none.
    pub external_id: Option<String>,
    /// What later steps and revisions need, by role. Added to [`Known`]; a value replaces the earlier one.
    pub known: Known,
    /// Whether anything was written. False if the system held it all already.
    pub wrote: bool,
}

impl Applied {
    /// A write that left the object `role` with this id.
    pub fn wrote(role: &str, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { external_id: Some(id.clone()), known: Known::from([(role.to_owned(), id)]), wrote: true }
    }

    /// Nothing to write: the object `role` with this id is as it should be.
    pub fn unchanged(role: &str, id: impl Into<String>) -> Self {
        Self { wrote: false, ..Self::wrote(role, id) }
    }
}

/// A system that takes documents of type `D`. Implementing `Sink<OrderDocument>` *is* the capability `order-sink`.
#[async_trait]
pub trait Sink<D: Sync>: Send + Sync {
    /// The steps that bring the document into the system, in order; never empty. Pure: the same document and the
    /// same `known` give the same steps. One that is not idempotent makes what is not there yet: with that known, the
    /// step that brings it to the document is another, or finds by itself what is left to do.
    fn steps(&self, document: &D, known: &Known) -> Vec<Step>;

    /// How many calls of one step [`Sink::apply`] takes at once: the vendor's batch size, 1 where there is none.
    fn batch_size(&self, _step: &str) -> usize {
        1
    }

    /// Runs one step for one or more documents (at most [`Sink::batch_size`], all of the same step, none with the
    /// same object key as another). Answers one outcome per call, in order.
    async fn apply(&self, calls: &[StepCall<'_, D>]) -> Vec<Result<Applied, Failure>>;

    /// What the system holds under the call's object key as far as this step is concerned: `None` if the step has
    /// not taken effect and can be run. What it made may be of an earlier document: then its steps begin again with
    /// what was found known. Finds *all* objects with the key; where there are several, keeps the lowest
    /// id and removes the others if the vendor allows it (drafts), else fails with `Rejected`.
    async fn find(&self, call: &StepCall<'_, D>) -> Result<Option<Applied>, Failure>;

    /// What the system holds of documents that were brought there, by their keys and the ids that are known. Unlike
    /// [`Sink::find`] it touches nothing, and tells of several objects with one key instead of settling it. Answers one
    /// outcome per call, in order; any number of calls is taken.
    async fn look(&self, calls: &[LookCall<'_, D>]) -> Vec<Result<Look, Failure>>;
}

/// A question for the fields of one record as the system holds them.
#[derive(Debug, Clone, Copy)]
pub struct FieldsCall<'a, D> {
    /// What is going to be written.
    pub document: &'a D,
    /// Which of the document's objects: `order`, or `customer` for its buyer.
    pub role: &'a str,
    /// Names the object for ever.
    pub object_key: &'a ObjectKey,
    /// Ids by role, from earlier steps and revisions.
    pub known: &'a Known,
    /// The system's names of the fields.
    pub names: &'a BTreeSet<String>,
}

/// A system whose records' mapped fields can be read back. The descriptor names the capability in `reads`.
#[async_trait]
pub trait FieldSource<D: Sync>: Send + Sync {
    /// What the system holds of these fields now, empty ones as `Null`; `None` if it has no such record, one that a
    /// match rule of the document finds included. Answers one outcome per call, in order; any number of calls is
    /// taken, all of the same role.
    async fn read_fields(&self, calls: &[FieldsCall<'_, D>]) -> Vec<Result<Option<Fields>, Failure>>;
}

/// Whether what a cut call may have left of a record is looked for before it is sent again: always, but where a test breaks
/// that promise on purpose to see that it shows (`waybill-faults`).
pub fn looks_before_resending(record_id: &str) -> bool {
    !waybill_faults::breaks("resend-without-lookup", record_id)
}

/// Any system: whether its credentials work.
#[async_trait]
pub trait Check: Send + Sync {
    /// A cheap read that needs valid credentials. The engine resumes a paused system when it passes.
    async fn check(&self) -> Result<(), Failure>;
}
