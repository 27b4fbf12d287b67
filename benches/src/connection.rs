//! Client connections, one request at a time, kept alive: plain or in TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Outcome;

/// A request that may be sent many times.
pub(crate) type Prepared = Request<Full<Bytes>>;

/// Where a server answers.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    tls: Option<TlsConnector>,
    /// A connection is for one request.
    pub(crate) is_fresh: bool,
}

impl Target {
    /// Plain HTTP.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, is_fresh: false }
    }

    /// HTTPS, trusting the certificates in `authority`.
    pub(crate) fn encrypted(address: SocketAddr, authority: &Path) -> Outcome<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(CertificateDer::pem_file_iter(authority)?.flatten());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        // Of connections that are not kept, each is a stranger's.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { address, tls: Some(TlsConnector::from(Arc::new(config))), is_fresh: false })
    }

    /// The same, with a connection for each request.
    pub(crate) fn fresh(self) -> Self {
        Self { is_fresh: true, ..self }
    }
}

/// An open connection.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Outcome<Self> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        if target.is_fresh {
            // Closed without waiting, or the system has no ports left after a while.
            stream.set_zero_linger()?;
        }
        match &target.tls {
            None => Self::over(stream).await,
            Some(tls) => Self::over(tls.connect(ServerName::try_from("localhost")?, stream).await?).await,
        }
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Outcome<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Whether a further request may be sent; some servers close after a number of them.
    pub(crate) async fn is_open(&mut self) -> bool {
        self.0.ready().await.is_ok()
    }

    /// Sends a request and reads the answer to its end. Anything but success is an error.
    pub(crate) async fn exchange(&mut self, request: Prepared) -> Outcome<Bytes> {
        let response = self.0.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
            return Err(format!("{status} {text}").into());
        }
        Ok(body)
    }
}

/// One request on a connection of its own.
pub(crate) async fn once(target: &Target, request: Prepared) -> Outcome<Bytes> {
    Connection::open(target).await?.exchange(request).await
}
