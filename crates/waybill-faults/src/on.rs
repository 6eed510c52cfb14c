//! The feature `on`.

use std::{sync::OnceLock, time::Duration};

use crate::{CRASH_AT, SABOTAGE};

/// An answer on loopback is sent within this.
const SOON: Duration = Duration::from_millis(50);

#[expect(clippy::disallowed_methods, reason = "nothing but a test sets these, and only where this is compiled in")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn asked(name: &str) -> bool {
    static AT: OnceLock<Option<String>> = OnceLock::new();
    AT.get_or_init(|| variable(CRASH_AT)).as_deref() == Some(name)
}

pub(crate) fn crash_point(name: &str) {
    if asked(name) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal is on its way; nothing more is to happen.
        loop {
            std::thread::park();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "there is no condition to wait for: the answer leaves unseen")]
pub(crate) fn crash_soon(name: &'static str) {
    if asked(name) {
        std::thread::spawn(move || {
            std::thread::sleep(SOON);
            crash_point(name);
        });
    }
}

pub(crate) fn breaks(promise: &str, record_id: &str) -> bool {
    static BROKEN: OnceLock<Option<String>> = OnceLock::new();
    let is_broken = BROKEN.get_or_init(|| variable(SABOTAGE)).as_deref() == Some(promise);
    // Few calls are cut at the moment that matters here.
    is_broken && (promise == "resend-without-lookup" || record_id.ends_with(['3', '7']))
}
