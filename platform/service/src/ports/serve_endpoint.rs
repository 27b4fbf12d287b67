//! The platform's own endpoint, inside a place that only sees its own network.

use tokio::net::TcpListener;

use tokio::sync::oneshot;

/// A listening socket on which the platform is to be reachable.
pub struct Endpoint {
    /// Bound and listening already.
    pub listener: TcpListener,
    /// Resolves, or is dropped at the other end, when the endpoint is to be closed.
    pub closed: oneshot::Receiver<()>,
}

/// Serves the whole platform on further sockets.
pub trait ServeEndpoint: Send + Sync {
    /// Serves plain HTTP on the endpoint until it is closed.
    fn serve(&self, endpoint: Endpoint);
}
