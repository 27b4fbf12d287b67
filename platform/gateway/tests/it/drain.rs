//! Stopping loses no request that was accepted.

use std::time::Duration;

use pagoda_gateway::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{HOST, House, get};

#[tokio::test]
async fn what_is_in_flight_is_answered() {
    let mut house = House::open(Limits::default()).await;
    let mut streams = house.both().await;
    for (_, stream) in &mut streams {
        stream.write_all(format!("GET /held HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        house.arrived.recv().await.unwrap();
    }
    let front = house.front.clone();
    let draining = tokio::spawn(async move { front.drain().await });
    // Nobody new comes in any more.
    while TcpStream::connect(house.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!draining.is_finished(), "requests are still in flight");
    house.go.add_permits(streams.len());
    for (kind, stream) in &mut streams {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n0"), "{kind}: {answer}");
    }
    draining.await.unwrap();
}

#[tokio::test]
async fn kept_connections_hold_nothing_up() {
    let house = House::open(Limits::default()).await;
    let mut idle = house.plain().await;
    assert!(get(&mut idle, "/").await.starts_with("HTTP/1.1 200 "));
    tokio::time::timeout(Duration::from_secs(2), house.front.drain()).await.expect("nothing is in flight");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let limits = Limits { drain_time: Duration::from_millis(100), ..Limits::default() };
    let mut house = House::open(limits).await;
    let mut stream = house.plain().await;
    stream.write_all(format!("GET /held HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    house.arrived.recv().await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), house.front.drain()).await.expect("it was given up");
}
