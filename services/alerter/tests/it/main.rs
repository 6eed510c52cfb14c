//! The watch from outside, on a real PostgreSQL and a real NATS, beside a simulated pager.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod erp;
#[cfg(test)]
mod lateness;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod silence;
