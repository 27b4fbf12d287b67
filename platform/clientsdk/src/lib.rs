//! Client SDKs: from the description of a deployed API to the sources of a client for it.
//!
//! Every SDK has a method for each operation, types for the API's models, signatures of version 4, API
//! keys, session credentials, and retries with backoff, and stands on nothing but its language's standard
//! library (Android's, for `android`).
//!
//! Invariants: pure (no I/O, no caller but its arguments); equal descriptions give equal bytes; whatever an
//! API is called and says becomes names and quoted texts in the sources, never code.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-generate-sdk.html>

mod api;
mod archive;
mod kind;
mod name;
mod quote;
mod render;
mod schema;
mod templates;

pub use api::{Api, Operation, Parameter, Place};
pub use kind::{Kind, Property};
pub use render::{File, Unfit, generate};

pub use archive::zip;
