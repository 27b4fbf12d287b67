//! AddLayerVersionPermission RemoveLayerVersionPermission GetLayerVersionPolicy
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html>

use std::sync::Arc;

use pagoda_base::ids;
use pagoda_policy::{Document, Kind, Named};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Decision, update};
use serde_json::json;

use crate::generated as g;
use crate::permission::{self, check_statement, principal};
use crate::table::{self, LAYER_VERSIONS, LayerVersion, Policy};
use crate::update::check_revision;
use crate::{Lambda, layer};

pub(crate) async fn add(
    lambda: &Lambda,
    cx: &Context,
    input: g::AddLayerVersionPermissionRequest,
) -> Result<g::AddLayerVersionPermissionResponse, ApiError> {
    let id = layer::parse(cx, &input.layer_name)?;
    let number = input.version_number.unsigned_abs();
    let statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal(&input.principal),
        "Action": input.action,
        "Resource": id.version_arn(number),
    });
    let statement = check_statement(statement)?;
    let revision = change(lambda, &id, number, input.revision_id.as_deref(), |policy| {
        let sid = &input.statement_id;
        if policy.statements.contains_key(sid) {
            return Err(permission::exists(sid));
        }
        policy.statements.insert(sid.clone(), statement.clone());
        permission::check_length(&policy.statements)
    })
    .await?;
    Ok(g::AddLayerVersionPermissionResponse { statement: Some(statement), revision_id: Some(revision) })
}

pub(crate) async fn remove(
    lambda: &Lambda,
    cx: &Context,
    input: g::RemoveLayerVersionPermissionRequest,
) -> Result<Unit, ApiError> {
    let id = layer::parse(cx, &input.layer_name)?;
    let number = input.version_number.unsigned_abs();
    change(lambda, &id, number, input.revision_id.as_deref(), |policy| {
        let sid = &input.statement_id;
        policy.statements.remove(sid).map(drop).ok_or_else(|| permission::no_statement(sid))
    })
    .await?;
    Ok(Unit)
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetLayerVersionPolicyRequest,
) -> Result<g::GetLayerVersionPolicyResponse, ApiError> {
    let id = layer::parse(cx, &input.layer_name)?;
    let stored = layer::find(lambda, &id, input.version_number.unsigned_abs()).await?;
    let policy = stored.record.policy.filter(|policy| !policy.statements.is_empty());
    let policy = policy.ok_or_else(permission::no_policy)?;
    Ok(g::GetLayerVersionPolicyResponse {
        policy: permission::document(&policy.statements),
        revision_id: Some(policy.revision),
    })
}

/// The compiled policy of a version, if it has one.
pub(crate) async fn policy(
    lambda: &Lambda,
    id: &layer::LayerId,
    number: Option<u64>,
) -> Result<Option<Named>, ApiError> {
    let Some(number) = number else { return Ok(None) };
    let found = LAYER_VERSIONS.get(lambda.store(), &table::layer_version(id, number)).await?;
    let policy = found.and_then(|stored| stored.record.policy);
    let text = policy.and_then(|policy| permission::document(&policy.statements));
    let document = text.and_then(|text| Document::parse(&text, Kind::Resource).ok());
    Ok(document.map(|document| Named { name: id.version_arn(number), document: Arc::new(document) }))
}

/// Changes the policy; its new revision.
async fn change(
    lambda: &Lambda,
    id: &layer::LayerId,
    number: u64,
    revision: Option<&str>,
    apply: impl Fn(&mut Policy) -> Result<(), ApiError>,
) -> Result<String, ApiError> {
    let new = ids::uuid(&*lambda.ports.random);
    update(lambda.store(), &table::layer_version(id, number), |found: Option<LayerVersion>| {
        let mut version = found.ok_or_else(permission::no_policy)?;
        let mut policy = version.policy.take().unwrap_or_default();
        check_revision(&policy.revision, revision)?;
        apply(&mut policy)?;
        policy.revision.clone_from(&new);
        version.policy = Some(policy);
        Ok(Decision::save(version, new.clone()))
    })
    .await
}
