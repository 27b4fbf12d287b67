//! Servers behind `HTTP` and `HTTP_PROXY` integrations: one pool of connections for all of them.
//!
//! Invariants: certificates are verified unless the integration says otherwise; a server that is slow, away,
//! or answers garbage costs its own requests and nothing else.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::answer::Refusal;

/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Connections to one server that wait for their next request, and for how long.
const IDLE_MAX: usize = 64;
const IDLE_TIME: Duration = Duration::from_secs(60);
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 256;

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections.
#[derive(Default)]
pub(crate) struct Upstreams {
    verified: OnceLock<Option<Pool>>,
    unverified: OnceLock<Option<Pool>>,
}

impl Upstreams {
    /// Sends a request; the answer's body is still to come.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        is_unverified: bool,
        time: Duration,
    ) -> Result<Response<Incoming>, Refusal> {
        let pool = if is_unverified { &self.unverified } else { &self.verified };
        let pool = pool.get_or_init(|| connect(is_unverified)).as_ref().ok_or(Refusal::InternalError)?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let sent = tokio::time::timeout(time, pool.request(request)).await;
        sent.map_err(|_| Refusal::IntegrationTimeout)?.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, host, "an integration could not be reached");
            Refusal::IntegrationFailure
        })
    }
}

fn connect(is_unverified: bool) -> Option<Pool> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| tracing::error!(%error, "no TLS for integrations")).ok()?;
    let tls = match is_unverified {
        true => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider))),
        false => {
            let mut roots = rustls::RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            builder.with_root_certificates(roots)
        }
    };
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(CONNECT_TIME));
    http.set_nodelay(true);
    http.enforce_http(false);
    let tls = tls.with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIME).pool_max_idle_per_host(IDLE_MAX);
    client.http1_max_buf_size(HEAD_BYTES_MAX).http1_max_headers(HEADERS_MAX);
    Some(client.build(connector))
}

/// Takes any certificate; that the server has its key is checked all the same.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What belongs to a connection and goes no further (RFC 9110, section 7.6.1).
pub(crate) fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("keep-alive"),
    ] {
        headers.remove(name);
    }
}
