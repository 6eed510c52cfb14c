#![doc = include_str!("../README.md")]

mod accounting;
mod app;
mod approvals;
mod gaps;
mod hearing;
mod incidents;
mod lateness;
mod lines;
mod plans;
mod replicas;
mod reports;
mod road;
mod say_again;
mod silence;
mod standing;
mod vendors;
mod watch;

pub use app::{App, DEFAULTS, SERVICE, migrator};
