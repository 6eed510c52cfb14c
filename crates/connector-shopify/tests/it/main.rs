//! The connector from outside: Shopify's own samples and schema, and the simulated Shopify.

#[cfg(test)]
mod bulk;
#[cfg(test)]
mod bulk_operations;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod mutated_bodies;
#[cfg(test)]
mod parcels;
#[cfg(test)]
mod prices;
#[cfg(test)]
mod records;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod shop;
