//! `FilterCriteria`: which records the function gets.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>

use pagoda_pattern::Pattern;
use pagoda_protocol::ApiError;
use serde_json::Value;

use super::settings::invalid;
use crate::generated as g;

/// AWS allows five, and ten on request.
const FILTERS_MAX: usize = 10;

/// The patterns of a request.
///
/// # Errors
/// `InvalidParameterValueException`.
pub(super) fn read(criteria: g::FilterCriteria) -> Result<Vec<String>, ApiError> {
    let filters: Vec<_> =
        criteria.filters.into_iter().flatten().filter_map(|filter| filter.pattern).collect();
    if filters.len() > FILTERS_MAX {
        return Err(invalid(&format!("An event source can have at most {FILTERS_MAX} filters.")));
    }
    for filter in &filters {
        if Pattern::parse(filter).is_err() {
            return Err(invalid("Invalid filter pattern definition."));
        }
    }
    Ok(filters)
}

/// Filters that are ready to be used.
pub(super) struct Filters(Vec<Pattern>);

impl Filters {
    pub(super) fn new(texts: &[String]) -> Self {
        // They were parsed before they were stored.
        Self(texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect())
    }

    pub(super) fn let_through(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(record))
    }
}
