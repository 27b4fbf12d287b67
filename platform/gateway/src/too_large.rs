//! What a caller is told whose body is larger than the service reads.

use http::request::Parts;
use pagoda_protocol::{ApiError, Protocol, ServiceSpec, Target, route};

/// The refusal of a body of more than `bytes_max` bytes, if that is what `error` is about; S3 and the
/// bodies' own errors have their words already.
///
/// Source of the wording: Lambda's, and that of the framework beneath AWS's other services.
pub(crate) fn refusal(
    spec: &'static ServiceSpec,
    parts: &Parts,
    bytes_max: usize,
    error: ApiError,
) -> ApiError {
    if error.code != "EntityTooLarge" || spec.is_s3() {
        return error;
    }
    let length = format!("HTTP content length exceeded {bytes_max} bytes.");
    match spec.protocols.first() {
        Some(Protocol::AwsQuery | Protocol::RestXml) | None => {
            ApiError::new("RequestEntityTooLarge", 413, length)
        }
        Some(Protocol::AwsJson10 | Protocol::AwsJson11 | Protocol::RpcV2Cbor) => {
            ApiError::new("RequestEntityTooLargeException", 413, length)
        }
        Some(Protocol::RestJson1) => {
            let message = match operation(spec, parts) {
                Some(name) => {
                    format!("Request must be smaller than {bytes_max} bytes for the {name} operation")
                }
                None => length,
            };
            ApiError::new("RequestEntityTooLargeException", 413, message)
        }
    }
}

/// REST requests name their operation without their body.
fn operation(spec: &'static ServiceSpec, parts: &Parts) -> Option<&'static str> {
    match route(spec, parts, &[]).ok()?.target {
        Target::Operation(operation) => Some(operation.name),
        Target::Unavailable(name) => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(protocol: Protocol, code: &str, expected: (&str, u16)) {
        let spec: &'static ServiceSpec = Box::leak(Box::new(ServiceSpec {
            name: "x",
            api_version: "",
            target_prefix: None,
            protocols: Box::leak(Box::new([protocol])),
            xml_namespace: "",
            error_namespace: "",
            validation_code: "",
            operations: &[],
            unavailable: &[],
            routes: &[],
        }));
        let (parts, ()) = http::Request::new(()).into_parts();
        let error = refusal(spec, &parts, 10, ApiError::new(code.to_owned(), 400, "as it was"));
        assert_eq!((&*error.code, error.status.as_u16()), expected);
        assert_eq!(error.message.contains("10 bytes"), expected.1 == 413);
    }

    #[test]
    fn each_protocol_has_its_words() {
        check(Protocol::AwsQuery, "EntityTooLarge", ("RequestEntityTooLarge", 413));
        check(Protocol::AwsJson10, "EntityTooLarge", ("RequestEntityTooLargeException", 413));
        check(Protocol::AwsJson11, "EntityTooLarge", ("RequestEntityTooLargeException", 413));
        check(Protocol::RestJson1, "EntityTooLarge", ("RequestEntityTooLargeException", 413));
        check(Protocol::RestJson1, "RequestTimeout", ("RequestTimeout", 400));
    }
}
