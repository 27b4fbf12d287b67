//! A client of the platform's own APIs, for the commands: signed requests over TLS.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use pagoda_base::{Clock as _, SystemClock};
use pagoda_protocol::sigv4::{Credentials, PayloadHash, sign};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::cli::Target;
use crate::config::data_folder;
use crate::data::Data;
use crate::error::{Doing as _, Error};
use crate::xml::Element;

/// What RFC 3986 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client with the root key of the data folder.
pub(crate) struct Client {
    endpoint: Uri,
    credentials: Credentials,
    pub(crate) region: String,
    tls: TlsConnector,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// A client of the platform that `target` names.
    pub(crate) fn of(target: &Target) -> Result<Self, Error> {
        let data = Data::open(&data_folder(target.data.clone())?)?;
        let running = data.running();
        let endpoint = match &target.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => running.as_ref().map_err(|error| Error::new(error.to_string()))?.endpoint.clone(),
        };
        let region = match (&target.region, &running) {
            (Some(region), _) => region.to_string(),
            (None, Ok(running)) => running.region.clone(),
            (None, Err(_)) => "us-east-1".into(),
        };
        let kept = data.kept_credentials()?;
        let credentials = Credentials {
            access_key_id: kept.access_key_id,
            secret_access_key: kept.secret_access_key.to_string(),
            session_token: None,
        };
        Ok(Self { endpoint: endpoint.parse().doing(&endpoint)?, credentials, region, tls: trusting(&data)? })
    }

    /// A call of an awsQuery service.
    pub(crate) async fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Element, Error> {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            form.push_str(&format!("&{}={}", encoded(name), encoded(value)));
        }
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send(service, Method::POST, "/", &kind, form.into()).await?;
        let xml = Element::parse(&answer.body).doing(action)?;
        if answer.status.is_success() { Ok(xml) } else { Err(refused(action, &xml)) }
    }

    /// A call of an awsJson1.1 service.
    pub(crate) async fn json(&self, service: &str, target: &str, input: Value) -> Result<Value, Error> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let answer = self.send(service, Method::POST, "/", &headers, input.to_string().into()).await?;
        answer.into_json(target)
    }

    /// A `GET` of a restJson service.
    pub(crate) async fn get_json(&self, service: &str, path: &str) -> Result<Value, Error> {
        self.send(service, Method::GET, path, &[], Bytes::new()).await?.into_json(path)
    }

    /// A request, signed.
    pub(crate) async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Error> {
        let authority = self.endpoint.authority().ok_or_else(|| Error::new("the endpoint has no host"))?;
        let mut request = Request::builder().method(method).uri(path).header("host", authority.as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).doing(path)?.into_parts();
        self.sign(&mut parts, service, &body)?;
        let stream = TcpStream::connect((host(authority.host()), authority.port_u16().unwrap_or(443))).await;
        let stream = stream.map_err(|error| {
            Error::new(format!("{}: {error}", self.endpoint))
                .with_hint("is the platform running? start it with `pagoda serve`")
        })?;
        let request = Request::from_parts(parts, Full::new(body));
        if self.endpoint.scheme_str() == Some("http") {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host(authority.host()).to_owned()).doing(authority)?;
        exchange(self.tls.connect(name, stream).await.doing(&self.endpoint)?, request).await
    }

    fn sign(&self, parts: &mut Parts, service: &str, body: &[u8]) -> Result<(), Error> {
        let hash = PayloadHash::Sha256(hex::encode(digest(&SHA256, body)));
        sign(parts, &self.credentials, &self.region, service, &hash, SystemClock.now()).doing("signing")
    }
}

impl Answer {
    pub(crate) fn into_json(self, what: &str) -> Result<Value, Error> {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if self.status.is_success() {
            return Ok(value);
        }
        let message = value.get("message").or(value.get("Message")).and_then(Value::as_str);
        Err(Error::new(format!("{what}: {}", message.unwrap_or("refused"))))
    }

    /// The refusal in an XML body.
    pub(crate) fn refused(&self, what: &str) -> Error {
        match Element::parse(&self.body) {
            Ok(xml) => refused(what, &xml),
            Err(_) => Error::new(format!("{what}: {}", self.status)),
        }
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.doing("HTTP")?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.doing("HTTP")?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.doing("HTTP")?.to_bytes();
    connection.abort();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

fn refused(action: &str, xml: &Element) -> Error {
    let text = |name: &str| xml.find(name).map(|element| element.text.clone()).unwrap_or_default();
    Error::new(format!("{action}: {} ({})", text("Message"), text("Code")))
}

/// Without the brackets of an IPv6 address.
fn host(text: &str) -> &str {
    text.trim_start_matches('[').trim_end_matches(']')
}

/// Trusts the data folder's own authority, and those in `AWS_CA_BUNDLE`.
fn trusting(data: &Data) -> Result<TlsConnector, Error> {
    let mut roots = rustls::RootCertStore::empty();
    for file in
        [Some(data.certificate()), std::env::var_os("AWS_CA_BUNDLE").map(Into::into)].into_iter().flatten()
    {
        if let Ok(certificates) = CertificateDer::pem_file_iter(&file) {
            roots.add_parsable_certificates(certificates.flatten());
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("TLS")?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
