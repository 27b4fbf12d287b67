//! Form-encoded requests of awsQuery, and query strings.

mod form;
mod read;

pub(crate) use form::pairs;
pub(crate) use read::{Form, QueryReader};
