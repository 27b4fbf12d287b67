//! CreateFunction GetFunction GetFunctionConfiguration ListFunctions DeleteFunction

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::code::{Published, Source};
use crate::generated as g;
use crate::name::{self, FunctionId, LATEST, Named, Qualifier};
use crate::settings::{self, Change};
use crate::table::{self, FUNCTIONS, Function, VERSIONS, Version};
use crate::{Lambda, configuration, download, event, page, provisioned, tag, url, version};

pub(crate) async fn create(
    lambda: &Lambda,
    cx: &Context,
    input: g::CreateFunctionRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    let id = name::parse(cx, &input.function_name)?.function;
    settings::check_architectures(input.architectures.as_deref())?;
    check_package(&input)?;
    lambda.check_isolation()?;
    let tags = tag::merge(tag::Tags::new(), input.tags.unwrap_or_default())?;
    tag::check(cx, tags.keys())?;
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
        snap_start: input.snap_start,
        tracing_config: input.tracing_config,
        image_config: input.image_config,
    };
    let package = input.package_type.unwrap_or(g::PackageType::Zip);
    let settings = change.check(lambda, &id)?.create(package)?;
    settings::check_snap_start(&settings)?;
    if lambda.find(&id).await?.is_some() {
        return Err(exists(&id));
    }
    lambda.check_role(cx, &input.role, &id.name).await?;
    let (layers, opt) = lambda.layers(input.layers.as_deref().unwrap_or_default()).await?;
    let Published { hold, image } = lambda.publish(cx, Source::from(input.code)).await?;
    let random = &*lambda.ports.random;
    let latest = Version {
        modified: cx.now,
        revision: ids::uuid(random),
        generation: ids::uuid(random),
        code: hold.code().clone(),
        layers,
        opt,
        image,
        settings,
    };
    let publish = input.publish == Some(true);
    let first = u64::from(publish);
    let function = Function { tags, published: first, ..Function::of(latest) };
    let (latest, arn) = (&function.latest, id.arn());
    let mut commit = FUNCTIONS.create(Commit::new(), &table::function(&id), &function)?;
    commit = version::uses(commit, latest, &arn)?;
    if publish {
        commit = VERSIONS.create(commit, &table::version(&id, first), latest)?;
        commit = version::uses(commit, latest, &id.qualified_arn(&first.to_string()))?;
    }
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => return Err(exists(&id)),
        outcome => outcome.done()?,
    };
    lambda.expect(&latest.settings.runtime, latest.settings.memory_mb);
    if publish {
        version::snapshot(lambda, cx, &id, first).await?;
    }
    // With a version published, the answer is the version's, under the function's own ARN.
    let number = if publish { first.to_string() } else { LATEST.to_owned() };
    configuration::describe_one(lambda, &id, &number, latest, arn)
}

