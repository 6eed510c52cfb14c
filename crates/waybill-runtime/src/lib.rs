#![doc = include_str!("../README.md")]

pub mod alone;
pub mod clock;
pub mod database;
pub mod grpc;
pub mod health;
pub mod metrics;
pub mod secret;
pub mod settings;
pub mod tasks;
pub mod telemetry;
pub mod trace_context;

/// Of every program that runs a service: the system's allocator took a third of a busy connector's processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use alone::{Ended, keep_running, run_alone};
pub use clock::SystemClock;
pub use metrics::Metrics;
pub use settings::ServiceSettings;
pub use tasks::Tasks;
