//! `ClientRequestToken`: a request that is sent again happens once.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>

use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::generated as g;
use crate::table::Stack;

/// The token of the request that began a stack's latest change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The operation that it came with.
    pub(crate) operation: String,
    pub(crate) value: String,
}

impl Token {
    /// The token of a request, if it has one.
    pub(crate) fn of(operation: &str, given: Option<String>) -> Option<Self> {
        given.map(|value| Self { operation: operation.to_owned(), value })
    }

    /// Whether a request with the token `given` is the one that began the stack's latest change.
    ///
    /// # Errors
    /// `TokenAlreadyExistsException` when that was another operation.
    pub(crate) fn repeats(given: Option<&Self>, stack: &Stack) -> Result<bool, ApiError> {
        match (given, &stack.token) {
            (Some(given), Some(kept)) if given == kept => Ok(true),
            (Some(given), Some(kept)) if given.value == kept.value => {
                let message = format!("A client request token already exists: {}", given.value);
                Err(g::TokenAlreadyExistsException::new(message).into())
            }
            _ => Ok(false),
        }
    }
}
