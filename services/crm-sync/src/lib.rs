#![doc = include_str!("../README.md")]

mod app;
mod totals;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
