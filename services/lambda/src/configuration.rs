//! A function's configuration as answers give it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;

use crate::Lambda;
use crate::execution::State;
use crate::generated as g;
use crate::image::Override;
use crate::load::Loaded;
use crate::name::{FunctionId, LATEST, Named, VersionId};
use crate::runtime::{self, Engine};
use crate::table::{LayerUse, Settings, Version};
use crate::variables;

/// Describes a function that was read, under the ARN by which it was named.
pub(crate) fn describe(
    lambda: &Lambda,
    loaded: &Loaded,
    named: &Named,
) -> Result<g::FunctionConfiguration, ApiError> {
    describe_one(lambda, &loaded.id, &loaded.number, &loaded.version, named.arn())
}

/// Describes a version of a function.
pub(crate) fn describe_one(
    lambda: &Lambda,
    id: &FunctionId,
    number: &str,
    version: &Version,
    arn: String,
) -> Result<g::FunctionConfiguration, ApiError> {
    let settings = &version.settings;
    let (state, state_reason, state_reason_code) = state(lambda, id, number, version);
    Ok(g::FunctionConfiguration {
        function_name: Some(id.name.clone()),
        function_arn: Some(arn),
        runtime: settings.runtime.parse().ok(),
        role: Some(settings.role.clone()),
        handler: Some(settings.handler.clone()).filter(|handler| !handler.is_empty()),
        code_size: code_size(version),
        description: Some(settings.description.clone()),
        timeout: i32::try_from(settings.timeout_seconds).ok(),
        memory_size: i32::try_from(settings.memory_mb).ok(),
        last_modified: Some(written(version.modified)),
        code_sha256: Some(code_sha256(version)),
        version: Some(number.to_owned()),
        environment: environment(lambda, id, version)?,
        tracing_config: Some(tracing(settings)),
        revision_id: Some(version.revision.clone()),
        layers: layers(version),
        state: Some(state),
        state_reason,
        state_reason_code,
        last_update_status: Some(g::LastUpdateStatus::Successful),
        package_type: Some(version.package_type()),
        image_config_response: image_config(settings),
        architectures: Some(vec![architecture()]),
        ephemeral_storage: Some(g::EphemeralStorage { size: settings.storage_mb.cast_signed() }),
        snap_start: Some(snap_start(settings, number, state)),
        logging_config: Some(settings.logging.describe(log_group(id, version))),
        ..Default::default()
    })
}

/// Images have no size of their own here, as with AWS.
fn code_size(version: &Version) -> Option<i64> {
    let bytes = if version.image.is_some() { 0 } else { version.code.bytes };
    i64::try_from(bytes).ok()
}

/// The hash of the archive, or the image's digest.
pub(crate) fn code_sha256(version: &Version) -> String {
    match version.image {
        Some(_) => version.code.sha256.clone(),
        None => in_base64(&version.code.sha256),
    }
}

fn image_config(settings: &Settings) -> Option<g::ImageConfigResponse> {
    let Override { entry_point, command, directory } = settings.image.clone();
    let config = g::ImageConfig { entry_point, command, working_directory: directory };
    let response = g::ImageConfigResponse { image_config: Some(config), error: None };
    (settings.image != Override::default()).then_some(response)
}

/// The log group that the function writes to.
pub(crate) fn log_group(id: &FunctionId, version: &Version) -> String {
    version.settings.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", id.name))
}

/// The architecture of this host.
pub(crate) fn architecture() -> g::Architecture {
    if cfg!(target_arch = "aarch64") { g::Architecture::Arm64 } else { g::Architecture::X8664 }
}

/// The state of a version, why, and the reason's code: one that is to have a snapshot begins without.
fn state(
    lambda: &Lambda,
    id: &FunctionId,
    number: &str,
    version: &Version,
) -> (g::State, Option<String>, Option<g::StateReasonCode>) {
    let version_id = VersionId { function: id.clone(), number: number.to_owned() };
    match lambda.snapshots.state(&version_id) {
        Some(State::Making) => {
            let reason = "The function is being created.".to_owned();
            (g::State::Pending, Some(reason), Some(g::StateReasonCode::Creating))
        }
        Some(State::Failed(reason)) => {
            (g::State::Failed, Some(reason), Some(g::StateReasonCode::FunctionError))
        }
        _ => (g::State::Active, replaced(lambda, &version.settings.runtime), None),
    }
}

fn tracing(settings: &Settings) -> g::TracingConfigResponse {
    let mode = if settings.tracing { g::TracingMode::Active } else { g::TracingMode::PassThrough };
    g::TracingConfigResponse { mode: Some(mode) }
}

fn snap_start(settings: &Settings, number: &str, state: g::State) -> g::SnapStartResponse {
    let (apply_on, is_on) = match settings.snap_start {
        true => (g::SnapStartApplyOn::PublishedVersions, number != LATEST && state == g::State::Active),
        false => (g::SnapStartApplyOn::None, false),
    };
    let status = if is_on { g::SnapStartOptimizationStatus::On } else { g::SnapStartOptimizationStatus::Off };
    g::SnapStartResponse { apply_on: Some(apply_on), optimization_status: Some(status) }
}

fn layers(version: &Version) -> Option<Vec<g::Layer>> {
    let layer = |one: &LayerUse| g::Layer {
        arn: Some(one.arn.clone()),
        code_size: i64::try_from(one.code.bytes).ok(),
        ..Default::default()
    };
    (!version.layers.is_empty()).then(|| version.layers.iter().map(layer).collect())
}

fn environment(
    lambda: &Lambda,
    id: &FunctionId,
    version: &Version,
) -> Result<Option<g::EnvironmentResponse>, ApiError> {
    let sealed = version.settings.sealed_variables.as_deref();
    let variables = variables::open(&lambda.ports.sealer, id, sealed)?;
    let response = g::EnvironmentResponse { variables: Some(variables), error: None };
    Ok(sealed.is_some().then_some(response))
}

/// Says so when the runtime's own version is not installed.
fn replaced(lambda: &Lambda, runtime: &str) -> Option<String> {
    match runtime::engine(&lambda.config, runtime) {
        Ok(Engine::Interpreter { interpreter, instead: true }) => {
            Some(format!("{runtime} is not installed on this host: the function runs on {interpreter}."))
        }
        Ok(_) => None,
        Err(error) => Some(error.message),
    }
}

/// `2026-11-22T16:00:00.000+0000`
pub(crate) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

pub(crate) fn in_base64(hexadecimal: &str) -> String {
    STANDARD.encode(hex::decode(hexadecimal).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_hashes_have_the_forms_of_aws() {
        let time: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        assert_eq!(written(time), "2026-11-22T16:00:00.000+0000");
        assert_eq!(in_base64("00ff"), "AP8=");
    }
}
