#![doc = include_str!("../README.md")]

pub mod hubspot;
pub mod kit;
pub mod pagers;
pub mod shipstation;
pub mod shopify;
pub mod tryton;
