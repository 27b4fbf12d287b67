//! Spans to a collector: OTLP over HTTP, in JSON, in batches.
//!
//! Invariants: handing a span over never waits; what waits is bounded; a collector that is away loses spans,
//! and nothing else.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

mod encode;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Uri};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pagoda_service::Span;
use pagoda_service::ports::ExportSpan;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::error::{Doing as _, Error};

/// OpenTelemetry's defaults for batches.
const QUEUE_MAX: usize = 2_048;
const BATCH_MAX: usize = 512;
const PERIOD: Duration = Duration::from_secs(5);
/// How long a collector may take.
const SEND_TIME: Duration = Duration::from_secs(10);
/// The port where none is named.
const PORT: u16 = 4_318;

/// Sends spans.
pub(crate) struct Exporter {
    spans: Mutex<Option<JoinHandle<()>>>,
    queue: std::sync::Mutex<Option<mpsc::Sender<Span>>>,
}

impl Exporter {
    /// An exporter to the collector at `endpoint`. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the endpoint is no `http://` URL.
    pub(crate) fn start(endpoint: &str) -> Result<Arc<Self>, Error> {
        let base: Uri = endpoint.parse().doing(endpoint)?;
        if base.scheme_str() != Some("http") || base.host().is_none() {
            let hint = "put a collector on this host in front of what wants TLS";
            return Err(
                Error::new(format!("{endpoint}: spans are sent to http:// endpoints only")).with_hint(hint)
            );
        }
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let sending = tokio::spawn(send_all(base, receiver));
        Ok(Arc::new(Self { spans: Mutex::new(Some(sending)), queue: std::sync::Mutex::new(Some(sender)) }))
    }

    /// Sends what is left.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(sending) = self.spans.lock().await.take() {
            // What the task could not send is lost either way.
            let _ = tokio::time::timeout(SEND_TIME, sending).await;
        }
    }
}

impl ExportSpan for Exporter {
    fn export(&self, span: Span) {
        let queue = self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            // A full queue drops the span.
            let _ = queue.try_send(span);
        }
    }
}

async fn send_all(base: Uri, mut receiver: mpsc::Receiver<Span>) {
    let mut is_away = false;
    loop {
        let mut batch = Vec::new();
        if receiver.recv_many(&mut batch, BATCH_MAX).await == 0 {
            return;
        }
        let deadline = tokio::time::Instant::now() + PERIOD;
        while batch.len() < BATCH_MAX {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(span)) => batch.push(span),
                // The period is over, or there will be no more.
                _ => break,
            }
        }
        let sent = tokio::time::timeout(SEND_TIME, send(&base, encode::batch(&batch))).await;
        let sent = sent.unwrap_or_else(|_| Err(Error::new("it did not answer in time")));
        match sent {
            Ok(()) => is_away = false,
            // Told once, not with each batch.
            Err(error) if !is_away => {
                tracing::warn!(endpoint = %base, %error, "the collector takes no spans");
                is_away = true;
            }
            Err(_) => {}
        }
    }
}

async fn send(base: &Uri, body: String) -> Result<(), Error> {
    let host = base.host().unwrap_or_default().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, base.port_u16().unwrap_or(PORT))).await.doing(base)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.doing(base)?;
    let driver = tokio::spawn(connection);
    let path = format!("{}/v1/traces", base.path().trim_end_matches('/'));
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let request = Request::post(path).header(HOST, authority).header(CONTENT_TYPE, "application/json");
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).doing(base)?).await;
    driver.abort();
    let status = answer.doing(base)?.status();
    if status.is_success() { Ok(()) } else { Err(Error::new(format!("it answered {status}"))) }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn spans_reach_the_collector_in_one_batch() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/collect", listener.local_addr().unwrap());
        let exporter = Exporter::start(&endpoint).unwrap();
        for name in ["one", "two"] {
            exporter.export(encode::sample(name));
        }
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !text.ends_with("]}]}]}") {
                let mut bytes = [0; 4_096];
                let count = stream.read(&mut bytes).await.unwrap();
                assert_ne!(count, 0, "{text}");
                text.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            text
        });
        exporter.close().await;
        let text = receiver.await.unwrap();
        assert!(text.starts_with("POST /collect/v1/traces HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("\"one\"") && text.contains("\"two\""), "{text}");
        exporter.export(encode::sample("late"));
    }

    #[tokio::test]
    async fn only_plain_http_is_spoken() {
        assert!(Exporter::start("https://example.com").is_err());
        assert!(Exporter::start("example.com").is_err());
    }
}
