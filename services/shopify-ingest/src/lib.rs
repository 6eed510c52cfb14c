#![doc = include_str!("../README.md")]

mod app;
mod backfill;
mod healing;
mod inbox;
mod inbox_past;
mod normalise;
mod operations;
mod reconcile;
mod refetch;
mod refunds;
mod retry;
mod subscriptions;
mod turns;
mod webhooks;

pub use app::{App, DEFAULTS, SERVICE, migrator};
