//! Pages of a listing: `position` is the last id of the page before.

use pagoda_protocol::ApiError;

use crate::edit::bad_request;

const LIMIT_DEFAULT: i32 = 25;
const LIMIT_MAX: i32 = 500;

/// Cuts the page behind `position` out of `items`, which are ordered by `id`.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    id: impl Fn(&T) -> &str,
    position: Option<&str>,
    limit: Option<i32>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(bad_request(format!("Limit must be between 1 and {LIMIT_MAX}")));
    }
    items.sort_by(|a, b| id(a).cmp(id(b)));
    if let Some(position) = position {
        items.retain(|item| id(item) > position);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|last| id(last).to_owned());
    Ok((items, next))
}
