//! The contract suite: what the engine relies on, checked against a vendor or its simulator.
//!
//! A connector's tests implement [`Bench`] and name the suite once:
//!
//! ```text
//! waybill_connector::contract_tests!(OrderDocument, TrytonBench::start().await);
//! ```
//!
//! which makes one test per rule of [`rules`]. A vendor that cannot keep a rule lists the ones that it keeps and
//! shows in tests of its own what happens instead:
//!
//! ```text
//! waybill_connector::contract_tests!(IncidentDocument, SlackBench::start().await, [an_unknown_key_is_not_found]);
//! ```
//!
//! Two rules are about what happens at a vendor behind our back, and are named beside the others where it can:
//! `a_look_tells_what_was_lost` and `a_look_tells_of_two_and_leaves_both`.
//!
//! Trouble is put in the way of each single request of a delivery in turn, so that a connector that reads before it
//! writes is tried at the read and at the write.

mod delivery;
mod looks;
pub mod prism;
pub mod rules;

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use waybill_domain::RecordKey;

pub use delivery::Delivery;

use crate::{
    failure::Failure,
    sink::{Known, Sink},
};

/// What can be put in a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 429 with the vendor's own headers and body.
    TooManyRequests {
        /// What the vendor asks the caller to wait, in seconds.
        retry_after_s: u64,
    },
    /// The vendor's own refusal of wrong credentials.
    Unauthorized,
    /// 500; the request did not take effect.
    ServerError,
    /// The connection is cut after the request was sent and before it took effect.
    CutBefore,
    /// The connection is cut after the request took effect.
    CutAfter,
    /// A 5xx after the request took effect.
    ErrorAfter,
    /// 200 with a body that the vendor never sends; the request did not take effect.
    ErrorIn200,
}

/// A connector on the bench with its vendor or the vendor's simulator.
#[async_trait]
pub trait Bench<D: Serialize + Send + Sync>: Send + Sync {
    /// The connector, pointed at the vendor.
    fn sink(&self) -> &dyn Sink<D>;

    /// The record of the document with this number: what its object keys are made of.
    fn record(&self, n: usize) -> RecordKey;

    /// A valid document; each number gives another one, for another record.
    fn document(&self, n: usize) -> D;

    /// A later revision of a document: valid, the same record, at least one value changed.
    fn changed(&self, document: &D) -> D;

    /// A document that the vendor refuses for what is in it, for the record of this number; `None` if no document
    /// can be made that the connector sends and the vendor refuses.
    fn refused(&self, n: usize) -> Option<D>;

    /// How many objects the vendor holds for a document's record, asked from the vendor and not by the connector.
    async fn objects(&self, document: &D) -> usize;

    /// Whether the vendor's object shows the document's values, those that [`Bench::changed`] changes at least.
    async fn holds(&self, document: &D) -> bool;

    /// Puts trouble in the way of one request: the next if `skip` is 0, else after letting so many pass.
    async fn inject(&self, trouble: Trouble, skip: usize);

    /// Whether injected trouble has not struck yet.
    async fn pending(&self) -> bool;

    /// Lifts all trouble.
    async fn clear(&self);

    /// How many writes the vendor has accepted so far.
    async fn writes(&self) -> usize;

    /// The vendor loses a document's object behind our back, for [`rules::a_look_tells_what_was_lost`]. Levels and
    /// prices are always there.
    async fn lose(&self, _document: &D) {
        panic!("this vendor loses nothing: leave the rule out");
    }

    /// Somebody makes a second object with a document's key, for [`rules::a_look_tells_of_two_and_leaves_both`]. Many
    /// vendors keep keys unique.
    async fn double(&self, _document: &D) {
        panic!("this vendor keeps keys unique: leave the rule out");
    }

    /// What the connector must report for [`Trouble::TooManyRequests`]: the wait that the vendor states. To be
    /// overridden for a vendor that states none or another one.
    fn stated_wait(&self, retry_after_s: u64) -> Duration {
        Duration::from_secs(retry_after_s)
    }
}

/// Runs all steps of a document as the engine does: one call at a time, adding what each leaves to `known`; an
/// ambiguous result is looked up, and the step is sent again only if nothing is found; a transient failure or a limit
/// is tried again at once, three times.
///
/// # Errors
/// The failure that parks the delivery or pauses the system, or a transient one that stays.
pub async fn drive<D: Serialize + Sync>(
    sink: &dyn Sink<D>,
    record: &RecordKey,
    document: &D,
    known: Known,
) -> Result<Known, Failure> {
    let mut delivery = Delivery::new(sink, record, document, known);
    delivery.drive().await?;
    Ok(delivery.known().clone())
}

/// Makes one test per rule of [`rules`]: `contract_tests!(Document, bench)` for all of them, with a list of names in
/// brackets after it for some. `bench` is evaluated anew in each test and may await. The tests need `tokio` with
/// `macros` and `rt`.
#[macro_export]
macro_rules! contract_tests {
    ($document:ty, $bench:expr) => {
        $crate::contract_tests!(
            $document,
            $bench,
            [
                a_second_upsert_makes_no_second_object,
                an_update_changes_and_does_not_add,
                a_limit_is_reported_with_the_vendors_wait,
                refused_credentials_are_unauthorized,
                a_server_error_is_transient_or_ambiguous,
                a_cut_before_acting_ends_in_one_object,
                a_cut_after_acting_ends_in_one_object,
                an_error_after_acting_ends_in_one_object,
                an_update_cut_after_acting_ends_in_one_changed_object,
                an_error_body_in_a_200_is_never_success,
                a_refused_document_is_rejected,
                a_batch_answers_in_order,
                an_unknown_key_is_not_found,
                a_look_sees_what_was_applied_and_writes_nothing,
            ]
        );
    };
    ($document:ty, $bench:expr, [$($rule:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let bench = $bench;
                $crate::contract::rules::$rule::<$document>(&bench).await;
            }
        )+
    };
}
