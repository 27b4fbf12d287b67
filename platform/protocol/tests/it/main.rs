//! Tests of the wire formats against the public protocol facts. The shapes are those of real services,
//! as the generator wrote them.

mod aws_json;
mod chunked;
mod in_process;
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
