//! Requests that are too large are refused so that the client reads it, even one that sends all it has
//! before it looks.

use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pagoda_gateway::Limits;

use crate::world::{BODY_BYTES_MAX, HOST, House, exchange};

/// Far more than the sockets between client and server hold.
const MUCH: usize = 20_000_000;

#[tokio::test]
async fn headers_over_the_limit_are_told_431() {
    let house = House::open(Limits::default()).await;
    for bytes in [70_000, MUCH] {
        for (kind, mut stream) in house.both().await {
            let head = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Much: ");
            let answer = exchange(&mut *stream, &head, bytes).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{kind}, {bytes} bytes: {answer}");
        }
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_told_413() {
    let house = House::open(Limits::default()).await;
    let chunk = format!("{MUCH:x}\r\n");
    for (framing, first) in
        [(format!("Content-Length: {MUCH}"), ""), ("Transfer-Encoding: chunked".into(), &*chunk)]
    {
        for (kind, mut stream) in house.both().await {
            let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n{first}");
            let answer = exchange(&mut *stream, &head, MUCH).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{kind}, {framing}: {answer}");
            assert!(answer.ends_with("EntityTooLarge"), "{kind}, {framing}: {answer}");
        }
    }
}

/// A key that nobody has is refused before a byte of the body is read; that too must be heard.
#[tokio::test]
async fn a_refusal_without_a_look_at_the_body_is_heard() {
    let house = House::open(Limits::default()).await;
    for (kind, mut stream) in house.both().await {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                            Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260115/us-east-1/iam/aws4_request, \
                            SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20260115T120000Z\r\nContent-Length: {MUCH}\r\n\r\n"
        );
        let answer = exchange(&mut *stream, &head, MUCH).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{kind}: {answer}");
    }
}

#[tokio::test]
async fn the_same_over_http2() {
    let house = House::open(Limits::default()).await;
    let stream = TokioIo::new(house.plain().await);
    let (mut client, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<bytes::Bytes>>(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    for (header_bytes, body_bytes, status) in
        [(70_000, 0, 431), (10, MUCH, 413), (10, BODY_BYTES_MAX, 200), (10, 0, 200)]
    {
        let request = Request::post(format!("http://{HOST}/"))
            .header("x-much", "x".repeat(header_bytes))
            .body(Full::from(vec![b'x'; body_bytes]))
            .unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{header_bytes} bytes of headers, {body_bytes} of body");
        response.into_body().collect().await.unwrap();
    }
}
