#![doc = include_str!("../README.md")]

mod app;
mod catalogue;
mod facts;
mod variants;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
