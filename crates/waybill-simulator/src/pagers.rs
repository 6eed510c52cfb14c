//! Simulated pagers: PagerDuty's Events API v2, Slack's incoming webhooks, and a receiver of signed webhooks.
//!
//! Each tells its state under `GET /_state`, beside the vendor's own paths.

pub mod pagerduty;
pub mod slack;
pub mod webhook;

#[cfg(test)]
mod wrong_requests;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
