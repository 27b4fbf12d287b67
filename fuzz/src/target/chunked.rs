//! `aws-chunked` bodies behind a right signature.

use bytes::Bytes;
use pagoda_base::Timestamp;
use pagoda_protocol::Body;
use pagoda_protocol::sigv4::{Credentials, Dialect, PayloadHash, SigningKeys, parse, sign};

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "chunked",
    seeds: || {
        texts(&[
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        ])
    },
    words: &[
        "\r\n",
        "0\r\n",
        "ffffffffffffffff",
        ";chunk-signature=",
        "x-amz-trailer-signature:",
        "x-amz-checksum-",
    ],
    run: |_, input| {
        Box::pin(async move {
            let signed = [false, true].map(|trailer| PayloadHash::SignedChunks { trailer });
            for payload in signed {
                read(&payload, input).await.ok();
            }
            read(&PayloadHash::UnsignedChunks, input).await
        })
    },
};

async fn read(payload: &PayloadHash, input: &[u8]) -> Result<(), String> {
    let head = b"PUT /bucket/key\nhost: s3.localhost\ncontent-encoding: aws-chunked\nx-amz-decoded-content-length: 5\n\
                 x-amz-trailer: x-amz-checksum-crc32";
    let (mut parts, _) = request(head).ok_or("no request")?;
    let credentials = Credentials {
        access_key_id: "AKIAEXAMPLE".into(),
        secret_access_key: "secret".into(),
        session_token: None,
    };
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().map_err(|_| "no time")?;
    sign(&mut parts, &credentials, "us-east-1", "s3", payload, now).map_err(|error| error.message)?;
    let presented = parse(&parts, "s3", Dialect::S3).map_err(|error| error.message)?.ok_or("not signed")?;
    let body = Body::from(Bytes::copy_from_slice(input));
    let mut body =
        presented.verify(&parts, body, "secret", now, &SigningKeys::new(8)).map_err(|error| error.message)?;
    while let Some(chunk) = body.chunk().await {
        chunk.map_err(|error| error.message)?;
    }
    Ok(())
}
