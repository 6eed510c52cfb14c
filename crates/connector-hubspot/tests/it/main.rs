//! The connector against the simulated HubSpot, and the simulated HubSpot against prism.

mod account;
mod adoption;
mod adoption_keeps_the_contract;
mod adoption_of_many;
mod contacts;
mod customers_keep_the_contract;
mod fields_read_back;
mod kept_fields;
mod limits_and_refusals;
mod orders;
mod orders_keep_the_contract;
mod setup;
mod shipments;
mod shipments_keep_the_contract;
mod simulated_refusals;
