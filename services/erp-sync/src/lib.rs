#![doc = include_str!("../README.md")]

mod app;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
