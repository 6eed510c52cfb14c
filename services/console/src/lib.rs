#![doc = include_str!("../README.md")]

mod app;
mod attempts;
mod gate;
mod own;
mod pages;
mod plan_file;
pub mod services;
mod sessions;
pub mod words;

pub use app::App;

/// The service's name.
pub const SERVICE: &str = "console";
/// Every setting with its default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
