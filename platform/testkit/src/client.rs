//! Calls a service's operations, with the authorization that the front door does.

use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::ports::CallOperation as _;
use pagoda_service::{Api, Authorizer, Caller, Registry};
use serde_json::Value;

use crate::World;

/// A caller of one or more services.
#[derive(Clone)]
pub struct Client<'w> {
    world: &'w World,
    registry: Arc<Registry>,
    caller: Caller,
}

impl<'w> Client<'w> {
    /// Calls `apis` as root, behind `authorizer`.
    pub fn new(world: &'w World, apis: impl IntoIterator<Item = Api>, authorizer: Authorizer) -> Self {
        let registry = Arc::new(Registry::new(apis, authorizer));
        Self { world, registry, caller: world.root() }
    }

    /// The same services for another caller.
    pub fn by(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The services, for those that call each other.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.clone()
    }

    /// Calls an operation; input and output have the model's member names.
    ///
    /// # Errors
    /// The service's own, and refusals.
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.registry.call(&self.world.context(self.caller.clone()), service, operation, input).await
    }

    /// Calls an operation that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn must(&self, service: &str, operation: &str, input: Value) -> Value {
        match self.call(service, operation, input.clone()).await {
            Ok(output) => output,
            Err(error) => panic!("{operation} {input}: {error}"),
        }
    }

    /// Calls an operation that must be refused; the refusal's code.
    ///
    /// # Panics
    /// When it succeeds.
    pub async fn refused(&self, service: &str, operation: &str, input: Value) -> String {
        match self.call(service, operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input} succeeded: {output}"),
            Err(error) => error.code.into_owned(),
        }
    }
}
