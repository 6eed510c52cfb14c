#![doc = include_str!("../README.md")]

pub mod check;
pub mod decide;
pub mod expression;
mod file;
mod plan;
mod view;

pub use check::Problem;
pub use decide::{CustomerTotals, Decision, DeliveryFacts, Document, Facts, ReceiptFact, decide};
pub use plan::{Connectors, Flow, Plan, PlanError, Stock, Store, System};
pub use view::person_email;
