#![doc = include_str!("../README.md")]

#[cfg(feature = "on")]
mod on;

/// A place where a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// As [`crash_point`] names it.
    pub name: &'static str,
    /// Who passes it.
    pub by: By,
}

/// Which services pass a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The one that receives webhooks.
    Ingest,
    /// Those that say records or receipts.
    Sayers,
    /// Those that deliver records to systems.
    Deliverers,
    /// Those that deliver records, and the watch, which delivers pages.
    Writers,
}

const fn point(name: &'static str, by: By) -> Point {
    Point { name, by }
}

/// Every point, in the order of a change's way.
pub const POINTS: [Point; 14] = [
    point("inbox-before-commit", By::Ingest),
    point("inbox-committed", By::Ingest),
    point("webhook-answered", By::Ingest),
    point("outbox-read", By::Sayers),
    point("published-unacknowledged", By::Sayers),
    point("outbox-acknowledged", By::Sayers),
    point("outbox-marked", By::Sayers),
    point("intake-before-commit", By::Deliverers),
    point("intake-committed", By::Deliverers),
    point("claimed", By::Writers),
    point("intent-committed", By::Writers),
    point("request-sent", By::Writers),
    point("answer-read", By::Writers),
    point("receipt-committed", By::Deliverers),
];

/// Promises that can be broken.
pub const PROMISES: [&str; 4] = ["drop-publish", "resend-without-lookup", "apply-older", "lose-receipt"];

/// The variable that names the point to die at.
pub const CRASH_AT: &str = "WAYBILL_CRASH_AT";
/// The variable that names the promise to break.
pub const SABOTAGE: &str = "WAYBILL_SABOTAGE";

/// Ends the process here if it was asked to.
#[inline]
pub fn crash_point(name: &'static str) {
    #[cfg(feature = "on")]
    on::crash_point(name);
    #[cfg(not(feature = "on"))]
    let _ = name;
}

/// As [`crash_point`], a moment later: for what happens after a function has returned, such as an answer's sending.
#[inline]
pub fn crash_soon(name: &'static str) {
    #[cfg(feature = "on")]
    on::crash_soon(name);
    #[cfg(not(feature = "on"))]
    let _ = name;
}

/// Whether a promise is broken for a record, by its id.
#[inline]
pub fn breaks(promise: &'static str, record_id: &str) -> bool {
    #[cfg(feature = "on")]
    return on::breaks(promise, record_id);
    #[cfg(not(feature = "on"))]
    {
        let _ = (promise, record_id);
        false
    }
}
