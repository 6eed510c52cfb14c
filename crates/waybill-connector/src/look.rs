//! What a look at a system sees of documents' objects, without touching them.

use std::collections::{BTreeMap, BTreeSet};

use waybill_domain::document::FieldValue;

use crate::{failure::Failure, sink::Known};

/// One document whose objects are looked for.
#[derive(Debug, Clone, Copy)]
pub struct LookCall<'a, D> {
    /// What was brought there, so far as it is known. It carries the keys of its objects.
    pub document: &'a D,
    /// Ids by role, from earlier steps and revisions.
    pub known: &'a Known,
}

/// What a look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The system can be told and not asked.
    Untold,
    /// It answered.
    Seen(Seen),
}

impl Look {
    /// All is as it was brought there.
    pub fn whole() -> Self {
        Self::Seen(Seen::default())
    }

    /// This, and nothing else, is not as it was brought there.
    pub fn found(finding: Finding) -> Self {
        Self::Seen(Seen { findings: vec![finding], only: BTreeMap::new() })
    }

    /// No object of this role carries the key.
    pub fn missing(role: &str) -> Self {
        Self::found(Finding::Missing { role: role.to_owned() })
    }

    /// Several objects of this role carry the one key.
    pub fn doubled(role: &str, ids: Vec<String>) -> Self {
        Self::found(Finding::Doubled { role: role.to_owned(), ids })
    }
}

/// What the system answered about a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What is not as it was brought there; empty if all is.
    pub findings: Vec<Finding>,
    /// Of objects that were adopted with some of their mapped fields only: these fields, by the object's role.
    pub only: BTreeMap<String, BTreeSet<String>>,
}

/// One thing that is not as it was brought there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// No object of this role carries the key.
    Missing {
        /// Which of the document's objects.
        role: String,
    },
    /// Several objects carry the one key.
    Doubled {
        /// Which of the document's objects.
        role: String,
        /// The system's ids of them, as people look them up there.
        ids: Vec<String>,
    },
    /// A value that the document itself has, beside its mapped fields.
    Differs {
        /// Which of the document's objects.
        role: String,
        /// What people call it: `quantity`, `cancelled`.
        field: String,
        /// As the document has it.
        ours: FieldValue,
        /// As it is there.
        theirs: FieldValue,
        /// Whether writing the document again sets it; else a person has to, there.
        is_writable: bool,
    },
}

impl Finding {
    /// Whether it stands or was cancelled is otherwise there than the document says.
    pub fn cancelled(role: &str, ours: bool, is_writable: bool) -> Self {
        Self::Differs {
            role: role.to_owned(),
            field: "cancelled".to_owned(),
            ours: FieldValue::Bool(ours),
            theirs: FieldValue::Bool(!ours),
            is_writable,
        }
    }
}

/// Looks at documents in parts of at most `most`, one part after another. Once the system itself fails, the rest is not
/// asked for: they fail likewise.
pub async fn in_parts<'a, D, F>(
    calls: &'a [LookCall<'a, D>],
    most: usize,
    mut look: impl FnMut(&'a [LookCall<'a, D>]) -> F,
) -> Vec<Result<Look, Failure>>
where
    F: Future<Output = Result<Vec<Look>, Failure>>,
{
    let mut looks: Vec<Result<Look, Failure>> = Vec::with_capacity(calls.len());
    let mut broken = None;
    for part in calls.chunks(most.max(1)) {
        let outcome = match broken.clone() {
            Some(failure) => Err(failure),
            None => look(part).await,
        };
        match outcome {
            Ok(part) => looks.extend(part.into_iter().map(Ok)),
            Err(failure) => {
                looks.extend(part.iter().map(|_| Err(failure.clone())));
                broken = broken.or_else(|| Some(failure).filter(|failure| !is_of_one(failure)));
            }
        }
    }
    looks
}

/// Whether a failure says something of one record only, and not of the system.
pub const fn is_of_one(failure: &Failure) -> bool {
    match failure {
        Failure::Rejected { .. } | Failure::Conflict { .. } | Failure::Malformed { .. } => true,
        Failure::Transient { .. }
        | Failure::RateLimited { .. }
        | Failure::Unauthorized { .. }
        | Failure::Ambiguous { .. } => false,
    }
}
