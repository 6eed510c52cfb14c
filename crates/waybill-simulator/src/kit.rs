//! What all simulated vendors share: the journal, the faults, the server.

mod faults;
mod journal;
mod server;

pub use faults::{Fault, FaultKind, Faults};
pub use journal::{Entry, Journal};
pub use server::{Running, Simulated, serve};

pub(crate) use server::now_ms;
