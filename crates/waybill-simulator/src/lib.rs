#![doc = include_str!("../README.md")]

pub mod catalogue;
pub mod day;
mod erp_session;
pub mod hubspot;
pub mod kit;
pub mod oracle;
pub mod pagers;
pub mod seeding;
pub mod shipstation;
pub mod shopify;
pub mod tryton;
