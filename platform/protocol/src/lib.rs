//! AWS wire formats and SigV4: five protocols over one description of shapes.
//!
//! Invariants: no I/O and no clock; every reader has a depth limit; nothing that came from the wire can
//! make anything here panic.

mod body;
mod check;
mod error;
mod json;
mod moment;
pub mod schema;
mod shape;
mod spec;
mod text;

pub use body::{Body, ByteStream};
pub use error::{ApiError, Fault, Modelled};
pub use json::{from_json, to_json};
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
