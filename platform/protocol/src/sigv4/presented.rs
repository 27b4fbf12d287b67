//! The signature that a request presents: first taken apart, then, with the secret, verified.

use std::collections::BTreeMap;

use http::request::Parts;
use pagoda_base::Timestamp;

use super::canonical::{self, PathForm};
use super::refusal::Dialect;
use super::sealed::Seal;
use super::version2;
use super::{
    ALGORITHM, Credential, EXPIRES_SECONDS_MAX, PayloadHash, SKEW_SECONDS_MAX, SigningKeys, sha256_hex,
};
use crate::query::pairs;
use crate::{ApiError, Body};

/// A signature as presented, not verified yet.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Who signed, and for what.
    pub credential: Credential,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// Where the signature was.
    pub form: Form,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// What it says about the body.
    pub payload: PayloadHash,
    amz_date: String,
    /// Names between semicolons.
    signed_headers: String,
    signature: String,
    dialect: Dialect,
}

/// Where a signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string of a presigned URL that lives for so many seconds.
    Query {
        /// Seconds from signing on.
        expires_seconds: i64,
    },
    /// In the query string of a presigned URL of Version 2 (S3 only), which is good until `signed_at`.
    QueryVersion2,
}

/// The path of a request with its bucket, as Version 2 signs it. Whoever finds the bucket of a request in
/// its host puts this into the extensions of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStyle(pub String);

/// The signature of a request to `service`; nothing if it has none. The parts must be as received.
pub fn parse(parts: &Parts, service: &str, dialect: Dialect) -> Result<Option<Presented>, ApiError> {
    let presented = if let Some(header) = parts.headers.get("authorization") {
        of_header(parts, header.to_str().unwrap_or_default(), dialect)?
    } else {
        let query: BTreeMap<_, _> = pairs(parts.uri.query().unwrap_or_default()).collect();
        if dialect == Dialect::S3 && query.contains_key("AWSAccessKeyId") {
            return of_version2(&|name| query.get(name).map(|value| value.as_ref())).map(Some);
        }
        let names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
        if !names.iter().any(|name| query.contains_key(*name)) {
            return Ok(None);
        }
        of_query(parts, &|name| query.get(name).map(|value| value.as_ref()), dialect)?
    };
    presented.check_scope(service)?;
    Ok(Some(presented))
}

fn of_header(parts: &Parts, header: &str, dialect: Dialect) -> Result<Presented, ApiError> {
    let Some(fields) = header.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', ','])) else {
        return Err(dialect.unsupported(header));
    };
    let field = |name: &str| {
        let mut fields = fields.split([',', ' ']);
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).filter(|value| !value.is_empty())
    };
    let date = parts.headers.get("x-amz-date").or_else(|| parts.headers.get("date"));
    let (credential, signature, signed) = (field("Credential"), field("Signature"), field("SignedHeaders"));
    let mut problems: Vec<String> =
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed)]
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
    if date.is_none() && dialect == Dialect::S3 {
        let message = "AWS authentication requires a valid Date or x-amz-date header";
        return Err(ApiError::new("AccessDenied", 403, message));
    }
    if date.is_none() {
        problems.push(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into(),
        );
    }
    let (Some(credential), Some(signature), Some(signed), Some(date)) = (credential, signature, signed, date)
    else {
        return Err(dialect.incomplete(header, &problems));
    };
    let malformed = || {
        let expected = "the Credential is mal-formed; expecting \
                        \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
        dialect.incomplete(header, &[expected.into()])
    };
    let credential = Credential::parse(credential).ok_or_else(malformed)?;
    let (amz_date, signed_at) =
        date.to_str().ok().and_then(moment).ok_or_else(|| {
            dialect.incomplete(header, &["Date must be in ISO-8601 'basic format'.".into()])
        })?;
    Ok(Presented {
        credential,
        session_token: header_text(parts, "x-amz-security-token"),
        form: Form::Header,
        signed_at,
        payload: PayloadHash::of_header(parts, dialect)?,
        amz_date,
        signed_headers: signed.to_owned(),
        signature: signature.to_owned(),
        dialect,
    })
}

