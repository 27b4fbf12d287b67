//! UpdateFunctionCode UpdateFunctionConfiguration

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, update};

use crate::Lambda;
use crate::code::Source;
use crate::configuration::{self, Form};
use crate::generated as g;
use crate::name::{self, Named};
use crate::settings::{self, Change};
use crate::table::{self, Function, USES, Use};

pub(crate) async fn code(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionCodeRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    settings::check_publish("UpdateFunctionCode", input.publish)?;
    settings::check_architectures(input.architectures.as_deref())?;
    let named = name::parse(cx, &input.function_name)?;
    let loaded = lambda.load(&named).await?;
    check_revision(&loaded.function.revision, input.revision_id.as_deref())?;
    let g::UpdateFunctionCodeRequest { zip_file, s3_bucket, s3_key, s3_object_version, .. } = input;
    let hold = lambda.publish(cx, Source { zip_file, s3_bucket, s3_key, s3_object_version }).await?;
    if input.dry_run == Some(true) {
        let mut tried = loaded.function.clone();
        tried.code = hold.code().clone();
        return configuration::describe_one(lambda, &named.function, &tried, Form::Unqualified);
    }
    change(lambda, cx, &named, input.revision_id.as_deref(), |function| {
        if function.code == *hold.code() {
            return Ok(Commit::new());
        }
        let old = table::usage(&function.code.sha256, &named.function);
        let new = table::usage(&hold.code().sha256, &named.function);
        function.code = hold.code().clone();
        Ok(USES.put(Commit::new().delete(old), &new, &Use {})?)
    })
    .await
}

pub(crate) async fn configuration(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionConfigurationRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    const OPERATION: &str = "UpdateFunctionConfiguration";
    settings::check_tracing(OPERATION, input.tracing_config.as_ref())?;
    settings::check_snap_start(OPERATION, input.snap_start.as_ref())?;
    let named = name::parse(cx, &input.function_name)?;
    lambda.load(&named).await?;
    if let Some(role) = &input.role {
        lambda.check_role(cx, role, &named.function.name).await?;
    }
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
    };
    let wanted = wanted.check(lambda, &named.function)?;
    change(lambda, cx, &named, input.revision_id.as_deref(), |function| {
        wanted.apply(&mut function.settings);
        Ok(Commit::new())
    })
    .await
}

/// Changes code or settings: a new generation, and the instances of the old one end.
async fn change(
    lambda: &Lambda,
    cx: &Context,
    named: &Named,
    revision: Option<&str>,
    apply: impl Fn(&mut Function) -> Result<Commit, ApiError>,
) -> Result<g::FunctionConfiguration, ApiError> {
    let random = &*lambda.ports.random;
    let id = &named.function;
    let changed = update(lambda.store(), &table::function(id), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&named.arn()))?;
        check_revision(&function.revision, revision)?;
        let commit = apply(&mut function)?;
        function.modified = cx.now;
        function.revision = ids::uuid(random);
        function.generation = ids::uuid(random);
        Ok::<_, ApiError>(Decision::save(function.clone(), function).with(commit))
    })
    .await?;
    lambda.scheduler.retire(id, &changed.generation);
    lambda.sweep.now();
    configuration::describe_one(lambda, id, &changed, Form::Unqualified)
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
