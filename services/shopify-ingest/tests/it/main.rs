//! The service from outside: webhooks as Shopify sends them, on a real PostgreSQL and a real NATS, beside a simulated
//! Shopify.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod backfilled;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod grouped;
#[cfg(test)]
mod large_bodies;
#[cfg(test)]
mod newest_wins;
#[cfg(test)]
mod odd_bodies;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod reconciled;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod subscribed;
#[cfg(test)]
mod webhook;
