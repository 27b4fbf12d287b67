//! SigV4 in headers and in query strings.

use pagoda_base::Timestamp;
use pagoda_protocol::Body;
use pagoda_protocol::sigv4::{Dialect, SigningKeys, parse};

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "signature",
    seeds: || {
        texts(&[
            "GET /a%20b/?x=1&y\nhost: s3.localhost\nx-amz-date: 20260101T000000Z\nx-amz-content-sha256: \
             UNSIGNED-PAYLOAD\nauthorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/\
             aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=\
             0000000000000000000000000000000000000000000000000000000000000000",
            "GET /k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20260101%2Fus-east-1%2Fs3%2F\
             aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=\
             0000000000000000000000000000000000000000000000000000000000000000\nhost: s3.localhost",
            "GET /b/k?AWSAccessKeyId=AKIAEXAMPLE&Expires=1767225660&Signature=AAAA\nhost: s3.localhost",
        ])
    },
    words: &[
        "Credential=",
        "SignedHeaders=",
        ";",
        ", ",
        "/",
        "X-Amz-Expires=",
        "20260101",
        "T",
        "Z",
        "aws4_request",
    ],
    run: |_, input| Box::pin(async move { read(input) }),
};

fn read(input: &[u8]) -> Result<(), String> {
    let (parts, body) = request(input).ok_or("no request")?;
    for dialect in [Dialect::Json, Dialect::Query, Dialect::Rest] {
        parse(&parts, "s3", dialect).ok();
    }
    let presented = parse(&parts, "s3", Dialect::S3).map_err(|error| error.message)?.ok_or("not signed")?;
    let body = Body::from(bytes::Bytes::copy_from_slice(body));
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().map_err(|_| "no time")?;
    presented.verify(&parts, body, "secret", now, &SigningKeys::new(8)).ok();
    Ok(())
}
