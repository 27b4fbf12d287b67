//! TestInvokeAuthorizer: an authorizer is asked as it is, without a deployment.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeAuthorizer.html>

use std::time::Instant;

use http::request::Parts;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::{Value, json};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::serve::{Authorizer, Question, Refusal, request_fields};
use crate::table::{RestApi, Texts};
use crate::{ApiGateway, authorizer, test_invoke_method};

/// The stage that tests are said to be on.
pub(crate) const STAGE: &str = "test-invoke-stage";

pub(crate) async fn invoke(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::TestInvokeAuthorizerRequest,
) -> Result<g::TestInvokeAuthorizerResponse, ApiError> {
    let api = edit::load(gateway, cx, &input.rest_api_id).await?.record;
    let authorizer = authorizer::load(gateway, &api.id, &input.authorizer_id).await?;
    let authorizer = Authorizer::new(authorizer).map_err(bad_request)?;
    let parts = parts(&input)?;
    let variables = input.stage_variables.unwrap_or_default();
    let method_arn =
        format!("arn:aws:execute-api:{}:{}:{}/ESTestInvoke-stage/GET/", api.region, api.account, api.id);
    let question = Question {
        api: &api,
        stage: STAGE,
        deployment: "",
        variables: &variables,
        parts: &parts,
        method_arn: &method_arn,
        context: &|| context(&api, cx, &parts),
        request: &|| request(&api, cx, &parts, &variables),
    };
    let began = Instant::now();
    let verdict = gateway.verdict(cx, &authorizer, &question).await;
    let latency = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let id = cx.request_id;
    Ok(match verdict {
        Ok(verdict) => g::TestInvokeAuthorizerResponse {
            client_status: Some(200),
            latency: Some(latency),
            log: Some(format!(
                "Execution log for request {id}\nAuthorizer result: allowed to be evaluated\n"
            )),
            principal_id: Some(verdict.principal_id.clone()),
            policy: Some(verdict.policy_text.clone()),
            authorization: None,
            claims: None,
        },
        Err(refusal) => g::TestInvokeAuthorizerResponse {
            client_status: Some(status(&refusal)),
            latency: Some(latency),
            log: Some(format!("Execution log for request {id}\nAuthorizer result: {refusal:?}\n")),
            ..Default::default()
        },
    })
}

fn status(refusal: &Refusal) -> i32 {
    if matches!(refusal, Refusal::Unauthorized) { 401 } else { 500 }
}

/// The request that the test describes.
fn parts(input: &g::TestInvokeAuthorizerRequest) -> Result<Parts, ApiError> {
    let path = input.path_with_query_string.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
    test_invoke_method::request("GET", path, input.headers.iter().flatten())
}

fn context(api: &RestApi, cx: &Context, parts: &Parts) -> Value {
    json!({
        "accountId": api.account.as_str(),
        "apiId": api.id,
        "httpMethod": parts.method.as_str(),
        "path": parts.uri.path(),
        "resourcePath": "/",
        "requestId": cx.request_id.to_string(),
        "requestTimeEpoch": cx.now.as_millisecond(),
        "stage": STAGE,
        "identity": { "sourceIp": "test-invoke-source-ip" },
    })
}

fn request(api: &RestApi, cx: &Context, parts: &Parts, variables: &Texts) -> Value {
    let mut request = request_fields(parts, variables);
    request["resource"] = json!("/");
    request["path"] = json!(parts.uri.path());
    request["pathParameters"] = Value::Null;
    request["requestContext"] = context(api, cx, parts);
    request
}
