//! The console as a browser sees it, over services that answer as the real ones do.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod approvals;
mod browser;
mod fake;
mod forms;
mod pages;
mod plan_shown;
mod world;
