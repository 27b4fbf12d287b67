//! The table of operations: each line binds an operation of the model to its handler and to the function
//! that names what the handler touches.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::request::Parts;
use pagoda_protocol::{
    ApiError, Body, Operation, OperationSpec, Protocol, Routed, ServiceSpec, Shape, Trace,
};
use serde_json::Value;

use crate::{Access, Context};

/// A decoded input whose type only its operation knows.
pub type AnyInput = Box<dyn Any + Send>;

/// Implemented by [`operations!`](crate::operations) for a service's struct.
pub trait Operations: Sized + Send + Sync + 'static {
    /// What the model says of the service.
    fn spec() -> &'static ServiceSpec;

    /// The table, bound to one instance of the service.
    fn bind(service: &Arc<Self>) -> Vec<Box<dyn AnyOperation>>;
}

/// An operation with its types erased.
#[async_trait]
pub trait AnyOperation: Send + Sync {
    /// What the model says of it.
    fn spec(&self) -> &'static OperationSpec;

    /// Reads the input from the wire.
    fn decode(&self, routed: &Routed, parts: &Parts, body: Body) -> Result<AnyInput, ApiError>;

    /// Reads the input from JSON with the model's member names.
    fn decode_json(&self, value: &Value) -> Result<AnyInput, ApiError>;

    /// What the caller must be allowed to do; nothing where anybody may call.
    fn access(&self, cx: &Context, input: &AnyInput) -> Result<Vec<Access>, ApiError>;

    /// Runs the handler.
    async fn call(&self, cx: &Context, input: AnyInput) -> Result<Box<dyn AnyOutput>, ApiError>;
}

/// An output with its type erased.
pub trait AnyOutput: Send {
    /// Writes it for the wire.
    fn encode(
        self: Box<Self>,
        service: &ServiceSpec,
        protocol: Protocol,
        spec: &OperationSpec,
        trace: &Trace<'_>,
    ) -> http::Response<Body>;

    /// Writes it as JSON with the model's member names.
    fn encode_json(&self) -> Value;
}

type Handler<S, O> = for<'a> fn(
    &'a S,
    &'a Context,
    <O as Operation>::Input,
) -> BoxFuture<'a, Result<<O as Operation>::Output, ApiError>>;

type On<O> = fn(&Context, &<O as Operation>::Input) -> Result<Vec<Access>, ApiError>;

struct Bound<S, O: Operation> {
    service: Arc<S>,
    handler: Handler<S, O>,
    on: On<O>,
}

/// Binds one line of a table.
pub fn bind<S, O>(service: &Arc<S>, handler: Handler<S, O>, on: On<O>) -> Box<dyn AnyOperation>
where
    S: Send + Sync + 'static,
    O: Operation,
{
    Box::new(Bound::<S, O> { service: Arc::clone(service), handler, on })
}

#[async_trait]
impl<S: Send + Sync + 'static, O: Operation> AnyOperation for Bound<S, O> {
    fn spec(&self) -> &'static OperationSpec {
        O::SPEC
    }

    fn decode(&self, routed: &Routed, parts: &Parts, body: Body) -> Result<AnyInput, ApiError> {
        Ok(Box::new(pagoda_protocol::decode::<O::Input>(O::SPEC, routed, parts, body)?))
    }

    fn decode_json(&self, value: &Value) -> Result<AnyInput, ApiError> {
        Ok(Box::new(pagoda_protocol::from_json::<O::Input>(O::SPEC.name, value)?))
    }

    fn access(&self, cx: &Context, input: &AnyInput) -> Result<Vec<Access>, ApiError> {
        (self.on)(cx, input.downcast_ref().ok_or_else(ApiError::internal)?)
    }

    async fn call(&self, cx: &Context, input: AnyInput) -> Result<Box<dyn AnyOutput>, ApiError> {
        let input = input.downcast::<O::Input>().map_err(|_| ApiError::internal())?;
        let output = (self.handler)(&self.service, cx, *input).await?;
        Ok(Box::new(Output(output)))
    }
}

struct Output<T>(T);

impl<T: Shape + Send> AnyOutput for Output<T> {
    fn encode(
        self: Box<Self>,
        service: &ServiceSpec,
        protocol: Protocol,
        spec: &OperationSpec,
        trace: &Trace<'_>,
    ) -> http::Response<Body> {
        pagoda_protocol::encode(service, protocol, spec, self.0, trace)
    }

    fn encode_json(&self) -> Value {
        pagoda_protocol::to_json(&self.0)
    }
}

/// The table of a service's operations, a line each: `Operation => handler, on resources;`.
///
/// The handler is `async fn(&Service, &Context, Input) -> Result<Output, ApiError>`; `resources` is
/// `fn(&Context, &Input) -> Result<Vec<Access>, ApiError>`. The service's generated shapes must be in
/// `crate::generated`.
#[macro_export]
#[allow(clippy::crate_in_macro_def)] // the shapes of the crate that has the table are meant
macro_rules! operations {
    ($service:ty { $($operation:ident => $handler:path, on $resources:path;)* }) => {
        impl $crate::Operations for $service {
            fn spec() -> &'static ::pagoda_protocol::ServiceSpec {
                &crate::generated::SERVICE
            }

            fn bind(service: &::std::sync::Arc<Self>) -> ::std::vec::Vec<Box<dyn $crate::AnyOperation>> {
                ::std::vec![$(
                    $crate::bind::<$service, crate::generated::$operation>(
                        service,
                        |service, cx, input| Box::pin($handler(service, cx, input)),
                        $resources,
                    ),
                )*]
            }
        }
    };
}
