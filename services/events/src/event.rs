//! Events as targets see them, and TestEventPattern.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::{Value, json};

use crate::generated as g;
use crate::pattern::Pattern;
use crate::{Events, Scope};

/// What an event must have to be tested.
const FIELDS: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];

/// What an event is made from.
pub(crate) struct Parts<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) detail_type: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) resources: Vec<String>,
    pub(crate) detail: Value,
}

pub(crate) fn new(scope: &Scope, parts: Parts<'_>) -> Value {
    json!({
        "version": "0",
        "id": parts.id,
        "detail-type": parts.detail_type,
        "source": parts.source,
        "account": scope.account.as_str(),
        "time": parts.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": scope.region.as_str(),
        "resources": parts.resources,
        "detail": parts.detail,
    })
}

pub(crate) async fn test(
    _events: &Events,
    _cx: &Context,
    input: g::TestEventPatternRequest,
) -> Result<g::TestEventPatternResponse, ApiError> {
    let pattern = Pattern::parse(&input.event_pattern)?;
    let event: Value = serde_json::from_str(&input.event).map_err(|_| {
        ApiError::validation("Parameter Event is not valid. Reason: Event is not valid JSON.")
    })?;
    if let Some(missing) = FIELDS.iter().find(|field| event.get(**field).is_none()) {
        let message =
            format!("Parameter Event is not valid. Reason: Event must contain the field {missing}.");
        return Err(ApiError::validation(message));
    }
    Ok(g::TestEventPatternResponse { result: Some(pattern.matches(&event)) })
}
