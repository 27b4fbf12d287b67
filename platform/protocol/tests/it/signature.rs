//! Signatures that must be refused, in the wording of each kind of service.

use pagoda_protocol::sigv4::{Credentials, Dialect, PayloadHash, SigningKeys, parse, sign};
use pagoda_protocol::{ApiError, Body};

const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; // of "hello"

fn credentials() -> Credentials {
    Credentials { access_key_id: "AKID".into(), secret_access_key: "secret".into(), session_token: None }
}

fn refusal(dialect: Dialect, service: &str, header: (&'static str, &str)) -> ApiError {
    let (mut parts, ()) = http::Request::get("/").body(()).unwrap().into_parts();
    parts.headers.insert("host", "h".parse().unwrap());
    parts.headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
    parts.headers.insert(header.0, header.1.parse().unwrap());
    parse(&parts, service, dialect).map(|_| ()).unwrap_err()
}

#[test]
fn malformed_authorizations_are_named() {
    let whole = "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=ab";
    let rows = [
        (
            Dialect::Query,
            "AWS4-HMAC-SHA256 x=y",
            "IncompleteSignature",
            400,
            "requires 'Credential' parameter.",
        ),
        (
            Dialect::Json,
            "AWS4-HMAC-SHA256 x=y",
            "IncompleteSignatureException",
            400,
            "requires 'Signature' parameter.",
        ),
        (Dialect::Rest, "Bearer token", "IncompleteSignatureException", 403, "AWS4-HMAC-SHA256"),
        (Dialect::S3, "AWS AKID:abc", "InvalidRequest", 400, "Please use AWS4-HMAC-SHA256."),
        (
            Dialect::S3,
            "AWS4-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=ab",
            "AuthorizationHeaderMalformed",
            400,
            "mal-formed",
        ),
        (Dialect::Json, whole, "InvalidSignatureException", 400, "scoped to correct service: 'dynamodb'"),
    ];
    for (dialect, header, code, status, text) in rows {
        let error = refusal(dialect, "dynamodb", ("authorization", header));
        assert_eq!((&*error.code, error.status.as_u16()), (code, status), "{header}");
        assert!(error.message.contains(text), "{}", error.message);
    }
    let unsigned_host = whole.replace("=host", "=x-amz-date");
    assert!(refusal(Dialect::Query, "sts", ("authorization", &unsigned_host)).message.contains("'Host'"));
    let other_day = whole.replace("20150830", "20150831");
    assert!(
        refusal(Dialect::Query, "sts", ("authorization", &other_day))
            .message
            .contains("does not match YYYYMMDD")
    );
}

#[test]
fn presigned_urls_need_all_their_parts() {
    let rows = [
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "requires the X-Amz-Algorithm"),
        ("X-Amz-Credential=c&X-Amz-Algorithm=other", "only supports"),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c", "mal-formed"),
    ];
    let whole = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fr%2Fs3%2Faws4_request&X-Amz-Date=20150830T000000Z\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature=ab&X-Amz-Expires=";
    let expiries = [("604801", "less than a week"), ("-1", "non-negative"), ("x", "should be a number")];
    let expiries: Vec<_> = expiries.iter().map(|(value, text)| (format!("{whole}{value}"), *text)).collect();
    let rows = rows.map(|(query, text)| (query.to_owned(), text)).into_iter().chain(expiries);
    for (query, text) in rows {
        let request = http::Request::get(format!("/b/k?{query}")).header("host", "h").body(()).unwrap();
        let error = parse(&request.into_parts().0, "s3", Dialect::S3).unwrap_err();
        assert_eq!(error.code, "AuthorizationQueryParametersError", "{query}");
        assert!(error.message.contains(text), "{}", error.message);
    }
    let anonymous = http::Request::get("/b/k?list-type=2").body(()).unwrap().into_parts().0;
    assert!(parse(&anonymous, "s3", Dialect::S3).unwrap().is_none());
}

async fn round(
    dialect: Dialect,
    service: &str,
    uri: &str,
    payload: PayloadHash,
    body: Body,
    at: &str,
) -> Result<bytes::Bytes, ApiError> {
    let (mut parts, ()) =
        http::Request::put(uri).header("host", "localhost:1").body(()).unwrap().into_parts();
    sign(
        &mut parts,
        &credentials(),
        "us-east-1",
        service,
        &payload,
        "2020-01-01T00:00:00Z".parse().unwrap(),
    )?;
    let presented = parse(&parts, service, dialect)?.unwrap();
    let body = presented.verify(&parts, body, "secret", at.parse().unwrap(), &SigningKeys::new(1))?;
    body.collect(100).await
}

