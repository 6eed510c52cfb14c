#![doc = include_str!("../README.md")]

mod app;
mod facts;
mod levels;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
