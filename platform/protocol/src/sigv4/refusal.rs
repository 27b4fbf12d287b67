//! How AWS refuses signatures: the code and wording depend on the kind of service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ApiError;
use crate::spec::{Protocol, ServiceSpec};

/// The kind of service, as far as signatures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// S3: exact paths, its own codes.
    S3,
    /// awsQuery services.
    Query,
    /// awsJson services.
    Json,
    /// restJson1 services, and APIs of API Gateway.
    Rest,
}

const NO_MATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
                        your AWS Secret Access Key and signing method. Consult the service documentation for \
                        details.";
const NO_MATCH_S3: &str = "The request signature we calculated does not match the signature you provided. Check \
                           your key and signing method.";

impl Dialect {
    /// The dialect of `service`.
    pub fn of(service: &ServiceSpec) -> Self {
        match service.protocols.first() {
            _ if service.is_s3() => Self::S3,
            Some(Protocol::AwsQuery) => Self::Query,
            _ if service.was_query() => Self::Query,
            Some(Protocol::RestJson1 | Protocol::RestXml) => Self::Rest,
            _ => Self::Json,
        }
    }

    /// A signature that is wrong, stale or for something else.
    pub(super) fn invalid(self, message: impl Into<String>) -> ApiError {
        match self {
            Self::S3 | Self::Query => ApiError::new("SignatureDoesNotMatch", 403, message),
            Self::Json => ApiError::new("InvalidSignatureException", 400, message),
            Self::Rest => ApiError::new("InvalidSignatureException", 403, message),
        }
    }

    /// The signature is not that of the request.
    pub(super) fn mismatch(self, access_key_id: &str, string_to_sign: &str, provided: &str) -> ApiError {
        if self != Self::S3 {
            return self.invalid(NO_MATCH);
        }
        self.invalid(NO_MATCH_S3)
            .with_field("AWSAccessKeyId", access_key_id)
            .with_field("StringToSign", string_to_sign)
            .with_field("SignatureProvided", provided)
    }

    /// The `Authorization` header lacks what `problems` say.
    pub(super) fn incomplete(self, header: &str, problems: &[String]) -> ApiError {
        if self == Self::S3 {
            let problem = problems.first().map_or("", String::as_str);
            let message = format!("The authorization header is malformed; {problem}");
            return ApiError::new("AuthorizationHeaderMalformed", 400, message);
        }
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, header.as_bytes());
        let hashed =
            format!("(Hashed with SHA-256 and encoded with Base64) Authorization={}", STANDARD.encode(hash));
        let message = format!("{} {hashed}", problems.join(" "));
        match self {
            Self::Json => ApiError::new("IncompleteSignatureException", 400, message),
            Self::Rest => ApiError::new("IncompleteSignatureException", 403, message),
            Self::Query | Self::S3 => ApiError::new("IncompleteSignature", 400, message),
        }
    }

    /// A presigned query string that is wrong.
    pub(super) fn query(self, message: impl Into<String>) -> ApiError {
        match self {
            Self::S3 => ApiError::new("AuthorizationQueryParametersError", 400, message),
            Self::Json => ApiError::new("IncompleteSignatureException", 400, message),
            Self::Rest => ApiError::new("IncompleteSignatureException", 403, message),
            Self::Query => ApiError::new("IncompleteSignature", 400, message),
        }
    }

    /// An authorization of another kind.
    pub(super) fn unsupported(self, header: &str) -> ApiError {
        if self == Self::S3 {
            let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return ApiError::new("InvalidRequest", 400, message);
        }
        self.incomplete(header, &["Authorization header requires the algorithm 'AWS4-HMAC-SHA256'.".into()])
    }
}
