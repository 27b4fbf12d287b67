//! The names and values that a request gives its expressions, and which of them are used.

use std::collections::{BTreeMap, BTreeSet};

use pagoda_protocol::ApiError;

use crate::value::{AttributeValue, Item};

/// What the expressions of one request may refer to.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    names: Option<&'a BTreeMap<String, String>>,
    values: Option<&'a Item>,
    used_names: BTreeSet<&'a str>,
    used_values: BTreeSet<&'a str>,
    attributes: BTreeSet<&'a str>,
}

/// The expressions that a request could have had, for the message when it has values but none of them.
pub(crate) struct Expected {
    /// Whether there is at least one expression.
    pub(crate) any: bool,
    /// Whether there is one in which values may stand.
    pub(crate) with_values: bool,
    /// What to say behind "can only be specified when using expressions: ".
    pub(crate) missing: &'static str,
}

impl Expected {
    /// Of a request that may only have a projection, in which no values stand.
    pub(crate) fn projection(text: Option<&str>) -> Self {
        Self { any: text.is_some(), with_values: false, missing: "" }
    }
}

impl<'a> Scope<'a> {
    /// The scope of a request.
    ///
    /// # Errors
    /// `ValidationException` for placeholders that are none, and for maps that nothing could use.
    pub(crate) fn new(
        names: Option<&'a BTreeMap<String, String>>,
        values: Option<&'a Item>,
        expected: &Expected,
    ) -> Result<Self, ApiError> {
        let refuse = |message: String| Err(ApiError::validation(message));
        if names.is_some() && !expected.any {
            return refuse("ExpressionAttributeNames can only be specified when using expressions".into());
        }
        if values.is_some() && !expected.with_values {
            let missing = expected.missing;
            let message = "ExpressionAttributeValues can only be specified when using expressions";
            return refuse(format!("{message}: {missing}"));
        }
        if names.is_some_and(BTreeMap::is_empty) {
            return refuse("ExpressionAttributeNames must not be empty".into());
        }
        if values.is_some_and(BTreeMap::is_empty) {
            return refuse("ExpressionAttributeValues must not be empty".into());
        }
        let bad_name = names.into_iter().flat_map(BTreeMap::keys).find(|key| !is_placeholder(key, '#'));
        if let Some(key) = bad_name {
            return refuse(format!(
                "ExpressionAttributeNames contains invalid key: Syntax error; key: \"{key}\""
            ));
        }
        let bad_value = values.into_iter().flat_map(BTreeMap::keys).find(|key| !is_placeholder(key, ':'));
        if let Some(key) = bad_value {
            return refuse(format!(
                "ExpressionAttributeValues contains invalid key: Syntax error; key: \"{key}\""
            ));
        }
        Ok(Self { names, values, ..Self::default() })
    }

    /// The attribute behind `#name`.
    pub(super) fn name(&mut self, placeholder: &str) -> Option<&'a str> {
        let (key, name) = self.names?.get_key_value(placeholder)?;
        self.used_names.insert(key);
        Some(name)
    }

    /// The value behind `:value`.
    pub(super) fn value(&mut self, placeholder: &str) -> Option<&'a AttributeValue> {
        let (key, value) = self.values?.get_key_value(placeholder)?;
        self.used_values.insert(key);
        Some(value)
    }

    /// Notes that an expression touches an attribute.
    pub(super) fn note(&mut self, attribute: &'a str) {
        self.attributes.insert(attribute);
    }

    /// The attributes that the expressions touch, once all of them are parsed.
    ///
    /// # Errors
    /// `ValidationException` for placeholders that no expression uses.
    pub(crate) fn finish(self) -> Result<BTreeSet<&'a str>, ApiError> {
        let unused = |all: Vec<&'a String>, used: &BTreeSet<&str>, what: &str| {
            let left: Vec<&str> =
                all.into_iter().map(String::as_str).filter(|key| !used.contains(key)).collect();
            if left.is_empty() {
                return Ok(());
            }
            let keys = left.join(", ");
            Err(ApiError::validation(format!(
                "Value provided in {what} unused in expressions: keys: {{{keys}}}"
            )))
        };
        let keys = self.names.into_iter().flat_map(BTreeMap::keys).collect();
        unused(keys, &self.used_names, "ExpressionAttributeNames")?;
        let keys = self.values.into_iter().flat_map(BTreeMap::keys).collect();
        unused(keys, &self.used_values, "ExpressionAttributeValues")?;
        Ok(self.attributes)
    }
}

fn is_placeholder(key: &str, sign: char) -> bool {
    let rest = key.strip_prefix(sign).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
