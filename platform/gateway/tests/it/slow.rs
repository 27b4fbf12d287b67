//! Clients that take their time, or all connections.

use std::time::Duration;

use pagoda_gateway::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::world::{HOST, House, get};

fn hasty() -> Limits {
    let short = Duration::from_millis(200);
    Limits {
        header_time: short,
        body_idle_time: short,
        handshake_time: short,
        linger_time: short,
        ..Limits::default()
    }
}

/// What is answered to the beginning of a request that never goes on, until the server closes.
async fn answer_to(beginning: &[u8]) -> String {
    let house = House::open(hasty()).await;
    let mut stream = house.plain().await;
    stream.write_all(beginning).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end as good as any other.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_client_that_falls_silent_is_cut_off() {
    let host = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n");
    for (beginning, status) in [
        (String::new(), None),
        ("\u{16}".into(), None),
        (host.clone(), None),
        (format!("{host}Content-Length: 10\r\n\r\nabc"), Some("400")),
        (format!("{host}Transfer-Encoding: chunked\r\n\r\n3\r\nab"), Some("400")),
    ] {
        let answer = tokio::time::timeout(Duration::from_secs(10), answer_to(beginning.as_bytes())).await;
        let answer = answer.unwrap_or_else(|_| panic!("{beginning:?} was never cut off"));
        assert_eq!(answer.split(' ').nth(1), status, "{beginning:?}: {answer}");
    }
}

/// Each byte comes in time for silence to end, but the headers as a whole do not.
#[tokio::test]
async fn a_client_that_drips_its_headers_is_cut_off() {
    let house = House::open(hasty()).await;
    let mut stream = house.plain().await;
    let dripping = async {
        for byte in b"GET / HTTP/1.1\r\n".iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), dripping).await.expect("the connection was closed");
}

#[tokio::test]
async fn further_connections_wait_for_a_free_place() {
    let house = House::open(Limits { connections: 2, ..Limits::default() }).await;
    let (mut first, mut second) = (house.plain().await, house.plain().await);
    assert!(get(&mut first, "/").await.starts_with("HTTP/1.1 200 "));
    assert!(get(&mut second, "/").await.starts_with("HTTP/1.1 200 "));
    let mut third = house.plain().await;
    let waiting = tokio::time::timeout(Duration::from_millis(200), get(&mut third, "/")).await;
    assert!(waiting.is_err(), "answered beyond the limit: {waiting:?}");
    drop(first);
    let mut answer = [0; 12];
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}
