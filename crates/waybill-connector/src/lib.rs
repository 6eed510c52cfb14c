#![doc = include_str!("../README.md")]

#[cfg(feature = "contract")]
pub mod contract;
pub mod deadline;
pub mod failure;
pub mod gate;
pub mod http_client;
pub mod look;
pub mod settings;
pub mod sink;
pub mod source;

pub use failure::Failure;
pub use gate::Gate;
pub use http_client::{Answer, Effect, HttpClient};
pub use look::{Finding, Look, LookCall, Seen};
pub use settings::SystemSettings;
pub use sink::{Applied, FieldSource, FieldsCall, Known, Sink, Step, StepCall};
