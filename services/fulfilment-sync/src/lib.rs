//! fulfilment-sync
