#![doc = include_str!("../README.md")]

mod accounting;
mod app;
mod incidents;
mod lines;
mod plans;
mod replicas;
mod reports;
mod say_again;
mod vendors;
mod watch;

pub use app::{App, DEFAULTS, SERVICE, migrator};