fn of_query<'q>(
    parts: &Parts,
    field: &dyn Fn(&str) -> Option<&'q str>,
    dialect: Dialect,
) -> Result<Presented, ApiError> {
    let needed = || {
        dialect.query(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    };
    let need = |name: &str| field(name).ok_or_else(needed);
    if need("X-Amz-Algorithm")? != ALGORITHM {
        return Err(dialect.query("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let credential = Credential::parse(need("X-Amz-Credential")?).ok_or_else(|| {
        dialect.query(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        )
    })?;
    let (amz_date, signed_at) = moment(need("X-Amz-Date")?).ok_or_else(|| {
        dialect.query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    })?;
    // Only S3 always has an expiry; the others take a signature's age as that of a header.
    let expires =
        if dialect == Dialect::S3 { need("X-Amz-Expires")? } else { field("X-Amz-Expires").unwrap_or("900") };
    Ok(Presented {
        credential,
        session_token: field("X-Amz-Security-Token").map(str::to_owned),
        form: Form::Query { expires_seconds: expiry(expires, dialect)? },
        signed_at,
        payload: query_payload(parts, field("X-Amz-Content-Sha256"), dialect)?,
        amz_date,
        signed_headers: need("X-Amz-SignedHeaders")?.to_owned(),
        signature: need("X-Amz-Signature")?.to_owned(),
        dialect,
    })
}

fn of_version2<'q>(field: &dyn Fn(&str) -> Option<&'q str>) -> Result<Presented, ApiError> {
    let refused = |message: &str| ApiError::new("AccessDenied", 403, message);
    let needed = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
    let need = |name: &str| field(name).ok_or_else(|| refused(needed));
    let expires = need("Expires")?;
    let seconds = expires.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let expires_at = seconds.ok_or_else(|| refused("Invalid date (should be seconds since epoch)"))?;
    Ok(Presented {
        credential: Credential {
            access_key_id: need("AWSAccessKeyId")?.to_owned(),
            date: amz_date(expires_at)[..8].to_owned(),
            // Version 2 knows no regions.
            region: "us-east-1".into(),
            service: "s3".into(),
        },
        session_token: field("x-amz-security-token").map(str::to_owned),
        form: Form::QueryVersion2,
        signed_at: expires_at,
        payload: PayloadHash::Unsigned,
        amz_date: expires.to_owned(),
        signed_headers: String::new(),
        signature: need("Signature")?.to_owned(),
        dialect: Dialect::S3,
    })
}

/// A presigned URL does not know its body, except where the signer put a hash into it or into a header.
fn query_payload(parts: &Parts, parameter: Option<&str>, dialect: Dialect) -> Result<PayloadHash, ApiError> {
    match parameter {
        Some(text) => PayloadHash::parse(text, dialect),
        None if parts.headers.contains_key("x-amz-content-sha256") => PayloadHash::of_header(parts, dialect),
        None if dialect == Dialect::S3 => Ok(PayloadHash::Unsigned),
        None => Ok(PayloadHash::OfBody),
    }
}

fn expiry(text: &str, dialect: Dialect) -> Result<i64, ApiError> {
    let seconds: i64 = text.parse().map_err(|_| dialect.query("X-Amz-Expires should be a number"))?;
    match seconds {
        ..0 => Err(dialect.query("X-Amz-Expires must be non-negative")),
        0..=EXPIRES_SECONDS_MAX => Ok(seconds),
        _ => Err(dialect.query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        )),
    }
}

/// A moment as signatures write it, or as HTTP does; and always in the first form.
fn moment(text: &str) -> Option<(String, Timestamp)> {
    if let Some(moment) = basic(text) {
        return Some((text.to_owned(), moment));
    }
    let moment = crate::moment::parse(text, crate::TimestampFormat::HttpDate)?;
    Some((amz_date(moment), moment))
}

