//! The vendor's limit, kept before a request is sent.

use std::fmt;

use async_trait::async_trait;

use crate::failure::Failure;

/// Lets requests through at the system's budget. The engine's is shared by all replicas of a service.
#[async_trait]
pub trait Gate: Send + Sync + fmt::Debug {
    /// Waits until one more request may be sent.
    ///
    /// # Errors
    /// [`Failure::RateLimited`] if that would take too long: the delivery waits in the queue instead.
    async fn pass(&self) -> Result<(), Failure>;
}
