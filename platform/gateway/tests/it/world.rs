//! A front door before IAM and a data plane that the tests hold the strings of.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, Response};
use pagoda_gateway::{Authenticator, Authority, Counters, Front, Gateway, Limits, Listener, Planes};
use pagoda_iam::Iam;
use pagoda_protocol::Body;
use pagoda_service::{Api, Arrival, Authorizer, DataPlane, Registry};
use pagoda_testkit::{ACCOUNT, REGION, World};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsConnector;

/// The largest body that the plane takes.
pub(crate) const BODY_BYTES_MAX: usize = 1_000_000;
pub(crate) const HOST: &str = "a.execute-api.us-east-1.localhost";

/// Answers with the length of the body; `/held` waits until the test lets it go.
struct Plane {
    arrived: mpsc::Sender<()>,
    go: Arc<Semaphore>,
}

#[async_trait]
impl DataPlane for Plane {
    async fn serve(&self, arrival: Arrival) -> Response<Body> {
        let length = match arrival.body.collect(BODY_BYTES_MAX).await {
            Ok(bytes) => bytes.len(),
            Err(error) => {
                let status = if error.code == "EntityTooLarge" { 413 } else { 400 };
                return response(status, error.code.into_owned());
            }
        };
        if arrival.parts.uri.path() == "/held" {
            self.arrived.send(()).await.unwrap();
            let _permit = self.go.acquire().await.unwrap();
        }
        response(200, length.to_string())
    }
}

fn response(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert("x-plane", HeaderValue::from_static("yes"));
    response
}

pub(crate) struct House {
    pub(crate) front: Arc<Front>,
    pub(crate) address: SocketAddr,
    /// Tells of each request to `/held`.
    pub(crate) arrived: mpsc::Receiver<()>,
    /// A permit lets one of them go.
    pub(crate) go: Arc<Semaphore>,
    folder: TempDir,
}

/// Either kind of connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl House {
    pub(crate) async fn open(limits: Limits) -> Self {
        let world = World::new();
        let iam = Iam::new(world.store.clone(), world.random.clone(), world.sealer.clone(), Vec::new());
        let authorizer = Authorizer::new(iam.clone());
        let authenticator = Arc::new(Authenticator::new(iam.clone(), world.clock.clone()));
        let (sender, arrived) = mpsc::channel(10);
        let go = Arc::new(Semaphore::new(0));
        let plane = Arc::new(Plane { arrived: sender, go: Arc::clone(&go) });
        let gateway = Gateway {
            registry: Arc::new(Registry::new([Api::of(&iam)], authorizer)),
            planes: Planes { execute_api: Some(plane), ..Planes::default() },
            authenticator,
            account: ACCOUNT.parse().unwrap(),
            region: REGION.parse().unwrap(),
            domain: "localhost".into(),
            limits: limits.clone(),
            clock: world.clock.clone(),
            random: world.random.clone(),
            spans: None,
            counters: Counters::new(["plane", "iam"]),
        };
        let folder = tempfile::tempdir().unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address().unwrap();
        let authority = Authority::open(folder.path(), "localhost", address.ip(), world.clock.clone());
        let front = Front::new(Arc::new(gateway), Arc::new(authority.unwrap()).tls().unwrap(), limits);
        let serving = Arc::clone(&front);
        tokio::spawn(async move { serving.serve(listener).await });
        Self { front, address, arrived, go, folder }
    }

    pub(crate) async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Plain, and encrypted.
    pub(crate) async fn both(&self) -> [(&'static str, Box<dyn Stream>); 2] {
        [("plain", Box::new(self.plain().await)), ("TLS", Box::new(self.encrypted().await))]
    }

    async fn encrypted(&self) -> impl Stream + use<> {
        let mut roots = rustls::RootCertStore::empty();
        let authority = CertificateDer::pem_file_iter(self.folder.path().join("ca.pem")).unwrap();
        roots.add_parsable_certificates(authority.flatten());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.plain().await).await.unwrap()
    }
}

/// Sends everything before it reads anything, as most clients do; then all that was answered.
pub(crate) async fn exchange(stream: &mut dyn Stream, head: &str, body_bytes: usize) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 64 * 1024];
    let mut left = body_bytes;
    while left > 0 {
        let length = left.min(piece.len());
        stream.write_all(&piece[..length]).await.unwrap();
        left -= length;
    }
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The answer to one small request, the connection kept.
pub(crate) async fn get(stream: &mut TcpStream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}
