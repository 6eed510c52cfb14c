//! connector-shipstation
