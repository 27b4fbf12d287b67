//! UpdateFunctionCode UpdateFunctionConfiguration

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, update};

use crate::code::{Published, Source};
use crate::generated as g;
use crate::name::{self, LATEST, Named};
use crate::settings::{self, Change};
use crate::table::{self, Function, Version};
use crate::version::{self, Wanted};
use crate::{Lambda, configuration};

pub(crate) async fn code(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionCodeRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    settings::check_architectures(input.architectures.as_deref())?;
    let named = name::parse(cx, &input.function_name)?;
    let loaded = lambda.load(&named).await?;
    check_revision(&loaded.version.revision, input.revision_id.as_deref())?;
    let g::UpdateFunctionCodeRequest { zip_file, s3_bucket, s3_key, s3_object_version, image_uri, .. } =
        input;
    if loaded.version.image.is_some() != image_uri.is_some() {
        let message = match loaded.version.image {
            Some(_) => "Please provide ImageUri when updating a function with packageType Image.",
            None => "Please don't provide ImageUri when updating a function with packageType Zip.",
        };
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    let source = Source { zip_file, s3_bucket, s3_key, s3_object_version, image_uri };
    let Published { hold, image } = lambda.publish(cx, source).await?;
    if input.dry_run == Some(true) {
        let tried = Version { code: hold.code().clone(), image, ..loaded.version.clone() };
        return configuration::describe_one(lambda, &loaded.id, LATEST, &tried, named.arn());
    }
    let changed = change(lambda, cx, &named, input.revision_id.as_deref(), |latest| {
        latest.code = hold.code().clone();
        latest.image.clone_from(&image);
        Ok(())
    })
    .await?;
    if input.publish != Some(true) {
        return Ok(changed);
    }
    let published = version::publish_latest(lambda, cx, &named.function, &Wanted::default()).await?;
    // The version's configuration, under the function's own ARN.
    Ok(g::FunctionConfiguration { function_arn: changed.function_arn, ..published })
}

pub(crate) async fn configuration(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionConfigurationRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let loaded = lambda.load(&named).await?;
    let package = loaded.version.package_type();
    if package == g::PackageType::Image && input.layers.as_ref().is_some_and(|layers| !layers.is_empty()) {
        return Err(settings::only_for(package));
    }
    if let Some(role) = &input.role {
        lambda.check_role(cx, role, &named.function.name).await?;
    }
    let layers = match &input.layers {
        Some(arns) => Some(lambda.layers(arns).await?),
        None => None,
    };
    let wanted = Change {
        runtime: input.runtime,
        role: input.role,
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
    let wanted = wanted.check(lambda, &named.function)?;
    wanted.fits(package)?;
    change(lambda, cx, &named, input.revision_id.as_deref(), |latest| {
        wanted.apply(&mut latest.settings);
        if let Some((layers, opt)) = &layers {
            latest.layers.clone_from(layers);
            latest.opt.clone_from(opt);
        }
        settings::check_snap_start(&latest.settings)
    })
    .await
}

/// Changes code, layers or settings: a new generation, and the instances of the old one end.
async fn change(
    lambda: &Lambda,
    cx: &Context,
    named: &Named,
    revision: Option<&str>,
    apply: impl Fn(&mut Version) -> Result<(), ApiError>,
) -> Result<g::FunctionConfiguration, ApiError> {
    let random = &*lambda.ports.random;
    let id = &named.function;
    let arn = id.arn();
    let latest = update(lambda.store(), &table::function(id), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&named.arn()))?;
        check_revision(&function.latest.revision, revision)?;
        let commit = version::unused(Commit::new(), &function.latest, &arn);
        let latest = &mut function.latest;
        apply(latest)?;
        latest.modified = cx.now;
        latest.revision = ids::uuid(random);
        latest.generation = ids::uuid(random);
        let latest = latest.clone();
        let commit = version::uses(commit, &latest, &arn)?;
        Ok::<_, ApiError>(Decision::save(function, latest).with(commit))
    })
    .await?;
    lambda.scheduler.retire(id, &latest.generation);
    lambda.sweep.now();
    configuration::describe_one(lambda, id, LATEST, &latest, arn)
}

/// Refuses a change that was meant for another revision.
pub(crate) fn check_revision(present: &str, wanted: Option<&str>) -> Result<(), ApiError> {
    match wanted {
        Some(wanted) if wanted != present => {
            let message = "The Revision Id provided does not match the latest Revision Id. Call the \
                           GetFunction/GetAlias API to retrieve the latest Revision Id";
            Err(g::PreconditionFailedException::new(message).into())
        }
        _ => Ok(()),
    }
}
