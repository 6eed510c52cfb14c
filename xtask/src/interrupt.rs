//! Ctrl-C and SIGTERM: noted, so that everything stops in order.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Notes them from now on instead of dying; a second one ends us at once, and our children with us.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .context("watching for Ctrl-C")
}

/// Whether one came.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
