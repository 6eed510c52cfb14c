//! Webhook deliveries as they arrive: signature, headers, topic. Pure.
//!
//! Source: <https://shopify.dev/docs/apps/build/webhooks/subscribe/https>; the header names without `X-`:
//! <https://shopify.dev/docs/apps/build/events/delivery-structure>.

mod headers;
mod signature;
mod topic;

pub use headers::{HeaderError, Headers};
pub use signature::{Verifier, secrets, signature, verify};
pub use topic::{Compliance, Topic};
