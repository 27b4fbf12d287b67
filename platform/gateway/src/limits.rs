//! How much of everything one peer may take.

use std::time::Duration;

/// Limits of the front door.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections; further ones wait to be accepted.
    pub connections: usize,
    /// All headers of a request together, in bytes.
    pub header_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_time: Duration,
    /// The longest silence in the middle of a body.
    pub body_idle_time: Duration,
    /// For the TLS handshake.
    pub handshake_time: Duration,
    /// Concurrent streams of an HTTP/2 connection.
    pub streams: u32,
    /// How long a peer that is still sending, when its request is refused, is listened to so that it reads
    /// the refusal.
    pub linger_time: Duration,
    /// How much such a peer may send, in bytes.
    pub linger_bytes: usize,
    /// How long requests in flight may go on after the order to stop.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            header_bytes: 64 * 1024,
            headers: 200,
            header_time: Duration::from_secs(15),
            body_idle_time: Duration::from_secs(30),
            handshake_time: Duration::from_secs(10),
            streams: 250,
            linger_time: Duration::from_secs(5),
            linger_bytes: 64 * 1024 * 1024,
            drain_time: Duration::from_secs(30),
        }
    }
}
