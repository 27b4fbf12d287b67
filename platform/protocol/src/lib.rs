//! AWS wire formats and SigV4: six protocols over one description of shapes.
//!
//! Invariants: no I/O and no clock; every reader has a depth limit; nothing that came from the wire can
//! make anything here panic.

mod body;
mod bound;
mod cbor;
mod check;
pub mod checksum;
mod decode;
mod encode;
mod error;
pub mod eventstream;
mod fault;
mod inflate;
mod json;
mod moment;
mod query;
mod route;
pub mod schema;
mod shape;
pub mod sigv4;
mod spec;
mod text;
mod xml;

pub use body::{Body, ByteStream};
pub use decode::decode;
pub use encode::{Trace, encode};
pub use error::{ApiError, Fault, Modelled};
pub use fault::encode_error;
pub use json::{from_json, to_json};
pub use route::{Routed, Target, route};
pub use schema::{Kind, Location, Member, Schema, TimestampFormat};
pub use shape::{
    Decode, EachElement, EachEntry, EachMember, Encode, Operation, Reader, Shape, Unit, UnknownValue, Writer,
};
pub use spec::{OperationSpec, Protocol, Route, Segment, ServiceSpec};

/// What generated code refers to, so that a service needs no further dependencies for it.
pub mod generated {
    pub use bytes::Bytes;
    pub use pagoda_base::Timestamp;
    pub use serde_json::Value;
}
