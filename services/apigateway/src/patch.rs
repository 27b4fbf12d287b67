//! Patch operations: what they may do to a text, a flag, a set of names.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>

use pagoda_protocol::ApiError;

use crate::edit::bad_request;
use crate::generated as g;

/// One operation, complete.
pub(crate) struct Patch<'a> {
    pub(crate) op: g::Op,
    pub(crate) path: &'a str,
    /// Where a copy comes from.
    pub(crate) from: Option<&'a str>,
    value: Option<&'a str>,
}

/// Reads the operations of a request that copies nothing.
pub(crate) fn read(operations: &Option<Vec<g::PatchOperation>>) -> Result<Vec<Patch<'_>>, ApiError> {
    read_with(operations, false)
}

/// Reads the operations of a request that may copy.
pub(crate) fn read_with_copies(
    operations: &Option<Vec<g::PatchOperation>>,
) -> Result<Vec<Patch<'_>>, ApiError> {
    read_with(operations, true)
}

fn read_with(
    operations: &Option<Vec<g::PatchOperation>>,
    may_copy: bool,
) -> Result<Vec<Patch<'_>>, ApiError> {
    let read = |operation: &'_ g::PatchOperation| -> Result<(), ApiError> {
        match (operation.op, &operation.path) {
            (Some(g::Op::Copy), Some(_)) if may_copy && operation.from.is_some() => Ok(()),
            (Some(_), Some(_)) if operation.from.is_none() => Ok(()),
            (Some(g::Op::Copy | g::Op::Move), _) => {
                Err(ApiError::not_implemented("PATCH", "op copy and move"))
            }
            _ => Err(bad_request("Invalid patch operation: op and path must be specified")),
        }
    };
    let operations = operations.as_deref().unwrap_or_default();
    operations.iter().try_for_each(read)?;
    Ok(operations
        .iter()
        .map(|operation| Patch {
            op: operation.op.unwrap_or_default(),
            path: operation.path.as_deref().unwrap_or_default(),
            from: operation.from.as_deref(),
            value: operation.value.as_deref(),
        })
        .collect())
}

impl<'a> Patch<'a> {
    /// The value, if there is one.
    pub(crate) fn value(&self) -> Option<&'a str> {
        self.value
    }

    /// The new text of a `replace`.
    pub(crate) fn replaced(&self) -> Result<&'a str, ApiError> {
        match (self.op, self.value) {
            (g::Op::Replace, Some(value)) => Ok(value),
            (g::Op::Replace, None) => Err(bad_request(format!("Invalid patch value for {}", self.path))),
            _ => Err(self.refused()),
        }
    }

    /// The new flag of a `replace`.
    pub(crate) fn flag(&self) -> Result<bool, ApiError> {
        match self.replaced()? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(bad_request(format!("Invalid patch value {other} for {}", self.path))),
        }
    }

    /// The text of an `add` or a `replace`.
    pub(crate) fn given(&self) -> Result<&'a str, ApiError> {
        Patch { op: g::Op::Replace, ..*self }.replaced()
    }

    /// The flag of an `add` or a `replace`.
    pub(crate) fn given_flag(&self) -> Result<bool, ApiError> {
        Patch { op: g::Op::Replace, ..*self }.flag()
    }

    /// What follows `prefix` in the path, with JSON Pointer's `~1` and `~0` resolved (RFC 6901).
    pub(crate) fn below(&self, prefix: &str) -> Option<String> {
        let rest = self.path.strip_prefix(prefix)?;
        (!rest.is_empty()).then(|| rest.replace("~1", "/").replace("~0", "~"))
    }

    /// The refusal of a path that cannot be patched so.
    pub(crate) fn refused(&self) -> ApiError {
        let op = self.op.as_str();
        bad_request(format!(
            "Invalid patch path '{}' specified for op '{op}'. Pagoda has no such patch.",
            self.path
        ))
    }
}
