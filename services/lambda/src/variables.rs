//! A function's environment variables: checked, sealed, opened.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_service::Sealer;

use crate::generated as g;
use crate::name::FunctionId;

/// The names and values together, in bytes.
const BYTES_MAX: usize = 4 * 1024;

/// Names that only Lambda sets.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// Refuses what Lambda would refuse.
pub(crate) fn check(variables: &Variables) -> Result<(), ApiError> {
    let unable = "Lambda was unable to configure your environment variables because the environment variables \
                  you have provided";
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        let message = format!(
            "{unable} contains reserved keys that are currently not supported for modification. Reserved keys \
             used in this request: {}",
            reserved.join(", ")
        );
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    if variables.values().any(|value| value.contains('\0')) {
        let message = format!("{unable} contains a NUL character.");
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > BYTES_MAX {
        let message = format!("{unable} exceeded the 4KB limit.");
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    Ok(())
}

/// Seals variables for a function; nothing where there are none.
pub(crate) fn seal(sealer: &Sealer, id: &FunctionId, variables: &Variables) -> Option<Vec<u8>> {
    let text = serde_json::to_vec(variables).expect("text has a JSON form");
    (!variables.is_empty()).then(|| sealer.seal(&purpose(id), &text))
}

/// Opens what [`seal`] made for the same function.
///
/// # Errors
/// `InternalFailure` when the platform's root key is another one.
pub(crate) fn open(sealer: &Sealer, id: &FunctionId, sealed: Option<&[u8]>) -> Result<Variables, ApiError> {
    let Some(sealed) = sealed else { return Ok(Variables::new()) };
    let plain = sealer.open(&purpose(id), sealed).map_err(|_| ApiError::internal())?;
    serde_json::from_slice(&plain).map_err(|_| ApiError::internal())
}

fn purpose(id: &FunctionId) -> String {
    format!("lambda environment of {}", id.arn())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<(), String> {
        check(&Variables::from([(name.to_owned(), value.to_owned())])).map_err(|error| error.message)
    }

    #[test]
    fn variables_are_bounded_and_some_are_lambdas_own() {
        assert_eq!(checked("TABLE", "guestbook"), Ok(()));
        assert_eq!(checked("AWS_ENDPOINT_URL", "http://x"), Ok(()));
        assert!(checked("AWS_REGION", "x").unwrap_err().ends_with("request: AWS_REGION"));
        assert_eq!(checked("A", &"x".repeat(BYTES_MAX - 1)), Ok(()));
        assert!(checked("A", &"x".repeat(BYTES_MAX)).unwrap_err().contains("4KB"));
        assert!(checked("A", "\0").is_err());
    }
}
