//! A service as the front door sees it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use pagoda_protocol::{ApiError, ServiceSpec};

use crate::{Access, AnyOperation, Context, Operations, Ownership};

/// What a service tells beside its table of operations.
#[async_trait]
pub trait Service: Operations {
    /// The largest request body that is buffered, in bytes. Streamed bodies have their operation's limit.
    const BODY_BYTES_MAX: usize;

    /// Who owns the resource of `access`, and its policy. Resources that do not exist belong to the
    /// caller's account, so that the operation itself answers for them.
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError>;
}

/// A service with its types erased, ready to be called.
pub struct Api {
    spec: &'static ServiceSpec,
    operations: HashMap<&'static str, Box<dyn AnyOperation>>,
    body_bytes_max: usize,
    owns: Arc<dyn Owns>,
}

impl Api {
    /// The API of `service`.
    pub fn of<S: Service>(service: &Arc<S>) -> Self {
        Self {
            spec: S::spec(),
            operations: S::bind(service)
                .into_iter()
                .map(|operation| (operation.spec().name, operation))
                .collect(),
            body_bytes_max: S::BODY_BYTES_MAX,
            owns: service.clone(),
        }
    }

    /// What the model says of the service.
    pub fn spec(&self) -> &'static ServiceSpec {
        self.spec
    }

    /// The largest request body that is buffered, in bytes.
    pub fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    /// The operation, if it is in the table.
    pub fn operation(&self, name: &str) -> Option<&dyn AnyOperation> {
        self.operations.get(name).map(Box::as_ref)
    }

    /// The names of all operations in the table, sorted.
    pub fn operation_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.operations.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// Who owns the resource of `access`.
    pub async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        self.owns.ownership(cx, access).await
    }
}

/// [`Service::ownership`] alone, as an object.
#[async_trait]
trait Owns: Send + Sync {
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError>;
}

#[async_trait]
impl<S: Service> Owns for S {
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        Service::ownership(self, cx, access).await
    }
}
