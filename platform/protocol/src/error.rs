//! An error as the caller gets it: AWS's code, status and wording.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use pagoda_base::Failure;

use crate::schema::Schema;
use crate::shape::Encode;

/// A refused or failed request.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// AWS's code on the wire, such as `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    /// The HTTP status; from 500 on it is the service's fault.
    pub status: StatusCode,
    /// What was wrong with which value.
    pub message: String,
    /// Further plain fields of the document, such as S3's `BucketName`.
    pub fields: Vec<(&'static str, String)>,
    /// Further headers of the answer.
    pub headers: Vec<(&'static str, String)>,
    /// The modelled exception, where the model has one.
    pub modelled: Option<Arc<dyn Modelled>>,
    /// What broke inside, for the log; never on the wire.
    pub cause: Option<String>,
}

/// An exception of the model.
pub trait Modelled: Encode + fmt::Debug + Send + Sync {
    /// Its description.
    fn exception_schema(&self) -> &'static Schema;
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's.
    Sender,
    /// Ours.
    Receiver,
}

impl ApiError {
    /// An error with `code` and `message`. A status that HTTP does not know becomes 500.
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.into(),
            fields: Vec::new(),
            headers: Vec::new(),
            modelled: None,
            cause: None,
        }
    }

    /// A modelled exception.
    pub fn modelled(
        code: &'static str,
        status: u16,
        message: String,
        exception: impl Modelled + 'static,
    ) -> Self {
        Self { modelled: Some(Arc::new(exception)), ..Self::new(code, status, message) }
    }

    /// 400 `ValidationException`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", 400, message)
    }

    /// 501: `parameter` of `operation` is not built.
    pub fn not_implemented(operation: &str, parameter: &str) -> Self {
        let message = format!("The parameter {parameter} of {operation} is not available in Pagoda");
        Self::new("NotImplemented", 501, message)
    }

    /// 501: `operation` is not built.
    pub fn unavailable(operation: &str) -> Self {
        Self::new("NotImplemented", 501, format!("The operation {operation} is not available in Pagoda"))
    }

    /// 500 `InternalFailure`. What broke is for the log, never for the caller.
    pub fn internal() -> Self {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        Self::new("InternalFailure", 500, message)
    }

    /// The same with a further field of the document.
    pub fn with_field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The same with a further header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        if self.status.is_server_error() { Fault::Receiver } else { Fault::Sender }
    }
}

/// What broke inside answers `InternalFailure`, or `ServiceUnavailable` when trying again may help.
impl<E: Failure> From<E> for ApiError {
    fn from(failure: E) -> Self {
        let error = if failure.is_passing() {
            Self::new(
                "ServiceUnavailable",
                503,
                "The request has failed due to a temporary failure of the server.",
            )
        } else {
            Self::internal()
        };
        Self { cause: Some(failure.to_string()), ..error }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {}
