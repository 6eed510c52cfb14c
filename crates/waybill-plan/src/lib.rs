#![doc = include_str!("../README.md")]

mod check;
pub mod codes;
pub mod decide;
mod diagnostic;
mod expression;
mod plan;
mod read;
pub mod recorded;
mod schema;
pub mod show;
pub mod simulate;
mod timing;
mod typing;
mod view;

pub use check::{References, Resolve, needs};
pub use decide::{
    CustomerTotals, Decision, DeliveryFacts, Differing, Document, Facts, Held, ORDER_IGNORED, OrderFact, Override,
    Overrides, Planned, ReceiptFact, ReceiptState, Remote, Stands, StoreVariant, WaitFor, Write, began_at, decide,
    differing, editable, held, owner_of_kind, target_key,
};
pub use diagnostic::{Problem, Problems, Severity};
pub use expression::ExpressionError;
pub use plan::{
    Catalog, Checked, Connectors, Expected, Flow, Hold, KindRule, OnConflict, OnEdit, OnLeave, Owner, Pager, Plan,
    Retry, Stock, Store, System,
};
pub use timing::Timing;
pub use view::person_email;
