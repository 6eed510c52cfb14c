//! Sales: what orders and refunds are booked as, on their way from draft through quotation and confirmation to
//! processing.

mod adopt;
mod amend;
mod draft;
mod look;
mod lookup;
mod states;

use async_trait::async_trait;
use serde::Serialize;
use waybill_connector::{Applied, Failure, Known, StepCall};
use waybill_domain::{
    ObjectKey, RecordId,
    document::{Fields, WritePolicy},
};

use crate::{
    Tryton,
    mapping::sale::{self, Wanted},
    wire::Id,
};

pub(crate) use adopt::{FIELDS, fields_only};
pub(crate) use lookup::{Referred, sale_of};

/// Steps of every sale.
pub(crate) const DRAFT: &str = "draft";
pub(crate) const QUOTE: &str = "quote";
pub(crate) const CONFIRM: &str = "confirm";
pub(crate) const PROCESS: &str = "process";
pub(crate) const AMEND: &str = "amend";

/// Roles in [`Known`], beside the document's own.
const STATE: &str = "sale_state";
const HASH: &str = "sale_hash";
const NUMBER: &str = "sale_number";

/// A document that is booked as a sale with our key as its reference.
#[async_trait]
pub(crate) trait Booked: Serialize + Send + Sync + Sized {
    /// The role of the sale's id in [`Known`].
    const ROLE: &'static str;
    /// Whether sales from before us are looked for.
    const ADOPTS: bool;

    fn key(&self) -> &ObjectKey;
    fn record(&self) -> &RecordId;
    fn fields(&self) -> &Fields;
    fn policy(&self) -> &WritePolicy;
    /// Whether a sale is to stand for it: not for what was cancelled or comes to nothing.
    fn stands(&self) -> bool;

    /// What the sale of each call is to hold.
    async fn wanted(tryton: &Tryton, calls: &[StepCall<'_, Self>]) -> Result<Vec<Result<Wanted, Failure>>, Failure>;
}

/// Whether Tryton lets nobody take the sale back any more, as far as earlier steps and revisions saw.
pub(crate) fn is_settled(known: &Known) -> bool {
    matches!(known.get(STATE).map(String::as_str), Some("processing" | "done"))
}

/// What a sale's row says for later steps.
pub(crate) fn applied<D: Booked>(id: Id, state: &str, number: Option<&str>, wrote: bool) -> Applied {
    let mut known = Known::from([(D::ROLE.to_owned(), id.to_string()), (STATE.to_owned(), state.to_owned())]);
    if let Some(number) = number {
        known.insert(NUMBER.to_owned(), number.to_owned());
    }
    Applied { external_id: number.map(str::to_owned), known, wrote }
}

/// The same with the document's hash: the sale holds the document.
fn holds<D: Booked>(mut applied: Applied, call: &StepCall<'_, D>) -> Applied {
    applied.known.insert(HASH.to_owned(), sale::hash(call.document));
    applied
}

/// Whether the document is the one that the sale was last made to hold.
fn is_held<D: Booked>(call: &StepCall<'_, D>) -> bool {
    call.known.get(HASH).is_some_and(|hash| *hash == sale::hash(call.document))
}
