//! Events from the platform's own services.

use async_trait::async_trait;
use pagoda_base::ids::RequestId;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{Invocation, InvokeLater};

use crate::{Lambda, name};

#[async_trait]
impl InvokeLater for Lambda {
    async fn enqueue(&self, cx: &Context, invocation: Invocation) -> Result<(), ApiError> {
        let named = name::parse(cx, &invocation.function_arn)?;
        self.authorize(cx, &named, invocation.source_arn.as_deref()).await?;
        // One request may have many events.
        let cx = Context { request_id: RequestId::new(&*self.ports.random), ..cx.clone() };
        Lambda::enqueue(self, &cx, &named, invocation.payload, None).await
    }
}
