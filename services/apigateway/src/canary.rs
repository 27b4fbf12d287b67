//! A stage's canary: a deployment that takes a share of the stage's requests.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html>

use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::edit::bad_request;
use crate::generated as g;
use crate::patch::Patch;
use crate::table::{Stage, Texts};

const PREFIX: &str = "/canarySettings";

/// What a stage says of its canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Canary {
    pub(crate) deployment_id: String,
    /// Of the stage's requests, from 0 to 100.
    pub(crate) percent: f64,
    /// Beside the stage's variables, and before them.
    pub(crate) variables: Texts,
    /// Whether its answers come from the stage's cache and go there; they are not kept otherwise.
    pub(crate) uses_cache: bool,
}

impl Canary {
    /// One that takes nothing yet.
    pub(crate) fn of(deployment_id: &str) -> Self {
        let deployment_id = deployment_id.to_owned();
        Self { deployment_id, percent: 0.0, variables: Texts::new(), uses_cache: false }
    }

    /// What a new one is to be like.
    pub(crate) fn with(
        self,
        percent: Option<f64>,
        variables: Option<Texts>,
        uses_cache: Option<bool>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            percent: check_percent(percent.unwrap_or(self.percent))?,
            variables: variables.unwrap_or(self.variables),
            uses_cache: uses_cache.unwrap_or(self.uses_cache),
            ..self
        })
    }

    pub(crate) fn describe(&self) -> g::CanarySettings {
        g::CanarySettings {
            percent_traffic: Some(self.percent),
            deployment_id: Some(self.deployment_id.clone()),
            stage_variable_overrides: (!self.variables.is_empty()).then(|| self.variables.clone()),
            use_stage_cache: Some(self.uses_cache),
        }
    }
}

fn check_percent(percent: f64) -> Result<f64, ApiError> {
    match (0.0..=100.0).contains(&percent) {
        true => Ok(percent),
        false => Err(bad_request("Percent traffic must be between 0.0 and 100.0")),
    }
}

/// Applies a patch of `/canarySettings…`, or one that copies from there. False where the patch is about something
/// else.
pub(crate) fn apply(stage: &mut Stage, patch: &Patch<'_>) -> Result<bool, ApiError> {
    if patch.op == g::Op::Copy {
        return promote(stage, patch).map(|()| true);
    }
    let Some(rest) = patch.path.strip_prefix(PREFIX) else { return Ok(false) };
    if rest.is_empty() && patch.op == g::Op::Remove {
        stage.canary = None;
        return Ok(true);
    }
    let canary = stage.canary.get_or_insert_with(|| Canary::of(&stage.deployment_id));
    if let Some(name) = patch.below("/canarySettings/stageVariableOverrides/") {
        match patch.op {
            g::Op::Remove => drop(canary.variables.remove(&name)),
            _ => drop(canary.variables.insert(name, patch.given()?.to_owned())),
        }
        return Ok(true);
    }
    match rest {
        "/percentTraffic" => {
            let percent = patch.given()?.parse().ok();
            let invalid = || bad_request(format!("Invalid patch value for {}", patch.path));
            canary.percent = check_percent(percent.ok_or_else(invalid)?)?;
        }
        "/deploymentId" => patch.given()?.clone_into(&mut canary.deployment_id),
        "/useStageCache" => canary.uses_cache = patch.given_flag()?,
        "/stageVariableOverrides" if patch.op == g::Op::Remove => canary.variables.clear(),
        _ => return Err(patch.refused()),
    }
    Ok(true)
}

/// Copies what the canary has to the stage.
fn promote(stage: &mut Stage, patch: &Patch<'_>) -> Result<(), ApiError> {
    const OVERRIDES: &str = "/canarySettings/stageVariableOverrides";
    let canary = stage.canary.as_ref().ok_or_else(|| patch.refused())?;
    let from = patch.from.unwrap_or_default();
    match (from, patch.path) {
        ("/canarySettings/deploymentId", "/deploymentId") => {
            stage.deployment_id.clone_from(&canary.deployment_id);
        }
        (OVERRIDES, "/variables") => {
            stage.variables.extend(canary.variables.clone());
        }
        (from, to) => {
            let name = from.strip_prefix(OVERRIDES).and_then(|rest| rest.strip_prefix('/'));
            let name = name.filter(|name| to.strip_prefix("/variables/") == Some(name));
            let (name, value) =
                name.and_then(|name| canary.variables.get_key_value(name)).ok_or_else(|| patch.refused())?;
            stage.variables.insert(name.clone(), value.clone());
        }
    }
    Ok(())
}
