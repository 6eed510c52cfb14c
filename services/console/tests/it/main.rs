//! The console as a browser sees it, over services that answer as the real ones do.

mod access;
mod browser;
mod fake;
mod forms;
mod pages;
mod world;
