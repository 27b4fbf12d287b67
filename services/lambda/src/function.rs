//! CreateFunction GetFunction GetFunctionConfiguration ListFunctions ListVersionsByFunction DeleteFunction

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::code::Source;
use crate::configuration::{self, Form};
use crate::generated as g;
use crate::name::{self, FunctionId, LATEST};
use crate::settings::{self, Change};
use crate::table::{self, FUNCTIONS, Function, USES, Use};
use crate::{Lambda, tag};

/// AWS lists no more on a page, whatever is asked for.
const PAGE_MAX: i32 = 50;

pub(crate) async fn create(
    lambda: &Lambda,
    cx: &Context,
    input: g::CreateFunctionRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    let id = name::parse(cx, &input.function_name)?.function;
    check_features(&input)?;
    lambda.check_isolation()?;
    let tags = tag::merge(tag::Tags::new(), input.tags.unwrap_or_default())?;
    let change = Change {
        runtime: input.runtime,
        role: Some(input.role.clone()),
        handler: input.handler,
        description: input.description,
        timeout: input.timeout,
        memory_size: input.memory_size,
        ephemeral_storage: input.ephemeral_storage,
        environment: input.environment,
        logging_config: input.logging_config,
    };
    let settings = change.check(lambda, &id)?.create()?;
    if lambda.find(&id).await?.is_some() {
        return Err(exists(&id));
    }
    lambda.check_role(cx, &input.role, &id.name).await?;
    let g::FunctionCode { zip_file, s3_bucket, s3_key, s3_object_version } = input.code;
    let hold = lambda.publish(cx, Source { zip_file, s3_bucket, s3_key, s3_object_version }).await?;
    let random = &*lambda.ports.random;
    let function = Function {
        modified: cx.now,
        revision: ids::uuid(random),
        generation: ids::uuid(random),
        code: hold.code().clone(),
        settings,
        tags,
        statements: Default::default(),
        policy_revision: ids::uuid(random),
    };
    let commit = FUNCTIONS.create(Commit::new(), &table::function(&id), &function)?;
    let commit = USES.put(commit, &table::usage(&function.code.sha256, &id), &Use {})?;
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => return Err(exists(&id)),
        outcome => outcome.done()?,
    };
    configuration::describe_one(lambda, &id, &function, Form::Unqualified)
}

fn check_features(input: &g::CreateFunctionRequest) -> Result<(), ApiError> {
    const OPERATION: &str = "CreateFunction";
    settings::check_publish(OPERATION, input.publish)?;
    settings::check_architectures(input.architectures.as_deref())?;
    settings::check_tracing(OPERATION, input.tracing_config.as_ref())?;
    settings::check_snap_start(OPERATION, input.snap_start.as_ref())?;
    match input.package_type {
        Some(g::PackageType::Image) => Err(ApiError::not_implemented(OPERATION, "PackageType=Image")),
        _ => Ok(()),
    }
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionRequest,
) -> Result<g::GetFunctionResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let loaded = lambda.load(&named).await?;
    let configuration = configuration::describe(lambda, &loaded, Form::of(named.qualifier.as_deref()))?;
    // AWS's Location is a presigned URL of a bucket of its own. There is none here, so none is given.
    let code = g::FunctionCodeLocation { repository_type: Some("S3".to_owned()), ..Default::default() };
    let tags = Some(loaded.function.tags.clone()).filter(|tags| !tags.is_empty());
    Ok(g::GetFunctionResponse {
        configuration: Some(configuration),
        code: Some(code),
        tags,
        ..Default::default()
    })
}

pub(crate) async fn get_configuration(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionConfigurationRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let loaded = lambda.load(&named).await?;
    configuration::describe(lambda, &loaded, Form::of(named.qualifier.as_deref()))
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListFunctionsRequest,
) -> Result<g::ListFunctionsResponse, ApiError> {
    let of = |name: String| FunctionId { account: cx.account, region: cx.region.clone(), name };
    let after = input.marker.as_deref().map(read_marker).transpose()?;
    let after = after.map(|name| table::function(&of(name)));
    let limit = input.max_items.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX).unsigned_abs();
    let page =
        FUNCTIONS.scan(lambda.store(), &table::beside(&of(String::new())), after.as_ref(), limit).await?;
    // Every version there is is the latest; with FunctionVersion=ALL its ARN says so.
    let form = if input.function_version.is_some() { Form::Qualified } else { Form::Unqualified };
    let mut functions = Vec::new();
    let mut last = String::new();
    for stored in &page.items {
        last = name_in(&stored.key)?;
        functions.push(configuration::describe_one(lambda, &of(last.clone()), &stored.record, form)?);
    }
    let next_marker = page.next.map(|_| URL_SAFE_NO_PAD.encode(last));
    Ok(g::ListFunctionsResponse { next_marker, functions: Some(functions) })
}

pub(crate) async fn list_versions(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListVersionsByFunctionRequest,
) -> Result<g::ListVersionsByFunctionResponse, ApiError> {
    let loaded = lambda.load(&name::parse(cx, &input.function_name)?).await?;
    let latest = configuration::describe(lambda, &loaded, Form::Qualified)?;
    // There is one version, and nothing after it.
    let versions = if input.marker.is_some() { Vec::new() } else { vec![latest] };
    Ok(g::ListVersionsByFunctionResponse { next_marker: None, versions: Some(versions) })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteFunctionRequest,
) -> Result<g::DeleteFunctionResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    if named.qualifier.as_deref() == Some(LATEST) {
        let message = "$LATEST version cannot be deleted without deleting the function.";
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    named.check_version()?;
    let id = &named.function;
    let found = FUNCTIONS.get(lambda.store(), &table::function(id)).await?;
    let stored = found.ok_or_else(|| name::missing(&named.arn()))?;
    let used = table::usage(&stored.record.code.sha256, id);
    match lambda.store().commit(FUNCTIONS.remove(Commit::new(), &stored).delete(used)).await? {
        Outcome::CheckFailed { .. } => return Err(conflict(id)),
        outcome => outcome.done()?,
    };
    lambda.scheduler.forget(id);
    lambda.sweep.now();
    Ok(g::DeleteFunctionResponse { status_code: Some(204) })
}

fn exists(id: &FunctionId) -> ApiError {
    g::ResourceConflictException::new(format!("Function already exist: {}", id.name)).into()
}

fn conflict(id: &FunctionId) -> ApiError {
    let message = format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {}",
        id.arn()
    );
    g::ResourceConflictException::new(message).into()
}

fn read_marker(marker: &str) -> Result<String, ApiError> {
    let name = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| g::InvalidParameterValueException::new("The Marker is invalid.").into())
}

fn name_in(key: &pagoda_store::Key) -> Result<String, ApiError> {
    let elements = pagoda_store::tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?;
    match elements.last() {
        Some(pagoda_store::tuple::Element::Text(name)) => Ok(name.clone()),
        _ => Err(ApiError::internal()),
    }
}
