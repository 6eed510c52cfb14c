#![doc = include_str!("../README.md")]

mod app;
mod facts;
mod levels;
#[cfg(test)]
mod tests;
mod unheard;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
