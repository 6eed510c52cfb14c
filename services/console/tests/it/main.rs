//! The console as a browser sees it, over services that answer as the real ones do.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access;
mod browser;
mod fake;
mod forms;
mod pages;
mod world;
