//! `aws-chunked` bodies: S3's documented example, and what must be refused.

use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt;
use pagoda_protocol::sigv4::{Dialect, SigningKeys, parse};
use pagoda_protocol::{ApiError, Body};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/// The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
fn example() -> Parts {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
         x-amz-decoded-content-length;x-amz-storage-class,Signature={SEED}"
    );
    let request = http::Request::put("/examplebucket/chunkObject.txt")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("authorization", authorization)
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "66560")
        .header("content-length", "66824");
    request.body(()).unwrap().into_parts().0
}

fn example_body() -> Vec<u8> {
    let chunks = [
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ];
    let mut body = Vec::new();
    for (size, signature) in chunks {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', size));
        body.extend_from_slice(b"\r\n");
    }
    body
}

async fn read(parts: &Parts, body: Body) -> Result<Bytes, ApiError> {
    let presented = parse(parts, "s3", Dialect::S3)?.unwrap();
    let now = "2013-05-24T00:00:10Z".parse().unwrap();
    presented.verify(parts, body, SECRET, now, &SigningKeys::new(4))?.collect(1 << 20).await
}

/// The same bytes in pieces of `size`, as a network may deliver them.
fn in_pieces(bytes: Vec<u8>, size: usize) -> Body {
    let pieces: Vec<_> =
        bytes.chunks(size).map(|piece| Ok(http_body::Frame::data(Bytes::copy_from_slice(piece)))).collect();
    Body::stream(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)), None)
}

#[tokio::test]
async fn the_documented_example_is_accepted_in_any_pieces() {
    for size in [1, 7, 1000, 65536, 100_000] {
        let data = read(&example(), in_pieces(example_body(), size)).await.unwrap();
        assert!(data.len() == 66560 && data.iter().all(|&byte| byte == b'a'), "{size}");
    }
}

#[tokio::test]
async fn changed_chunks_are_refused() {
    let check = |change: fn(&mut Vec<u8>), code: &'static str| async move {
        let mut body = example_body();
        change(&mut body);
        let error = read(&example(), body.into()).await.unwrap_err();
        assert_eq!(error.code, code, "{}", error.message);
    };
    check(|body| body[100] = b'b', "SignatureDoesNotMatch").await;
    check(|body| body[20] ^= 1, "SignatureDoesNotMatch").await;
    check(|body| body.truncate(66000), "IncompleteBody").await;
    check(|body| body.truncate(60000), "IncompleteBody").await;
    check(|body| drop(body.splice(0..5, *b"10001")), "SignatureDoesNotMatch").await;
    check(|body| body[0] = b'z', "IncompleteBody").await;
    check(|body| drop(body.splice(0..0, std::iter::repeat_n(b'0', 5000))), "IncompleteBody").await;
}

fn unsigned(trailer: &str, length: &str) -> Parts {
    let request = http::Request::put("/b/k")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("x-amz-trailer", trailer)
        .header("x-amz-decoded-content-length", length);
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let credentials = pagoda_protocol::sigv4::Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: SECRET.into(),
        session_token: None,
    };
    let payload = pagoda_protocol::sigv4::PayloadHash::UnsignedChunks;
    let now = "2013-05-24T00:00:00Z".parse().unwrap();
    pagoda_protocol::sigv4::sign(&mut parts, &credentials, "us-east-1", "s3", &payload, now).unwrap();
    parts
}

#[tokio::test]
async fn trailers_are_checked_and_handed_on() {
    // CRC-32 of "123456789" is cbf43926.
    let body = "4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
    let parts = unsigned("x-amz-checksum-crc32", "9");
    assert_eq!(read(&parts, body.into()).await.unwrap(), "123456789");

    let presented = parse(&parts, "s3", Dialect::S3).unwrap().unwrap();
    let now = "2013-05-24T00:00:10Z".parse().unwrap();
    let body_read = presented.verify(&parts, body.into(), SECRET, now, &SigningKeys::new(4)).unwrap();
    let collected = BodyExt::collect(body_read).await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-amz-checksum-crc32"], "y/Q5Jg==");

    let rows = [
        ("4\r\n1234\r\n5\r\n56788\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "BadDigest"),
        ("4\r\n1234\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "IncompleteBody"),
        ("9\r\n123456789\r\n0\r\n\r\n", "MalformedTrailerError"),
        ("9\r\n123456789\r\n0\r\n", "IncompleteBody"),
        ("a\r\n1234567890\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "IncompleteBody"),
    ];
    for (body, code) in rows {
        assert_eq!(read(&parts, body.into()).await.unwrap_err().code, code, "{body}");
    }
    let unknown = unsigned("x-amz-checksum-md4", "9");
    assert_eq!(read(&unknown, body.into()).await.unwrap_err().code, "NotImplemented");
}