/// Reads `20150830T123600Z`.
fn basic(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let is_digit = |at: usize| bytes[at].is_ascii_digit();
    if bytes[8] != b'T' || bytes[15] != b'Z' || !(0..8).chain(9..15).all(is_digit) {
        return None;
    }
    // Only digits stand there.
    let number = |from: usize| i8::try_from((bytes[from] - b'0') * 10 + bytes[from + 1] - b'0').ok();
    let year = i16::from(number(0)?) * 100 + i16::from(number(2)?);
    let (month, day, hour) = (number(4)?, number(6)?, number(9)?);
    let civil = jiff::civil::DateTime::new(year, month, day, hour, number(11)?, number(13)?, 0).ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

/// `20150830T123600Z`.
pub(crate) fn amz_date(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn header_text(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl Presented {
    fn check_scope(&self, service: &str) -> Result<(), ApiError> {
        let credential = &self.credential;
        if credential.service != service {
            let message = format!("Credential should be scoped to correct service: '{service}'.");
            return Err(self.dialect.invalid(message));
        }
        let day = &self.amz_date[..8];
        if credential.date != day {
            let message = format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{day}', from '{}'.",
                credential.date, self.amz_date
            );
            return Err(self.dialect.invalid(message));
        }
        if !self.names().any(|name| name == "host") {
            let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(self.dialect.invalid(message));
        }
        Ok(())
    }

    /// The names of the signed headers.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Verifies the signature with the secret access key of its credential, at the time `now`, and gives
    /// the body as the operation may see it: checked already if it was in memory, or checked while it is
    /// read, with an error in place of its end. Chunks of `aws-chunked` bodies are taken apart.
    pub fn verify(
        &self,
        parts: &Parts,
        body: Body,
        secret: &str,
        now: Timestamp,
        keys: &SigningKeys,
    ) -> Result<Body, ApiError> {
        self.check_time(now)?;
        if self.form == Form::QueryVersion2 {
            return self.verify_version2(parts, body, secret);
        }
        self.check_headers(parts)?;
        let hash = match (self.payload.as_str(), body.bytes()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(bytes)) => sha256_hex(bytes),
            // A stream's hash is not known before its end: such requests must say it in a header.
            (None, None) => {
                return Err(self.dialect.invalid("x-amz-content-sha256 is required for a stream"));
            }
        };
        let request = self.canonical_request(parts, &hash);
        let credential = self.credential.text();
        let scope = &credential[self.credential.access_key_id.len() + 1..];
        let string_to_sign = canonical::string_to_sign(&self.amz_date, scope, &request);
        let key = keys.get(&credential, &self.credential, secret);
        if !super::key::is_signed(&key, &string_to_sign, &self.signature) {
            let id = &self.credential.access_key_id;
            let error = self.dialect.mismatch(id, &string_to_sign, &self.signature);
            let is_s3 = self.dialect == Dialect::S3;
            return Err(if is_s3 { error.with_field("CanonicalRequest", request) } else { error });
        }
        let seal = Seal {
            payload: &self.payload,
            dialect: self.dialect,
            key: &key,
            amz_date: &self.amz_date,
            scope,
            signature: &self.signature,
        };
        seal.body(parts, body)
    }

    fn verify_version2(&self, parts: &Parts, body: Body, secret: &str) -> Result<Body, ApiError> {
        let text = version2::string_to_sign(parts, &self.amz_date);
        if version2::is_signed(secret, &text, &self.signature) {
            return Ok(body);
        }
        Err(self.dialect.mismatch(&self.credential.access_key_id, &text, &self.signature))
    }

    fn check_time(&self, now: Timestamp) -> Result<(), ApiError> {
        let age = now.as_second() - self.signed_at.as_second();
        match self.form {
            Form::Query { expires_seconds } if age > expires_seconds => {
                Err(self.expired(now, expires_seconds))
            }
            Form::QueryVersion2 if age > 0 => Err(self.expired(now, 0)),
            Form::QueryVersion2 => Ok(()),
            Form::Header if age > SKEW_SECONDS_MAX => Err(self.expired(now, SKEW_SECONDS_MAX)),
            _ if age < -SKEW_SECONDS_MAX => Err(self.early(now)),
            _ => Ok(()),
        }
    }

    fn expired(&self, now: Timestamp, seconds: i64) -> ApiError {
        if self.dialect == Dialect::S3 && self.form != Form::Header {
            let expired_at =
                Timestamp::from_second(self.signed_at.as_second() + seconds).unwrap_or(self.signed_at);
            return ApiError::new("AccessDenied", 403, "Request has expired")
                .with_field("X-Amz-Expires", seconds.to_string())
                .with_field("Expires", crate::moment::date_time(expired_at))
                .with_field("ServerTime", crate::moment::date_time(now));
        }
        if self.dialect == Dialect::S3 {
            return self.too_skewed(now);
        }
        let earliest = Timestamp::from_second(now.as_second() - seconds).unwrap_or(now);
        self.dialect.invalid(format!(
            "Signature expired: {} is now earlier than {} ({} - {} min.)",
            self.amz_date,
            amz_date(earliest),
            amz_date(now),
            seconds / 60
        ))
    }

    fn early(&self, now: Timestamp) -> ApiError {
        if self.dialect == Dialect::S3 {
            return match self.form {
                Form::Header => self.too_skewed(now),
                _ => ApiError::new("AccessDenied", 403, "Request is not yet valid"),
            };
        }
        let latest = Timestamp::from_second(now.as_second() + SKEW_SECONDS_MAX).unwrap_or(now);
        self.dialect.invalid(format!(
            "Signature not yet current: {} is still later than {} ({} + {} min.)",
            self.amz_date,
            amz_date(latest),
            amz_date(now),
            SKEW_SECONDS_MAX / 60
        ))
    }

    fn too_skewed(&self, now: Timestamp) -> ApiError {
        let message = "The difference between the request time and the current time is too large.";
        ApiError::new("RequestTimeTooSkewed", 403, message)
            .with_field("RequestTime", self.amz_date.clone())
            .with_field("ServerTime", crate::moment::date_time(now))
            .with_field("MaxAllowedSkewMilliseconds", (SKEW_SECONDS_MAX * 1000).to_string())
    }

    /// S3 lets no header of its own go unsigned.
    fn check_headers(&self, parts: &Parts) -> Result<(), ApiError> {
        if self.dialect != Dialect::S3 {
            return Ok(());
        }
        let ours =
            parts.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
        let unsigned: Vec<&str> = ours.filter(|name| !self.names().any(|signed| signed == *name)).collect();
        if unsigned.is_empty() {
            return Ok(());
        }
        let message = "There were headers present in the request which were not signed";
        Err(ApiError::new("AccessDenied", 403, message).with_field("HeadersNotSigned", unsigned.join(", ")))
    }

    pub(super) fn canonical_request(&self, parts: &Parts, payload_hash: &str) -> String {
        let form = if self.dialect == Dialect::S3 { PathForm::Exact } else { PathForm::Normalized };
        let path = canonical::path(parts.uri.path(), form);
        let is_presigned = self.form != Form::Header;
        let query = canonical::query(parts.uri.query().unwrap_or_default(), |name| {
            is_presigned && name == "X-Amz-Signature"
        });
        let value = |name| (name, canonical::header(parts, name).unwrap_or_default());
        let headers: Vec<_> = self.names().map(value).collect();
        canonical::request(parts.method.as_str(), &path, &query, &headers, payload_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_and_times_that_exist() {
        for text in ["20150830T123600Z", "20240229T235959Z", "00010101T000000Z"] {
            assert_eq!(basic(text).map(amz_date).as_deref(), Some(text));
        }
        for text in [
            "",
            "20150830T123600",
            "20150830 123600Z",
            "2015083OT123600Z",
            "20151330T123600Z",
            "20150830T246000Z",
        ] {
            assert_eq!(basic(text), None, "{text}");
        }
    }
}
