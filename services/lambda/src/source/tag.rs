//! The tags of event source mappings.

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use super::mapping;
use crate::{Lambda, tag};

/// The UUID of the mapping that an ARN names.
pub(crate) fn uuid(resource: &str) -> Option<&str> {
    resource.split_once(":event-source-mapping:").map(|(_, uuid)| uuid)
}

pub(crate) async fn change(
    lambda: &Lambda,
    cx: &Context,
    uuid: &str,
    apply: impl Fn(tag::Tags) -> Result<tag::Tags, ApiError>,
) -> Result<(), ApiError> {
    mapping::retag(lambda, cx, uuid, apply).await
}

pub(crate) async fn list(lambda: &Lambda, cx: &Context, uuid: &str) -> Result<tag::Tags, ApiError> {
    Ok(mapping::load(lambda, cx, uuid).await?.record.tags)
}
