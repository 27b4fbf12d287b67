//! All services of the platform, by name.

use std::collections::HashMap;

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use serde_json::Value;

use crate::ports::CallOperation;
use crate::{Access, AnyOperation, Api, Authorizer, Context};

/// All services, and the authorizer that stands before them. Some share a signing name, as DynamoDB and its
/// streams do: their target prefixes and operations tell them apart.
pub struct Registry {
    apis: HashMap<&'static str, Vec<Api>>,
    authorizer: Authorizer,
}

impl Registry {
    /// The services, found by their signing names.
    pub fn new(apis: impl IntoIterator<Item = Api>, authorizer: Authorizer) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for api in apis {
            by_name.entry(api.spec().name).or_default().push(api);
        }
        Self { apis: by_name, authorizer }
    }

    /// The service whose signing name this is.
    pub fn api(&self, name: &str) -> Option<&Api> {
        self.apis.get(name)?.first()
    }

    /// The service whose signing name this is; among several, the one with that `X-Amz-Target` prefix.
    pub fn targeted(&self, name: &str, target_prefix: Option<&str>) -> Option<&Api> {
        let apis = self.apis.get(name)?;
        let targeted = apis.iter().find(|api| api.spec().target_prefix == target_prefix);
        targeted.or(apis.first())
    }

    /// The built operation of the service with that signing name.
    pub fn operation(&self, name: &str, operation: &str) -> Option<(&Api, &dyn AnyOperation)> {
        let find = |api| Some((api, Api::operation(api, operation)?));
        self.apis.get(name)?.iter().find_map(find)
    }

    /// All services.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.values().flatten()
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
        let name = if self.apis.contains_key(service) { operation } else { service };
        let (api, operation) =
            self.operation(service, operation).ok_or_else(|| ApiError::unavailable(name))?;
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
