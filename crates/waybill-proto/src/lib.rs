#![doc = include_str!("../README.md")]

pub mod convert;

/// Generated from `proto/waybill/v1`.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod wire {
    tonic::include_proto!("waybill.v1");
}

pub use convert::WireError;
pub use prost::Message;
