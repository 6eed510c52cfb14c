#![doc = include_str!("../README.md")]

pub mod clock;
pub mod database;
pub mod grpc;
pub mod health;
pub mod secret;
pub mod settings;
pub mod tasks;
pub mod telemetry;
pub mod trace_context;

pub use clock::SystemClock;
pub use settings::ServiceSettings;
pub use tasks::Tasks;
