//! Tests of the wire formats against the public protocol facts. The shapes are those of real services,
//! as the generator wrote them.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected shall fail")]
#![allow(unreachable_pub, dead_code, reason = "generated modules are whole, whatever a test uses of them")]

mod aws_json;
mod chunked;
mod in_process;
mod mangled;
mod query;
mod rest_json;
mod rest_xml;
mod routing;
mod sample;
mod signature;

#[path = "../../../../services/iam/src/generated.rs"]
mod iam;
#[path = "../../../../services/lambda/src/generated.rs"]
mod lambda;
#[path = "../../../../services/logs/src/generated.rs"]
mod logs;
#[path = "../../../../services/s3/src/generated.rs"]
mod s3;
