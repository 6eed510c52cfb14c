//! erp-sync
