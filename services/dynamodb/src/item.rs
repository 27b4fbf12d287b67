//! What all operations on single items share: limits, failed conditions.

use pagoda_protocol::ApiError;

use crate::expression::{Condition, Expected};
use crate::generated as g;
use crate::value::{DEPTH_MAX, Item, item_size};

/// Largest item, in bytes as [`item_size`] counts them.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items>
const BYTES_MAX: usize = 400 * 1024;

/// Refuses items that are too large or nested too deeply; gives the size otherwise.
pub(crate) fn check(item: &Item, too_large: &str) -> Result<usize, ApiError> {
    if item.values().any(|value| value.is_deeper_than(DEPTH_MAX)) {
        let message = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels \
                       beyond supported limit";
        return Err(ApiError::validation(message));
    }
    let size = item_size(item);
    if size > BYTES_MAX { Err(ApiError::validation(too_large)) } else { Ok(size) }
}

/// The expressions of a request that may only have a condition.
pub(crate) fn only_condition(condition: Option<&str>) -> Expected {
    let any = condition.is_some();
    Expected { any, with_values: any, missing: "ConditionExpression is null" }
}

/// Refuses the write when the item is not as the request wants it.
///
/// # Errors
/// `ConditionalCheckFailedException`, with the item where the request wants to see it.
pub(crate) fn require(
    condition: Option<&Condition<'_>>,
    item: Option<&Item>,
    on_failure: Option<g::ReturnValuesOnConditionCheckFailure>,
) -> Result<(), ApiError> {
    let none = Item::new();
    if condition.is_none_or(|condition| condition.holds(item.unwrap_or(&none))) {
        return Ok(());
    }
    let shown = on_failure == Some(g::ReturnValuesOnConditionCheckFailure::AllOld);
    let failure = g::ConditionalCheckFailedException {
        message: Some("The conditional request failed".into()),
        item: item.filter(|_| shown).cloned(),
    };
    Err(failure.into())
}
