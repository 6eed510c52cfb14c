//! The plan: what is decided, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checking;
mod deciding;
mod editing;
mod fixture;
mod mutated;
mod owning;
mod pricing;
mod simulating;