/// Refuses code of another kind than the package type's, and layers of images.
fn check_package(input: &g::CreateFunctionRequest) -> Result<(), ApiError> {
    let is_image = input.package_type == Some(g::PackageType::Image);
    if is_image != input.code.image_uri.is_some() {
        let message = match is_image {
            true => "Please provide ImageUri when the intended function PackageType is Image",
            false => "Please don't provide ImageUri when the intended function PackageType is Zip",
        };
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    match &input.layers {
        Some(layers) if is_image && !layers.is_empty() => Err(settings::only_for(g::PackageType::Image)),
        _ => Ok(()),
    }
}

/// Where the code can be had.
fn location(lambda: &Lambda, cx: &Context, version: &Version) -> g::FunctionCodeLocation {
    match &version.image {
        Some(image) => g::FunctionCodeLocation {
            repository_type: Some("ECR".to_owned()),
            image_uri: Some(image.uri.clone()),
            resolved_image_uri: Some(format!("{}@sha256:{}", image.uri, version.code.sha256)),
            ..Default::default()
        },
        None => g::FunctionCodeLocation {
            repository_type: Some("S3".to_owned()),
            location: Some(download::address(lambda, cx, &version.code)),
            ..Default::default()
        },
    }
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionRequest,
) -> Result<g::GetFunctionResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let loaded = lambda.load(&named).await?;
    let configuration = configuration::describe(lambda, &loaded, &named)?;
    let code = location(lambda, cx, &loaded.version);
    let function = &loaded.function.record;
    let tags = Some(function.tags.clone()).filter(|tags| !tags.is_empty());
    let concurrency = function
        .reserved
        .map(|reserved| g::Concurrency { reserved_concurrent_executions: Some(reserved.cast_signed()) });
    Ok(g::GetFunctionResponse {
        configuration: Some(configuration),
        code: Some(code),
        tags,
        concurrency,
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
    configuration::describe(lambda, &loaded, &named)
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListFunctionsRequest,
) -> Result<g::ListFunctionsResponse, ApiError> {
    let of = |name: String| FunctionId { account: cx.account, region: cx.region.clone(), name };
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|name| table::function(&of(name)));
    let limit = page::limit(input.max_items);
    let found =
        FUNCTIONS.scan(lambda.store(), &table::beside(&of(String::new())), after.as_ref(), limit).await?;
    let all = input.function_version.is_some();
    let (mut functions, mut last) = (Vec::new(), String::new());
    for stored in &found.items {
        last = page::name_in(&stored.key)?;
        let id = of(last.clone());
        let arn = if all { id.qualified_arn(LATEST) } else { id.arn() };
        functions.push(configuration::describe_one(lambda, &id, LATEST, &stored.record.latest, arn)?);
        if all {
            for (number, version) in published(lambda, &id).await? {
                let (number, arn) = (number.to_string(), id.qualified_arn(&number.to_string()));
                functions.push(configuration::describe_one(lambda, &id, &number, &version, arn)?);
            }
        }
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListFunctionsResponse { next_marker, functions: Some(functions) })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteFunctionRequest,
) -> Result<g::DeleteFunctionResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    match (named.qualifier(), &named.qualifier) {
        (Qualifier::Latest, None) => delete_all(lambda, &named).await?,
        (Qualifier::Number(number), _) => version::delete(lambda, &named, number).await?,
        (Qualifier::Latest, Some(_)) => {
            let message = "$LATEST version cannot be deleted without deleting the function.";
            return Err(g::InvalidParameterValueException::new(message).into());
        }
        (Qualifier::Alias(_), _) => {
            let message = "Deletion of aliases is not currently supported.";
            return Err(g::InvalidParameterValueException::new(message).into());
        }
    }
    Ok(g::DeleteFunctionResponse { status_code: Some(204) })
}

/// Removes the function with its versions and aliases.
async fn delete_all(lambda: &Lambda, named: &Named) -> Result<(), ApiError> {
    let id = &named.function;
    let found = FUNCTIONS.get(lambda.store(), &table::function(id)).await?;
    let stored = found.ok_or_else(|| name::missing(&named.arn()))?;
    let mut commit = FUNCTIONS.remove(Commit::new(), &stored);
    commit = version::unused(commit, &stored.record.latest, &id.arn());
    for (number, version) in published(lambda, id).await? {
        commit = version::unused(commit, &version, &id.qualified_arn(&number.to_string()));
    }
    // Versions and aliases are made with the function's record, so that none can appear meanwhile.
    for prefix in [
        table::versions(id),
        table::aliases(id),
        event::config::prefix(id),
        provisioned::prefix(id),
        url::prefix(id),
    ] {
        let (first, end) = prefix.prefix_range();
        commit = commit.clear_range(first, end);
    }
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => return Err(conflict(id)),
        outcome => outcome.done()?,
    };
    lambda.scheduler.forget(id);
    lambda.provision.now();
    lambda.snapshots.forget(|version| version.function == *id);
    lambda.sweep.now();
    Ok(())
}

/// All published versions by number.
async fn published(lambda: &Lambda, id: &FunctionId) -> Result<Vec<(u64, Version)>, ApiError> {
    let found = VERSIONS.all_stored(lambda.store(), &table::versions(id)).await?;
    found.into_iter().map(|stored| Ok((page::number_in(&stored.key)?, stored.record))).collect()
}

fn exists(id: &FunctionId) -> ApiError {
    g::ResourceConflictException::new(format!("Function already exist: {}", id.name)).into()
}

/// The answer to a change that met another one.
pub(crate) fn conflict(id: &FunctionId) -> ApiError {
    let message = format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {}",
        id.arn()
    );
    g::ResourceConflictException::new(message).into()
}
