//! Condition keys and their values, as a request supplies them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The condition keys of one request. Names are compared without regard to case. A clone shares them until
/// it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Arc<BTreeMap<String, Vec<String>>>);

impl Keys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key to one value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        Arc::make_mut(&mut self.0).insert(name.to_ascii_lowercase(), vec![value.into()]);
        self
    }

    /// Sets a key to several values, as `aws:TagKeys` has; none at all means that the key is absent.
    pub fn set_all(&mut self, name: &str, values: impl IntoIterator<Item = String>) -> &mut Self {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            Arc::make_mut(&mut self.0).insert(name.to_ascii_lowercase(), values);
        }
        self
    }

    /// Takes over all of `others`, replacing what stands under the same names.
    pub fn extend(&mut self, others: &Keys) -> &mut Self {
        Arc::make_mut(&mut self.0)
            .extend(others.0.iter().map(|(name, values)| (name.clone(), values.clone())));
        self
    }

    /// The values of a key, or `None` when the request does not have it.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.0.get(&name.to_ascii_lowercase()).map(Vec::as_slice);
        }
        self.0.get(name).map(Vec::as_slice)
    }

    /// The value of a key that has exactly one.
    pub fn single(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}
