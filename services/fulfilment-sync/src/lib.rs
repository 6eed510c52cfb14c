#![doc = include_str!("../README.md")]

mod app;
mod orders;
mod parcels;
mod unclaimed;
mod vendors;

pub use app::{App, DEFAULTS, SERVICE, migrator};
