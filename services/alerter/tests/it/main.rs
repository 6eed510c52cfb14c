//! The watch from outside, on a real PostgreSQL and a real NATS, beside a simulated pager.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod plans;
