//! What services ask of each other: one verb-named trait a file, without default methods. The binary wires
//! provider to consumer; no service depends on another.

mod assume_role;
mod authenticate;
mod call_operation;
mod check_invocation;
mod count_instances;
mod export_span;
mod find_credential;
mod identity_policies;
mod invoke_function;
mod invoke_later;
mod put_log_events;
mod read_object;
mod read_role;
mod read_stream;
mod record_metric;
mod relay_request;
mod serve_endpoint;

pub use assume_role::{AssumeRole, SessionCredentials};
pub use authenticate::Authenticate;
pub use call_operation::CallOperation;
pub use check_invocation::CheckInvocation;
pub use count_instances::{CountInstances, Instances};
pub use export_span::ExportSpan;
pub use find_credential::{Credential, FindCredential, NoCredential};
pub use identity_policies::{IdentityPolicies, PoliciesOf};
pub use invoke_function::{FunctionError, Invocation, InvokeFunction, Invoked};
pub use invoke_later::InvokeLater;
pub use put_log_events::{LogLine, PutLogEvents};
pub use read_object::ReadObject;
pub use read_role::{ReadRole, Role};
pub use read_stream::{Position, ReadStream, StreamRecord, StreamRecords, StreamShard, TableStream};
pub use record_metric::{Meter, MetricName, RecordMetric};
pub use relay_request::RelayRequest;
pub use serve_endpoint::{Endpoint, ServeEndpoint};
