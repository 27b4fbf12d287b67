//! All services of the platform, by name.

use std::collections::HashMap;

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use serde_json::Value;

use crate::ports::CallOperation;
use crate::{Access, Api, Authorizer, Context};

/// All services, and the authorizer that stands before them.
pub struct Registry {
    apis: HashMap<&'static str, Api>,
    authorizer: Authorizer,
}

impl Registry {
    /// The services, found by their signing names.
    pub fn new(apis: impl IntoIterator<Item = Api>, authorizer: Authorizer) -> Self {
        Self { apis: apis.into_iter().map(|api| (api.spec().name, api)).collect(), authorizer }
    }

    /// The service whose signing name this is.
    pub fn api(&self, name: &str) -> Option<&Api> {
        self.apis.get(name)
    }

    /// All services.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.values()
    }

    /// Refuses the call unless the caller may do all that it needs: what [`AnyOperation::access`](crate::AnyOperation::access) named.
    ///
    /// # Errors
    /// `AccessDenied` or `AccessDeniedException`.
    pub async fn authorize(&self, cx: &Context, api: &Api, needed: &[Access]) -> Result<(), ApiError> {
        for access in needed {
            let ownership = api.ownership(cx, access).await?;
            self.authorizer.require(api.spec(), cx, access, &ownership).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl CallOperation for Registry {
    async fn call(
        &self,
        cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        let api = self.api(service).ok_or_else(|| ApiError::unavailable(service))?;
        let operation = api.operation(operation).ok_or_else(|| ApiError::unavailable(operation))?;
        let input = operation.decode_json(&input).map_err(|error| match &*error.code {
            // JSON inside the process has no protocol to say what the service calls this.
            "ValidationException" => ApiError { code: api.spec().validation_code.into(), ..error },
            _ => error,
        })?;
        let needed = operation.access(cx, &input)?;
        self.authorize(cx, api, &needed).await?;
        Ok(operation.call(cx, input).await?.encode_json())
    }
}
