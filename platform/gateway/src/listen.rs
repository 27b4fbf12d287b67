//! One port for everything: TLS and, on loopback, plain HTTP, told apart by the first byte; HTTP/1.1 and
//! HTTP/2.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use pagoda_service::ports::{Endpoint, ServeEndpoint};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::limits::Limits;
use crate::linger::{Lingering, Whole};
use crate::pipeline::{Connection, Gateway};
use crate::timer::ConnectionTimer;

/// The first byte of a TLS handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The listening side of the platform.
pub struct Front {
    gateway: Arc<Gateway>,
    acceptor: TlsAcceptor,
    http: Builder<TokioExecutor>,
    limits: Limits,
    connections: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    graceful: std::sync::Mutex<Option<GracefulShutdown>>,
}

/// A bound port.
pub struct Listener(TcpListener);

impl Listener {
    /// Binds `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the port is taken or not allowed.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(TcpListener::bind(address).await?))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Whether the peer may speak plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    Allowed,
    Refused,
}

impl Front {
    /// A front before `gateway`, with TLS as configured.
    pub fn new(gateway: Arc<Gateway>, tls: rustls::ServerConfig, limits: Limits) -> Arc<Self> {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(ConnectionTimer::default())
            .header_read_timeout(limits.header_time)
            .max_buf_size(limits.header_bytes.max(8 * 1024))
            .max_headers(limits.headers);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.header_bytes as u32)
            .keep_alive_interval(Some(limits.body_idle_time))
            .keep_alive_timeout(limits.header_time);
        Arc::new(Self {
            gateway,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            http,
            connections: Arc::new(Semaphore::new(limits.connections)),
            limits,
            stop: watch::Sender::new(false),
            graceful: std::sync::Mutex::new(Some(GracefulShutdown::new())),
        })
    }

    /// Accepts connections until [`Front::drain`].
    pub async fn serve(self: &Arc<Self>, listener: Listener) {
        let loopback = listener.address().is_ok_and(|address| address.ip().is_loopback());
        let plain = if loopback { Plain::Allowed } else { Plain::Refused };
        let mut stop = self.stop.subscribe();
        tokio::select! {
            _ = stop.wait_for(|stopping| *stopping) => {}
            () = self.accept(listener.0, plain) => {}
        }
    }

    async fn accept(self: &Arc<Self>, listener: TcpListener, plain: Plain) {
        loop {
            let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let front = Arc::clone(self);
                    tokio::spawn(async move {
                        front.converse(stream, peer.ip(), plain).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Out of descriptors, or the peer is gone already: neither ends the server.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn converse(&self, stream: TcpStream, peer: IpAddr, plain: Plain) {
        let _ = stream.set_nodelay(true);
        let mut first = [0];
        let peeked = tokio::time::timeout(self.limits.handshake_time, stream.peek(&mut first)).await;
        match (peeked, first[0]) {
            (Ok(Ok(1)), TLS_HANDSHAKE) => self.encrypted(stream, peer).await,
            (Ok(Ok(1)), _) if plain == Plain::Allowed => {
                self.speak(stream, peer, false).await;
            }
            (Ok(Ok(1)), _) => {
                let refusal = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 37\r\n\r\n\
                                Only HTTPS is spoken at this address.";
                let mut stream = Lingering::new(stream, Whole::default(), &self.limits);
                let _ = stream.write_all(refusal).await;
                let _ = stream.shutdown().await;
            }
            _ => {}
        }
    }

    async fn encrypted(&self, stream: TcpStream, peer: IpAddr) {
        match tokio::time::timeout(self.limits.handshake_time, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream, peer, true).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    }

    async fn speak<S>(&self, stream: S, peer: IpAddr, secure: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let whole = Whole::default();
        let stream = Lingering::new(stream, whole.clone(), &self.limits);
        let shared = Arc::new((Arc::clone(&self.gateway), Connection { peer, secure, whole }));
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move {
                let (gateway, connection) = &*shared;
                Ok::<_, std::convert::Infallible>(gateway.answer(request, connection).await)
            }
        });
        let mut http = self.http.clone();
        http.http1().timer(ConnectionTimer::default());
        let conversation = http.serve_connection(TokioIo::new(stream), service);
        let watched = {
            let graceful = self.graceful.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            graceful.as_ref().map(|graceful| graceful.watch(conversation.into_owned()))
        };
        if let Some(conversation) = watched
            && let Err(error) = conversation.await
        {
            tracing::debug!(%error, %peer, "the connection ended");
        }
    }

    /// Stops accepting, lets the requests in flight finish, and returns when they have or their time is over.
    pub async fn drain(&self) {
        self.stop.send_replace(true);
        let graceful = self.graceful.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(graceful) = graceful
            && tokio::time::timeout(self.limits.drain_time, graceful.shutdown()).await.is_err()
        {
            tracing::warn!("requests were still in flight when the time to drain was over");
        }
    }
}

/// The front itself serves the platform's endpoint inside function sandboxes.
pub struct SandboxFront(pub Arc<Front>);

impl ServeEndpoint for SandboxFront {
    fn serve(&self, endpoint: Endpoint) {
        let front = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut stop = front.stop.subscribe();
            tokio::select! {
                _ = stop.wait_for(|stopping| *stopping) => {}
                _ = endpoint.closed => {}
                () = front.accept(endpoint.listener, Plain::Allowed) => {}
            }
        });
    }
}
