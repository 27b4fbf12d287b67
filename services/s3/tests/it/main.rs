//! S3 from its wire format to its store and back, without network and signatures.
#![allow(missing_docs, clippy::unwrap_used)]

mod bucket;
mod listing;
mod multipart;
mod notification;
mod object;
mod policy;
mod website;
mod world;
