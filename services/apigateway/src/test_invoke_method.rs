//! TestInvokeMethod: a method is called as it is, without a deployment.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::method_setting::MethodSettings;
use crate::serve::{Tried, Variant, assemble};
use crate::table::{self, RESOURCES, Resource, Stage, Texts};
use crate::test_invoke_authorizer::STAGE;
use crate::{ApiGateway, deployment, method};

/// What an answer may have.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

pub(crate) async fn invoke(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::TestInvokeMethodRequest,
) -> Result<g::TestInvokeMethodResponse, ApiError> {
    let api = edit::load(gateway, cx, &input.rest_api_id).await?.record;
    let resource = edit::resource(gateway, &api.id, &input.resource_id).await?.record;
    method::of(&resource, &input.http_method)?;
    let parts = parts(&input, &resource)?;
    let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, &api.id)).await?;
    let beside = deployment::beside(gateway, &api.id).await?;
    let stage = stage(cx.now, input.stage_variables.unwrap_or_default());
    let trial = assemble(gateway, cx, api, stage, (Variant::Stage, None), resources, beside).await?;
    let body = Bytes::from(input.body.unwrap_or_default());
    let tried = gateway.try_method(cx.clone(), &Arc::new(trial), &resource.id, &parts, body).await;
    let missing = || bad_request("The path specified does not lead to the resource");
    describe(cx, tried.ok_or_else(missing)?).await
}

/// The stage that tests are said to be on.
fn stage(now: Timestamp, variables: Texts) -> Stage {
    Stage {
        name: STAGE.to_owned(),
        deployment_id: String::new(),
        description: None,
        variables,
        method_settings: MethodSettings::new(),
        cache: None,
        access_log: None,
        canary: None,
        documentation_version: None,
        tags: Texts::new(),
        created: now,
        updated: now,
    }
}

/// The request that the test describes. Variables of the path stand for themselves where it says nothing.
fn parts(input: &g::TestInvokeMethodRequest, resource: &Resource) -> Result<Parts, ApiError> {
    let given = input.path_with_query_string.as_deref().filter(|path| !path.is_empty());
    let path = given.map_or_else(|| resource.path.replace(['{', '}'], ""), str::to_owned);
    // Any verb will do for a method that takes them all.
    let verb = if input.http_method == "ANY" { "GET" } else { &input.http_method };
    let single = input.headers.iter().flatten();
    let multi = input.multi_value_headers.iter().flatten();
    let multi = multi.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    request(verb, &path, single.chain(multi))
}

/// A request that was never sent.
pub(crate) fn request<'h>(
    verb: &str,
    path: &str,
    headers: impl Iterator<Item = (&'h String, &'h String)>,
) -> Result<Parts, ApiError> {
    let request = Request::builder().method(verb).uri(path).body(());
    let mut parts = request.map_err(|_| bad_request("Invalid path specified"))?.into_parts().0;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else {
            return Err(bad_request("Invalid header specified"));
        };
        parts.headers.append(name, value);
    }
    Ok(parts)
}

async fn describe(cx: &Context, tried: Tried) -> Result<g::TestInvokeMethodResponse, ApiError> {
    let (parts, body) = tried.response.into_parts();
    let body = body.collect(BODY_BYTES_MAX).await?;
    let time = cx.now.strftime("%a %b %d %H:%M:%S UTC %Y").to_string();
    let log =
        tried.steps.iter().fold(format!("Execution log for request {}\n", cx.request_id), |log, step| {
            format!("{log}{time} : {step}\n")
        });
    let (headers, multi) = texts(&parts.headers);
    Ok(g::TestInvokeMethodResponse {
        status: Some(parts.status.as_u16().into()),
        body: Some(String::from_utf8_lossy(&body).into_owned()),
        headers: Some(headers),
        multi_value_headers: Some(multi),
        log: Some(log),
        latency: Some(i64::try_from(tried.took.as_millis()).unwrap_or(i64::MAX)),
    })
}

/// Headers with their last values, and with all of them.
fn texts(headers: &HeaderMap) -> (Texts, BTreeMap<String, Vec<String>>) {
    let (mut single, mut multi) = (Texts::new(), BTreeMap::<String, Vec<String>>::new());
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        single.insert(name.as_str().to_owned(), value.to_owned());
        multi.entry(name.as_str().to_owned()).or_default().push(value.to_owned());
    }
    (single, multi)
}
