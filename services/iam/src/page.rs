//! Pages of a listing, as IAM marks them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>

use pagoda_protocol::ApiError;

/// What a list operation returns when it isn't told.
const ITEMS_DEFAULT: i32 = 100;

/// One page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

/// Cuts the page after `marker` out of `items`, which `name` orders.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> &str,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<T>, ApiError> {
    items.sort_by(|a, b| name(a).cmp(name(b)));
    if let Some(marker) = marker {
        items.retain(|item| name(item) > marker);
    }
    let limit = usize::try_from(max_items.unwrap_or(ITEMS_DEFAULT))
        .map_err(|_| ApiError::new("ValidationError", 400, "MaxItems must be positive"))?;
    let truncated = items.len() > limit;
    items.truncate(limit);
    let marker = if truncated { items.last().map(|item| name(item).to_owned()) } else { None };
    Ok(Page { items, is_truncated: Some(truncated), marker })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all = ["d", "a", "c", "b"];
        let page = cut(all.to_vec(), |item| item, None, Some(3)).unwrap();
        assert_eq!((page.items, page.marker.as_deref()), (vec!["a", "b", "c"], Some("c")));
        let page = cut(all.to_vec(), |item| item, Some("c"), Some(3)).unwrap();
        assert_eq!((page.items, page.is_truncated, page.marker), (vec!["d"], Some(false), None));
    }
}
