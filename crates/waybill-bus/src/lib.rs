#![doc = include_str!("../README.md")]

mod bus;
mod fetch;
pub mod subjects;
pub mod topology;

pub use async_nats::jetstream::consumer::PullConsumer;
pub use bus::{Bus, BusError, Incoming, Outgoing, headers};
pub use fetch::Fetcher;
