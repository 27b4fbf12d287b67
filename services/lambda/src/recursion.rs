//! PutFunctionRecursionConfig GetFunctionRecursionConfig, and what they configure: a function that leads to its
//! own invocation again and again is stopped.
//!
//! How often a function was invoked on the way to a request is told by the lineage in the request's trace
//! header, which functions hand on with what they call.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Decision, update};

use crate::generated as g;
use crate::load::Loaded;
use crate::name;
use crate::table::{self, Function};
use crate::{Lambda, lineage};

/// So often a function is invoked in one chain of requests.
const INVOCATIONS_MAX: u32 = 16;
const MESSAGE: &str = "Lambda has detected your function being invoked in a recursive loop with other Amazon Web \
                       Services resources and stopped your function's invocation.";

pub(crate) async fn put(
    lambda: &Lambda,
    cx: &Context,
    input: g::PutFunctionRecursionConfigRequest,
) -> Result<g::PutFunctionRecursionConfigResponse, ApiError> {
    let id = name::parse(cx, &input.function_name)?.function;
    let may_recurse = input.recursive_loop == g::RecursiveLoop::Allow;
    update(lambda.store(), &table::function(&id), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&id.arn()))?;
        function.may_recurse = may_recurse;
        Ok::<_, ApiError>(Decision::save(function, ()))
    })
    .await?;
    Ok(g::PutFunctionRecursionConfigResponse { recursive_loop: Some(described(may_recurse)) })
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionRecursionConfigRequest,
) -> Result<g::GetFunctionRecursionConfigResponse, ApiError> {
    let loaded = lambda.load(&name::parse(cx, &input.function_name)?).await?;
    let recursive_loop = Some(described(loaded.function.record.may_recurse));
    Ok(g::GetFunctionRecursionConfigResponse { recursive_loop })
}

fn described(may_recurse: bool) -> g::RecursiveLoop {
    if may_recurse { g::RecursiveLoop::Allow } else { g::RecursiveLoop::Terminate }
}

/// Refuses an invocation of a function that has led to it too often.
///
/// # Errors
/// `RecursiveInvocationException`.
pub(crate) fn check(cx: &Context, loaded: &Loaded) -> Result<(), ApiError> {
    let times = cx.origin.trace.as_deref().map_or(0, |trace| lineage::times(trace, &loaded.id.arn()));
    if times < INVOCATIONS_MAX || loaded.function.record.may_recurse {
        return Ok(());
    }
    tracing::warn!(function = %loaded.id.arn(), "a recursive loop was stopped");
    Err(g::RecursiveInvocationException::new(MESSAGE).into())
}

/// Whether this is the answer to an invocation that was stopped.
pub(crate) fn is_stopped(error: &ApiError) -> bool {
    error.code == "RecursiveInvocationException"
}
