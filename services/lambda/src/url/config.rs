//! CreateFunctionUrlConfig UpdateFunctionUrlConfig GetFunctionUrlConfig ListFunctionUrlConfigs
//! DeleteFunctionUrlConfig
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html>

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::function::conflict;
use crate::generated as g;
use crate::name::{self, FunctionId, Named, Qualifier};
use crate::{Lambda, page};

use super::record::{self, Cors, FunctionUrl};

const ID_LENGTH: usize = 32;

pub(crate) async fn create(
    lambda: &Lambda,
    cx: &Context,
    input: g::CreateFunctionUrlConfigRequest,
) -> Result<g::CreateFunctionUrlConfigResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    let url = FunctionUrl {
        id: ids::short_id(ID_LENGTH, &*lambda.ports.random),
        signed: input.auth_type == g::FunctionUrlAuthType::AwsIam,
        cors: input.cors.map(read_cors).transpose()?,
        streamed: input.invoke_mode == Some(g::InvokeMode::ResponseStream),
        created: cx.now,
        modified: cx.now,
    };
    match lambda.store().commit(record::create(Commit::new(), &named, &url)?).await? {
        Outcome::CheckFailed { .. } => {
            let message = format!(
                "Failed to create function url config for [functionArn = {}]. Error message:  FunctionUrlConfig exists for this Lambda function",
                named.arn()
            );
            return Err(g::ResourceConflictException::new(message).into());
        }
        outcome => outcome.done()?,
    };
    let described = describe(lambda, &named, &url);
    Ok(g::CreateFunctionUrlConfigResponse {
        function_url: described.function_url,
        function_arn: described.function_arn,
        auth_type: described.auth_type,
        cors: described.cors,
        creation_time: described.creation_time,
        invoke_mode: described.invoke_mode,
    })
}

pub(crate) async fn update(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionUrlConfigRequest,
) -> Result<g::UpdateFunctionUrlConfigResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    let stored = present(lambda, &named).await?;
    let mut url = stored.record.clone();
    url.modified = cx.now;
    if let Some(auth) = input.auth_type {
        url.signed = auth == g::FunctionUrlAuthType::AwsIam;
    }
    if let Some(mode) = input.invoke_mode {
        url.streamed = mode == g::InvokeMode::ResponseStream;
    }
    if let Some(cors) = input.cors {
        url.cors = Some(read_cors(cors)?).filter(|cors| *cors != Cors::default());
    }
    match lambda.store().commit(record::replace(Commit::new(), &stored, &url)?).await? {
        Outcome::CheckFailed { .. } => return Err(conflict(&named.function)),
        outcome => outcome.done()?,
    };
    let described = describe(lambda, &named, &url);
    Ok(g::UpdateFunctionUrlConfigResponse {
        function_url: described.function_url,
        function_arn: described.function_arn,
        auth_type: described.auth_type,
        cors: described.cors,
        creation_time: described.creation_time,
        last_modified_time: described.last_modified_time,
        invoke_mode: described.invoke_mode,
    })
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionUrlConfigRequest,
) -> Result<g::GetFunctionUrlConfigResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    let described = describe(lambda, &named, &present(lambda, &named).await?.record);
    Ok(g::GetFunctionUrlConfigResponse {
        function_url: described.function_url,
        function_arn: described.function_arn,
        auth_type: described.auth_type,
        cors: described.cors,
        creation_time: described.creation_time,
        last_modified_time: described.last_modified_time,
        invoke_mode: described.invoke_mode,
    })
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListFunctionUrlConfigsRequest,
) -> Result<g::ListFunctionUrlConfigsResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, None).await?;
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let limit = page::limit(input.max_items);
    let found = record::scan(lambda, &named.function, after.as_deref(), limit).await?;
    let (mut configs, mut last) = (Vec::new(), String::new());
    for stored in found.items {
        last = page::name_in(&stored.key)?;
        let qualifier = Some(last.clone()).filter(|text| !text.is_empty());
        let of = Named { function: named.function.clone(), qualifier };
        configs.push(describe(lambda, &of, &stored.record));
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListFunctionUrlConfigsResponse { function_url_configs: configs, next_marker })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteFunctionUrlConfigRequest,
) -> Result<Unit, ApiError> {
    let named = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    let stored = present(lambda, &named).await?;
    match lambda.store().commit(record::remove(Commit::new(), &stored)).await? {
        Outcome::CheckFailed { .. } => Err(conflict(&named.function)),
        outcome => Ok(outcome.done().map(|_| Unit)?),
    }
}

/// The function or alias; versions have no URLs.
async fn target(
    lambda: &Lambda,
    cx: &Context,
    function: &str,
    qualifier: Option<&str>,
) -> Result<Named, ApiError> {
    let named = name::parse_qualified(cx, function, qualifier)?;
    if matches!(named.qualifier(), Qualifier::Number(_)) || named.qualifier.as_deref() == Some(name::LATEST) {
        let message = "A function URL can be created for a function or for an alias, not for a version.";
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    lambda.load(&named).await?;
    Ok(named)
}

async fn present(lambda: &Lambda, named: &Named) -> Result<Stored<FunctionUrl>, ApiError> {
    let missing =
        || ApiError::from(g::ResourceNotFoundException::new("The resource you requested does not exist."));
    record::get(lambda, named).await?.ok_or_else(missing)
}

fn read_cors(cors: g::Cors) -> Result<Cors, ApiError> {
    let methods = cors.allow_methods.unwrap_or_default();
    for method in &methods {
        if !["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"].contains(&method.as_str()) {
            let message = format!("Invalid method {method} in AllowMethods.");
            return Err(g::InvalidParameterValueException::new(message).into());
        }
    }
    Ok(Cors {
        credentials: cors.allow_credentials.unwrap_or_default(),
        headers: cors.allow_headers.unwrap_or_default(),
        methods,
        origins: cors.allow_origins.unwrap_or_default(),
        exposed: cors.expose_headers.unwrap_or_default(),
        max_age_seconds: cors.max_age.map(i32::unsigned_abs),
    })
}

fn write_cors(cors: &Cors) -> g::Cors {
    let list = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    g::Cors {
        allow_credentials: cors.credentials.then_some(true),
        allow_headers: list(&cors.headers),
        allow_methods: list(&cors.methods),
        allow_origins: list(&cors.origins),
        expose_headers: list(&cors.exposed),
        max_age: cors.max_age_seconds.map(u32::cast_signed),
    }
}

fn describe(lambda: &Lambda, named: &Named, url: &FunctionUrl) -> g::FunctionUrlConfig {
    let written = |time: pagoda_base::Timestamp| crate::configuration::written(time);
    g::FunctionUrlConfig {
        function_url: address(lambda, &named.function, &url.id),
        function_arn: named.arn(),
        creation_time: written(url.created),
        last_modified_time: written(url.modified),
        cors: url.cors.as_ref().map(write_cors),
        auth_type: if url.signed { g::FunctionUrlAuthType::AwsIam } else { g::FunctionUrlAuthType::None },
        invoke_mode: Some(if url.streamed { g::InvokeMode::ResponseStream } else { g::InvokeMode::Buffered }),
    }
}

/// The URL itself.
fn address(lambda: &Lambda, function: &FunctionId, id: &str) -> String {
    format!("https://{id}.lambda-url.{}.{}/", function.region, lambda.config.url_suffix)
}
