//! Where a stage tells of its requests, and in which words: `accessLogSettings`.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>

use pagoda_base::{AccountId, Region};
use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::edit::bad_request;
use crate::generated as g;
use crate::patch::Patch;

const FORMAT_BYTES_MAX: usize = 3_000;

/// What a stage says of its access log. Lines are written once both are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessLog {
    /// `arn:aws:logs:{region}:{account}:log-group:{name}`.
    pub(crate) destination: Option<String>,
    pub(crate) format: Option<String>,
}

impl AccessLog {
    /// The name of the log group.
    pub(crate) fn group(&self) -> Option<&str> {
        group(self.destination.as_deref()?)
    }

    pub(crate) fn describe(&self) -> g::AccessLogSettings {
        g::AccessLogSettings { destination_arn: self.destination.clone(), format: self.format.clone() }
    }
}

/// Applies a patch of `/accessLogSettings…`. False where the patch is about something else.
pub(crate) fn apply(
    log: &mut Option<AccessLog>,
    patch: &Patch<'_>,
    (account, region): (AccountId, &Region),
) -> Result<bool, ApiError> {
    match (patch.path, patch.op) {
        ("/accessLogSettings", g::Op::Remove) => *log = None,
        ("/accessLogSettings/destinationArn", _) => {
            let arn = patch.given()?;
            let arn = arn.strip_suffix(":*").unwrap_or(arn);
            if arn.starts_with("arn:aws:firehose:") {
                return Err(ApiError::not_implemented("UpdateStage", "access logs of Amazon Data Firehose"));
            }
            let prefix = format!("arn:aws:logs:{region}:{account}:log-group:");
            if !arn.starts_with(&prefix) || group(arn).is_none() {
                return Err(bad_request(
                    "Invalid ARN specified in the request. ARNs must start with 'arn:aws:' and contain a log group of the API's own account and region",
                ));
            }
            log.get_or_insert_default().destination = Some(arn.to_owned());
        }
        ("/accessLogSettings/format", _) => {
            let format = patch.given()?;
            check_format(format)?;
            log.get_or_insert_default().format = Some(format.to_owned());
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A line, by which a request can be found again.
fn check_format(format: &str) -> Result<(), ApiError> {
    if format.len() > FORMAT_BYTES_MAX {
        return Err(bad_request(format!("Access Log format must be at most {FORMAT_BYTES_MAX} bytes")));
    }
    if format.contains('\n') {
        return Err(bad_request(
            "Access Log format must be single line, new line character is allowed only at end of the format",
        ));
    }
    if !format.contains("$context.requestId") && !format.contains("$context.extendedRequestId") {
        return Err(bad_request(
            "Access Log format must contain at least $context.requestId or $context.extendedRequestId",
        ));
    }
    Ok(())
}

fn group(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once(":log-group:")?;
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"._-/#".contains(&b);
    ((1..=512).contains(&name.len()) && name.bytes().all(lawful)).then_some(name)
}
