//! The connector against the simulated HubSpot, and the simulated HubSpot against prism.

mod account;
mod contacts;
mod customers_keep_the_contract;
mod limits_and_refusals;
mod orders;
mod orders_keep_the_contract;
mod setup;
mod shipments;
mod shipments_keep_the_contract;
mod simulated_refusals;
