//! The plan: what is decided, and what is refused.

mod checking;
mod deciding;
mod fixture;
