#![doc = include_str!("../README.md")]

mod app;
mod inbox;
mod normalise;
mod operations;
mod refetch;
mod refunds;
mod webhooks;

pub use app::{App, DEFAULTS, SERVICE, migrator};
