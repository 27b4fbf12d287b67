//! Gateway responses: what a request is told that no integration answers for.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>

use http::{HeaderName, HeaderValue, Response, StatusCode};
use pagoda_base::ids::RequestId;
use pagoda_protocol::{ApiError, Body};
use serde_json::json;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");

/// Why a request is not answered by its integration.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No such API or stage.
    Forbidden,
    /// No such method, or no signature where one is required.
    MissingAuthenticationToken,
    /// The signature is wrong; the error says how.
    Signature(ApiError),
    /// The policies do not allow it.
    NotAuthorized { caller: String, arn: String },
    /// The authorizer does not know who asks.
    Unauthorized,
    /// The authorizer's policy, or the API's beside it, denies it.
    Denied,
    /// Neither the authorizer's policy nor the API's allows it.
    NotAllowed,
    /// The authorizer's function failed.
    AuthorizerFailure,
    /// The authorizer could not be asked, or its answer is none.
    AuthorizerConfiguration,
    /// No API key where one is required, or one that no plan of the stage knows.
    InvalidApiKey,
    /// More requests of a key than its plan lets through in a period.
    QuotaExceeded,
    /// More requests than the method takes.
    Throttled,
    /// The body is too large.
    RequestTooLarge,
    /// The body did not arrive.
    BadBody(ApiError),
    /// Parameters that must be there are not; their names.
    BadParameters(String),
    /// The body is not what its model describes; how.
    BadRequestBody(String),
    /// No template for the media type, and none may be passed through.
    UnsupportedMediaType,
    /// The integration answered what cannot be an answer.
    BadGateway,
    /// The integration took too long.
    IntegrationTimeout,
    /// The integration could not be reached, or answered garbage.
    IntegrationFailure,
    /// Something broke inside.
    InternalError,
}

impl Refusal {
    pub(crate) fn of_signature(error: ApiError) -> Self {
        Self::Signature(error)
    }

    pub(crate) fn of_body(error: ApiError) -> Self {
        if error.code == "EntityTooLarge" { Self::RequestTooLarge } else { Self::BadBody(error) }
    }

    /// What broke goes to the log; the caller learns that something did.
    pub(crate) fn of_failure(error: ApiError) -> Self {
        tracing::error!(%error, "a request to an API failed inside");
        Self::InternalError
    }

    /// The type of the gateway response.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::Signature(error) if error.code.contains("ExpiredToken") => "EXPIRED_TOKEN",
            Self::Signature(_) => "INVALID_SIGNATURE",
            Self::NotAuthorized { .. } | Self::Denied | Self::NotAllowed => "ACCESS_DENIED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::AuthorizerConfiguration => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Throttled => "THROTTLED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::BadParameters(_) => "BAD_REQUEST_PARAMETERS",
            Self::BadRequestBody(_) => "BAD_REQUEST_BODY",
            Self::InternalError => "API_CONFIGURATION_ERROR",
            // These have none but their class.
            Self::Forbidden | Self::BadBody(_) => "DEFAULT_4XX",
            Self::BadGateway => "DEFAULT_5XX",
        }
    }

    /// What the caller is told, if anything.
    pub(crate) fn message(&self) -> Option<String> {
        self.parts().2
    }

    /// What of a request was found wrong.
    pub(crate) fn validation_error(&self) -> Option<&str> {
        match self {
            Self::BadParameters(error) | Self::BadRequestBody(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let (status, kind, message) = self.parts();
        // AWS spells the member of a refusal by IAM with a capital.
        let capital = matches!(self, Self::NotAuthorized { .. } | Self::Denied | Self::NotAllowed);
        let member = if capital { "Message" } else { "message" };
        let mut response = Response::new(Body::from(json!({ member: message }).to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            headers.insert("x-amzn-errortype", kind);
        }
        response
    }

    /// The status, the error's type, and what the caller is told, if anything.
    fn parts(&self) -> (StatusCode, String, Option<String>) {
        let (status, kind, message) = match self {
            // What is wrong with an authorizer is nobody's business but its owner's.
            Self::AuthorizerFailure | Self::AuthorizerConfiguration => {
                let kind = "AuthorizerConfigurationException".to_owned();
                return (StatusCode::INTERNAL_SERVER_ERROR, kind, None);
            }
            Self::Unauthorized => (401, "UnauthorizedException", "Unauthorized".into()),
            Self::Denied => {
                let message = "User is not authorized to access this resource with an explicit deny";
                (403, "AccessDeniedException", message.into())
            }
            Self::NotAllowed => {
                (403, "AccessDeniedException", "User is not authorized to access this resource".into())
            }
            Self::Forbidden | Self::InvalidApiKey => (403, "ForbiddenException", "Forbidden".into()),
            Self::QuotaExceeded => (429, "LimitExceededException", "Limit Exceeded".into()),
            Self::MissingAuthenticationToken => {
                (403, "MissingAuthenticationTokenException", "Missing Authentication Token".into())
            }
            Self::Signature(error) => {
                return (status_of(error), error.code.to_string(), Some(error.message.clone()));
            }
            Self::NotAuthorized { caller, arn } => {
                let who = if caller == "anonymous" { "anonymous" } else { caller };
                let message = format!(
                    "User: {who} is not authorized to perform: execute-api:Invoke on resource: {arn}"
                );
                (403, "AccessDeniedException", message)
            }
            Self::Throttled => (429, "TooManyRequestsException", "Too Many Requests".into()),
            Self::RequestTooLarge => (413, "RequestTooLargeException", "Request Too Long".into()),
            Self::BadBody(error) => {
                return (error.status, error.code.to_string(), Some(error.message.clone()));
            }
            Self::UnsupportedMediaType => {
                (415, "UnsupportedMediaTypeException", "Unsupported Media Type".into())
            }
            Self::BadGateway => (502, "InternalServerErrorException", "Internal server error".into()),
            Self::IntegrationTimeout => (504, "GatewayTimeoutException", "Endpoint request timed out".into()),
            Self::IntegrationFailure => {
                let message = "Network error communicating with endpoint";
                (504, "GatewayTimeoutException", message.into())
            }
            Self::BadParameters(names) => {
                let message = format!("Missing required request parameters: [{names}]");
                (400, "BadRequestException", message)
            }
            Self::BadRequestBody(_) => (400, "BadRequestException", "Invalid request body".into()),
            Self::InternalError => (500, "InternalServerErrorException", "Internal server error".into()),
        };
        (
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            kind.into(),
            Some(message),
        )
    }
}

/// API Gateway answers every refused signature with 403.
fn status_of(error: &ApiError) -> StatusCode {
    if error.status.is_server_error() { error.status } else { StatusCode::FORBIDDEN }
}

/// Adds what every answer of an API carries.
pub(crate) fn finish(mut response: Response<Body>, request_id: RequestId) -> Response<Body> {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_bytes(&request_id.text()) {
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(EXTENDED_REQUEST_ID, id);
    }
    response
}
