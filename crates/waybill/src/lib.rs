//! waybill
