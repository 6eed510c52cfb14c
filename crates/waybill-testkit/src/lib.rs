#![doc = include_str!("../README.md")]

mod environment;
mod nats;
mod plain_nats;
mod ports;
mod postgres;
mod postgres_url;
mod process;
mod programs;
mod proxy;
#[cfg(feature = "records")]
pub mod records;
mod scratch;
mod servers;
mod waiting;

pub use nats::PrivateNats;
pub use plain_nats::PlainNats;
pub use ports::free_port;
pub use postgres::PrivatePostgres;
pub use postgres_url::PostgresUrl;
pub use process::{ChildProcess, Launch, Signal, children_of, is_alive};
pub use programs::{Program, find_program, missing_programs};
pub use proxy::Proxy;
pub use scratch::{ScratchFolder, random_hex};
pub use servers::{TestDatabase, TestServers, prism, shared_data, skip_or_fail, tryton_python};
#[cfg(feature = "async")]
pub use waiting::wait_for_async;
pub use waiting::{try_wait_for, wait_for};
