//! Invoke, from outside and for the platform's own services.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pagoda_base::Arn;
use pagoda_policy::Principal;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Invocation, InvokeFunction, Invoked};
use pagoda_service::{Access, Context, Service};
use serde::de::IgnoredAny;

use crate::Lambda;
use crate::execution::{Job, run};
use crate::generated as g;
use crate::name::{self, Named};

/// The largest event, in bytes.
const PAYLOAD_BYTES_MAX: usize = 6_291_456;
/// The largest client context, in bytes, in base64.
const CLIENT_CONTEXT_BYTES_MAX: usize = 3_583;

pub(crate) async fn invoke(
    lambda: &Lambda,
    cx: &Context,
    input: g::InvocationRequest,
) -> Result<g::InvocationResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let kind = input.invocation_type.unwrap_or(g::InvocationType::RequestResponse);
    let payload = checked(input.payload.unwrap_or_default())?;
    let client_context = input.client_context.as_deref().map(read_client_context).transpose()?;
    if kind == g::InvocationType::DryRun {
        lambda.load(&named).await?;
        return Ok(g::InvocationResponse { status_code: Some(204), ..Default::default() });
    }
    if kind == g::InvocationType::Event {
        lambda.enqueue(cx, &named, payload, client_context).await?;
        return Ok(g::InvocationResponse { status_code: Some(202), ..Default::default() });
    }
    let invoked = lambda.invoke_named(cx, &named, payload, client_context).await?;
    let tail = input.log_type == Some(g::LogType::Tail);
    Ok(g::InvocationResponse {
        status_code: Some(200),
        function_error: invoked.function_error.map(|error| error.as_str().to_owned()),
        log_result: tail.then(|| STANDARD.encode(&invoked.log_tail)),
        payload: Some(invoked.payload),
        executed_version: Some(invoked.executed_version),
        ..Default::default()
    })
}

/// The operation that came before `InvocationType`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html>
pub(crate) async fn invoke_async(
    lambda: &Lambda,
    cx: &Context,
    input: g::InvokeAsyncRequest,
) -> Result<g::InvokeAsyncResponse, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let payload = input.invoke_args.collect(PAYLOAD_BYTES_MAX).await.map_err(|_| too_large())?;
    lambda.enqueue(cx, &named, checked(payload)?, None).await?;
    Ok(g::InvokeAsyncResponse { status: Some(202) })
}

#[async_trait]
impl InvokeFunction for Lambda {
    async fn invoke(&self, cx: &Context, invocation: Invocation) -> Result<Invoked, ApiError> {
        let named = name::parse(cx, &invocation.function_arn)?;
        self.authorize(cx, &named, invocation.source_arn.as_deref()).await?;
        if invocation.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(too_large());
        }
        self.invoke_named(cx, &named, invocation.payload, None).await
    }
}

impl Lambda {
    pub(crate) async fn invoke_named(
        &self,
        cx: &Context,
        named: &Named,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<Invoked, ApiError> {
        let loaded = self.load(named).await?;
        run(
            self.shared()?,
            cx,
            Job { loaded, function_arn: named.arn(), payload, client_context, pieces: None },
        )
        .await
    }

    /// The platform's services answer for the resource on whose behalf they invoke.
    pub(crate) async fn authorize(
        &self,
        cx: &Context,
        named: &Named,
        source: Option<&str>,
    ) -> Result<(), ApiError> {
        let account = source.and_then(|arn| arn.parse::<Arn>().ok()).map(|arn| arn.account);
        let is_service = matches!(cx.caller.principal, Principal::Service(_));
        let access = Access::new("lambda:InvokeFunction", named.arn())
            .with_some("aws:SourceArn", source.filter(|_| is_service))
            .with_some(
                "aws:SourceAccount",
                account.map(|account| of_source(cx, account)).filter(|_| is_service),
            );
        let ownership = self.ownership(cx, &access).await?;
        self.ports.authorizer.require(&g::SERVICE, cx, &access, &ownership).await
    }
}

/// The account of a source whose ARN names none, as those of buckets: the one on whose behalf it invokes.
fn of_source(cx: &Context, account: String) -> String {
    if account.is_empty() { cx.account.to_string() } else { account }
}

/// The event; nothing is an empty object.
pub(crate) fn checked(payload: Bytes) -> Result<Bytes, ApiError> {
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(too_large());
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => {
            let message = format!("Could not parse request body into json: {error}");
            Err(g::InvalidRequestContentException::new(message).into())
        }
    }
}

fn too_large() -> ApiError {
    let message =
        format!("Request must be smaller than {PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation");
    g::RequestTooLargeException::new(message).into()
}

pub(crate) fn read_client_context(text: &str) -> Result<String, ApiError> {
    let invalid = || {
        g::InvalidRequestContentException::new("Client context must be a valid Base64-encoded JSON object.")
    };
    if text.len() > CLIENT_CONTEXT_BYTES_MAX {
        return Err(invalid().into());
    }
    let value: serde_json::Value = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(invalid)?;
    // Without line breaks, for it travels in a header.
    Ok(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_json_of_bounded_size() {
        let check =
            |text: &[u8]| checked(Bytes::copy_from_slice(text)).map_err(|error| error.status.as_u16());
        assert_eq!(check(b"").unwrap(), "{}");
        assert_eq!(check(b" [1]").unwrap(), " [1]");
        assert_eq!(check(b"{"), Err(400));
        assert_eq!(check(b"\xff"), Err(400));
        assert_eq!(check(&vec![b' '; PAYLOAD_BYTES_MAX + 1]), Err(413));
    }
}
