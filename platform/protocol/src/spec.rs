//! What the generated tables say about a service and its operations.

use crate::schema::Schema;

/// A wire protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON documents, the operation in `X-Amz-Target`, `application/x-amz-json-1.0`.
    AwsJson10,
    /// The same as `application/x-amz-json-1.1`.
    AwsJson11,
    /// JSON bodies, operations by method and path.
    RestJson1,
    /// XML bodies, operations by method and path (S3).
    RestXml,
    /// Form-encoded requests, XML answers.
    AwsQuery,
    /// CBOR documents, operations by path.
    RpcV2Cbor,
}

/// A service of the model.
#[derive(Debug)]
pub struct ServiceSpec {
    /// The name that signatures are scoped to, such as `dynamodb`.
    pub name: &'static str,
    /// The model's version, such as `2012-08-10`.
    pub api_version: &'static str,
    /// What precedes the operation in `X-Amz-Target`, without the dot.
    pub target_prefix: Option<&'static str>,
    /// The protocols it speaks, the preferred one first.
    pub protocols: &'static [Protocol],
    /// The namespace of its XML answers; empty where it has none.
    pub xml_namespace: &'static str,
    /// What precedes the `#` in `__type` of its own errors; empty where nothing does.
    pub error_namespace: &'static str,
    /// The code of a request that breaks a constraint of the model.
    pub validation_code: &'static str,
    /// The operations that are built, sorted by name.
    pub operations: &'static [&'static OperationSpec],
    /// The names of the rest of the model, sorted.
    pub unavailable: &'static [&'static str],
    /// All routes by path, the most specific first; empty for protocols that don't route by path.
    pub routes: &'static [Route],
}

/// An operation that is built.
#[derive(Debug)]
pub struct OperationSpec {
    /// The model's name, such as `CreateTable`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path pattern as the model has it, such as `/{Bucket}/{Key+}?uploads`.
    pub uri: &'static str,
    /// The status of a success.
    pub status: u16,
    /// What is asked.
    pub input: &'static Schema,
    /// What is answered.
    pub output: &'static Schema,
    /// The name of the answer's root element (restXml) or of its wrapper (awsQuery).
    pub output_root: &'static str,
    /// The request's body is not buffered before the operation runs.
    pub streams_input: bool,
}

/// A path that leads to an operation.
#[derive(Debug)]
pub struct Route {
    /// The operation's name.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The parts of the path between slashes.
    pub segments: &'static [Segment],
    /// Query parameters that must be present, and their values where the model fixes them.
    pub query: &'static [(&'static str, Option<&'static str>)],
    /// Headers that must be present; they tell `CopyObject` from `PutObject`.
    pub headers: &'static [&'static str],
}

/// A part of a path pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(&'static str),
    /// One non-empty segment, by the wire name of its member.
    Label(&'static str),
    /// All the rest, slashes included.
    Greedy(&'static str),
}

impl ServiceSpec {
    /// The built operation `name`.
    pub fn operation(&self, name: &str) -> Option<&'static OperationSpec> {
        let place = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        Some(self.operations[place])
    }

    /// The operation `name` of the model, if it is not built.
    pub fn unavailable(&self, name: &str) -> Option<&'static str> {
        let place = self.unavailable.binary_search(&name).ok()?;
        Some(self.unavailable[place])
    }

    /// Whether errors have a second name for clients that knew the service when it spoke awsQuery.
    ///
    /// Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>
    pub(crate) fn was_query(&self) -> bool {
        self.protocols.first() == Some(&Protocol::RpcV2Cbor) && self.protocols.contains(&Protocol::AwsQuery)
    }

    /// Whether it is S3, whose dialect of restXml is its own.
    pub fn is_s3(&self) -> bool {
        self.name == "s3"
    }
}
