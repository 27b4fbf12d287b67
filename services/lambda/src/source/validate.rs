//! The question of other services whether they may invoke a function.

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::CheckInvocation;

use crate::{Lambda, name};

#[async_trait]
impl CheckInvocation for Lambda {
    async fn check(&self, cx: &Context, function_arn: &str, source_arn: &str) -> Result<(), ApiError> {
        let named = name::parse(cx, function_arn)?;
        self.load(&named).await?;
        self.authorize(cx, &named, Some(source_arn)).await
    }
}
