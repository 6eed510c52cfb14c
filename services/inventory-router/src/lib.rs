#![doc = include_str!("../README.md")]

mod app;
mod levels;
mod facts;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
