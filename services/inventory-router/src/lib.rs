//! inventory-router
