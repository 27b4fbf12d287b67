//! A policy document: read, checked as AWS checks it when it is stored, and compiled.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::sync::Arc;

use serde_json::Value;

use crate::statement::Statement;
use crate::strict_json::Strict;

/// The largest document that any service stores, in bytes. Services have smaller quotas of their own.
pub const DOCUMENT_BYTES_MAX: usize = 128 * 1024;

/// What a document is attached to, which decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Attached to a user, group or role: names no principal.
    Identity,
    /// Attached to a resource: names principals.
    Resource,
    /// A role's trust policy: names principals and no resource.
    Trust,
}

/// A compiled policy document.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) statements: Vec<Statement>,
    needs_keys: bool,
}

/// A document with the name under which explanations speak of it.
#[derive(Debug, Clone)]
pub struct Named {
    /// An ARN, or the name of an inline policy.
    pub name: String,
    /// The document.
    pub document: Arc<Document>,
}

/// The document is none that AWS would store (`MalformedPolicyDocument`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Document {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`Malformed`] with AWS's wording.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Malformed::new("The policy is too long."));
        }
        let Strict(value) =
            serde_json::from_str(text).map_err(|_| Malformed::new("This policy contains invalid Json"))?;
        let document = Self::read(&value, kind)?;
        // Variables may stand in many places; that `${` stands anywhere is enough to know. Not in `text`, where
        // escapes may hide it.
        let has_variables = value.to_string().contains("${");
        Ok(Self { needs_keys: document.needs_keys || has_variables, ..document })
    }

    /// Whether a decision may depend on the request's condition keys; where no document's does, they need
    /// not be brought together.
    pub fn needs_keys(&self) -> bool {
        self.needs_keys
    }

    fn read(value: &Value, kind: Kind) -> Result<Self, Malformed> {
        let syntax = || Malformed::new("Syntax errors in policy.");
        let fields = value.as_object().ok_or_else(syntax)?;
        if fields.keys().any(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
            return Err(syntax());
        }
        let variables = match fields.get("Version") {
            None => false,
            Some(Value::String(version)) if version == "2008-10-17" => false,
            Some(Value::String(version)) if version == "2012-10-17" => true,
            Some(_) => return Err(Malformed::new("Policy document must be version 2012-10-17 or greater.")),
        };
        if !matches!(fields.get("Id"), None | Some(Value::String(_))) {
            return Err(syntax());
        }
        let statements = match fields.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(syntax()),
        };
        let statements = statements.iter().map(|one| Statement::parse(one, kind, variables));
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        sids_are_unique(&statements)?;
        Ok(Self { needs_keys: statements.iter().any(Statement::is_conditional), statements })
    }
}

fn sids_are_unique(statements: &[Statement]) -> Result<(), Malformed> {
    let mut seen: Vec<&str> =
        statements.iter().filter_map(|s| s.sid.as_deref()).filter(|s| !s.is_empty()).collect();
    let total = seen.len();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() == total {
        Ok(())
    } else {
        Err(Malformed::new("Statement IDs (SID) in a single policy must be unique."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(resource: &str, further: &str, expected: bool) {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{resource}"{further}}}"#);
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        let document = Document::parse(&text, Kind::Identity);
        assert_eq!(document.map(|document| document.needs_keys()), Ok(expected), "{text}");
    }

    #[test]
    fn conditions_and_variables_need_keys() {
        check("*", "", false);
        check("arn:aws:s3:::b/$x", "", false);
        check("arn:aws:s3:::${aws:username}/*", "", true);
        check(r"arn:aws:s3:::\u0024\u007baws:username}/*", "", true);
        check("*", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#, true);
    }
}
