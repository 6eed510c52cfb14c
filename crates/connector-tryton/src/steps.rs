//! One way of running a step for several documents, whatever they are.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, StepCall};

use crate::Tryton;

/// One outcome per call, or the failure of a request that served all.
pub(crate) type Outcomes = Result<Vec<Result<Applied, Failure>>, Failure>;

/// A document that this connector takes.
#[async_trait]
pub(crate) trait Taken: Send + Sync + Sized {
    /// Runs the step of the calls, which is the same for all of them.
    async fn run(tryton: &Tryton, calls: &[StepCall<'_, Self>]) -> Outcomes;

    /// A failure of a document as people may see it.
    fn explained(failure: Failure, document: &Self) -> Failure;
}

impl Tryton {
    /// Runs a step for all calls together, and for each alone where Tryton refuses them together: something in one
    /// document spoils a request for all, an unknown field, say.
    pub(crate) async fn apply_together<D: Taken>(&self, calls: &[StepCall<'_, D>]) -> Vec<Result<Applied, Failure>> {
        let outcomes = match D::run(self, calls).await {
            Err(Failure::Rejected { .. }) if calls.len() > 1 => {
                let mut outcomes = Vec::with_capacity(calls.len());
                for call in calls {
                    let alone = D::run(self, std::slice::from_ref(call)).await;
                    outcomes.push(alone.and_then(|mut one| one.remove(0)));
                }
                outcomes
            }
            Err(failure) => calls.iter().map(|_| Err(failure.clone())).collect(),
            Ok(outcomes) => outcomes,
        };
        if outcomes.iter().any(|outcome| matches!(outcome, Err(Failure::Rejected { .. }))) {
            self.book.forget();
        }
        let clean = |(call, outcome): (&StepCall<'_, D>, Result<Applied, Failure>)| {
            outcome.map_err(|failure| D::explained(failure, call.document))
        };
        calls.iter().zip(outcomes).map(clean).collect()
    }
}

/// A step that the connector never named.
pub(crate) fn unknown(name: &str) -> Failure {
    Failure::rejected("exception", "", format!("Tryton's connector has no step '{name}'"))
}

/// What Tryton no longer lets us change.
pub(crate) fn not_amendable(field: &str, message: impl Into<String>) -> Failure {
    Failure::rejected("not_amendable", field, message)
}
