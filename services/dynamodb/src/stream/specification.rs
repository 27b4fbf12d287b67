//! `StreamSpecification`, in CreateTable and UpdateTable.

use pagoda_protocol::ApiError;

use super::View;
use crate::generated as g;
use crate::value::invalid;

/// The view of the stream that is wanted; nothing to have none.
///
/// # Errors
/// `ValidationException` when there is a view without a stream, or a stream without a view.
pub(crate) fn wanted(specification: &g::StreamSpecification) -> Result<Option<View>, ApiError> {
    match (specification.stream_enabled, specification.stream_view_type) {
        (true, Some(view)) => Ok(Some(View::of(view))),
        (true, None) => Err(invalid("StreamViewType must be specified when StreamEnabled is true")),
        (false, None) => Ok(None),
        (false, Some(_)) => {
            Err(invalid("StreamViewType can only be specified when StreamEnabled is set to true"))
        }
    }
}
