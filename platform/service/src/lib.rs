//! The kit that every service stands on.
//!
//! A service is a struct, a table of operations, and a trait impl that tells who owns its resources:
//!
//! ```ignore
//! operations!(Sqs {
//!     CreateQueue => queue::create, on queue::named_in_input;
//! });
//! ```
//!
//! Invariants: no operation can be listed without naming what IAM checks; every call, from outside or
//! from another service, passes [`Registry::authorize`]; services never depend on each other but ask
//! through [`ports`].

mod access;
mod api;
mod authorizer;
mod background;
mod caller;
mod context;
mod cross_origin;
mod operation;
mod plane;
pub mod ports;
mod registry;
mod relay;
mod remembered;
mod reserved_tag;
mod seal;
mod span;

pub use access::{Access, Ownership};
pub use api::{Api, Service};
pub use authorizer::Authorizer;
pub use background::{Background, Nudge};
pub use caller::Caller;
pub use context::{Context, Origin};
pub use cross_origin::CrossOrigin;
pub use operation::{AnyInput, AnyOperation, AnyOutput, Operations, bind};
pub use plane::{Arrival, DataPlane};
pub use registry::Registry;
pub use remembered::Remembered;
pub use reserved_tag::is_reserved_tag;
pub use seal::{ROOT_KEY_BYTES, Sealer, Unsealable};
pub use span::{Span, TRACE_HEADER, TraceHeader, trace_id};
