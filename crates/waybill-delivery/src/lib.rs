#![doc = include_str!("../README.md")]

mod apply;
mod asking;
mod audit;
mod backoff;
mod bodies;
mod budget;
mod deciding;
mod engine;
mod first_run;
pub mod frame;
mod gathering;
mod hearing;
mod hooks;
mod intake;
pub mod ledger;
pub mod operations;
mod outbox;
mod outcome;
pub mod pruning;
mod receipts;
mod reporting;
mod restored;
mod sabotage;
mod schema;
mod settling;
mod sinks;
mod store;
mod sweep;
mod taken;
pub mod tally;
#[cfg(test)]
mod tests;
mod window;
mod worker;

pub use budget::SharedBudget;
pub use engine::{Engine, EngineParts, Served};
pub use frame::{Frame, Uses};
pub use hooks::{Hooks, NoHooks};
pub use intake::decide_anew;
pub use ledger::Ledger;
pub use outbox::{OutboxRow, keep_publishing};
pub use restored::begin_epoch;
pub use schema::migrator;
pub use sinks::SystemPort;
pub use sweep::cursor_of;
pub use worker::LEASE;