#[tokio::test]
async fn what_we_sign_we_accept() {
    let now = "2020-01-01T00:14:00Z";
    let uri = "/b/a%20key/with+plus//and%2Fslash?x=1&a=%C3%A9";
    let hash = PayloadHash::Sha256(HASH.into());
    assert_eq!(round(Dialect::S3, "s3", uri, hash.clone(), "hello".into(), now).await.unwrap(), "hello");
    assert_eq!(round(Dialect::S3, "s3", uri, PayloadHash::Unsigned, "any".into(), now).await.unwrap(), "any");
    assert_eq!(round(Dialect::Rest, "lambda", uri, hash, "hello".into(), now).await.unwrap(), "hello");
}

#[tokio::test]
async fn bodies_are_held_against_their_signed_hash() {
    let now = "2020-01-01T00:14:00Z";
    let stream = |text: &'static str| {
        let frames = [Ok(http_body::Frame::data(bytes::Bytes::from(text)))];
        Body::stream(http_body_util::StreamBody::new(futures_util::stream::iter(frames)), None)
    };
    let hash = || PayloadHash::Sha256(HASH.into());
    assert_eq!(round(Dialect::S3, "s3", "/b/k", hash(), stream("hello"), now).await.unwrap(), "hello");
    for body in [stream("hellO"), "hellO".into()] {
        let error = round(Dialect::S3, "s3", "/b/k", hash(), body, now).await.unwrap_err();
        assert_eq!(error.code, "XAmzContentSHA256Mismatch");
    }
}

#[tokio::test]
async fn old_and_early_signatures_are_refused() {
    let rows = [
        (Dialect::S3, "2020-01-01T00:15:01Z", "RequestTimeTooSkewed", "too large"),
        (Dialect::S3, "2019-12-31T23:44:59Z", "RequestTimeTooSkewed", "too large"),
        (
            Dialect::Query,
            "2020-01-01T00:15:01Z",
            "SignatureDoesNotMatch",
            "Signature expired: 20200101T000000Z is now earlier than 20200101T000001Z (20200101T001501Z - 15 min.)",
        ),
        (
            Dialect::Json,
            "2019-12-31T23:44:59Z",
            "InvalidSignatureException",
            "Signature not yet current: 20200101T000000Z",
        ),
    ];
    for (dialect, at, code, text) in rows {
        let service = if dialect == Dialect::S3 { "s3" } else { "sts" };
        let error = round(dialect, service, "/", PayloadHash::Sha256(HASH.into()), "hello".into(), at)
            .await
            .unwrap_err();
        assert_eq!(error.code, code);
        assert!(error.message.contains(text), "{}", error.message);
    }
}

#[test]
fn s3_lets_no_header_of_its_own_go_unsigned() {
    let (mut parts, ()) = http::Request::put("/b/k").header("host", "h").body(()).unwrap().into_parts();
    let now = "2020-01-01T00:00:00Z".parse().unwrap();
    sign(&mut parts, &credentials(), "us-east-1", "s3", &PayloadHash::Unsigned, now).unwrap();
    parts.headers.insert("x-amz-acl", "public-read".parse().unwrap());
    let presented = parse(&parts, "s3", Dialect::S3).unwrap().unwrap();
    let error = presented.verify(&parts, Body::empty(), "secret", now, &SigningKeys::new(1)).unwrap_err();
    assert_eq!((&*error.code, error.fields[0].1.as_str()), ("AccessDenied", "x-amz-acl"));
}

/// The example of a query string in <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>,
/// whose bucket is in the host.
#[test]
fn presigned_urls_of_version_2_are_accepted() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let verify = |bucket: &str, target: &str, at: &str| {
        let request = http::Request::get(target).header("host", "johnsmith.s3.amazonaws.com");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let path = pagoda_protocol::sigv4::PathStyle(format!("/{bucket}{}", parts.uri.path()));
        parts.extensions.insert(path);
        let presented = parse(&parts, "s3", Dialect::S3).unwrap().unwrap();
        assert_eq!(presented.credential.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        let outcome =
            presented.verify(&parts, Body::empty(), secret, at.parse().unwrap(), &SigningKeys::new(1));
        outcome.map(drop).map_err(|error| (error.code.into_owned(), error.message))
    };
    let good = "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
    let (early, late) = ("2007-03-29T03:40:00Z", "2007-03-29T03:40:21Z");
    assert_eq!(verify("johnsmith", good, early), Ok(()));
    assert_eq!(verify("another", good, early).unwrap_err().0, "SignatureDoesNotMatch");
    assert_eq!(
        verify("johnsmith", &good.replace("puppy", "kitten"), early).unwrap_err().0,
        "SignatureDoesNotMatch"
    );
    assert_eq!(verify("johnsmith", &format!("{good}&acl"), early).unwrap_err().0, "SignatureDoesNotMatch");
    let expired = ("AccessDenied".to_owned(), "Request has expired".to_owned());
    assert_eq!(verify("johnsmith", good, late), Err(expired));
}
