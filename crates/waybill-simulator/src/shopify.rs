//! Simulated: shopify.
