//! CreateDocumentationVersion GetDocumentationVersion GetDocumentationVersions UpdateDocumentationVersion
//! DeleteDocumentationVersion
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-documenting-api-by-using-documentation-version.html>

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, DOCUMENTATION_VERSIONS, DocumentationVersion, STAGES};
use crate::{ApiGateway, documentation_part, patch, position, stage};

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateDocumentationVersionRequest,
) -> Result<g::DocumentationVersion, ApiError> {
    let (api, version) = (&input.rest_api_id, &input.documentation_version);
    if version.is_empty() {
        return Err(bad_request("Invalid documentation version: it is empty"));
    }
    edit::change(gateway, cx, api, async |record| {
        let key = table::in_api(&DOCUMENTATION_VERSIONS, api, version);
        if DOCUMENTATION_VERSIONS.get(gateway.store(), &key).await?.is_some() {
            return Err(g::ConflictException::new("Documentation version already exists").into());
        }
        let made = DocumentationVersion {
            version: version.clone(),
            description: input.description.clone(),
            created: cx.now,
            parts: documentation_part::all(gateway, api).await?,
        };
        let mut commit = DOCUMENTATION_VERSIONS.put(Commit::new(), &key, &made)?;
        if let Some(name) = &input.stage_name {
            let mut stage = stage::load(gateway, api, name).await?;
            stage.documentation_version = Some(version.clone());
            commit = STAGES.put(commit, &table::in_api(&STAGES, api, name), &stage)?;
        }
        Ok((record, commit, describe(&made)))
    })
    .await
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDocumentationVersionRequest,
) -> Result<g::DocumentationVersion, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    Ok(describe(&load(gateway, &input.rest_api_id, &input.documentation_version).await?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDocumentationVersionsRequest,
) -> Result<g::DocumentationVersions, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let prefix = table::of_api(&DOCUMENTATION_VERSIONS, &input.rest_api_id);
    let all = DOCUMENTATION_VERSIONS.all(gateway.store(), &prefix).await?;
    let (page, position) =
        position::cut(all, |version| &version.version, input.position.as_deref(), input.limit)?;
    Ok(g::DocumentationVersions { position, items: Some(page.iter().map(describe).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateDocumentationVersionRequest,
) -> Result<g::DocumentationVersion, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.documentation_version);
    edit::change(gateway, cx, api, async |record| {
        let mut version = load(gateway, api, id).await?;
        for patch in &patches {
            match patch.path {
                "/description" => version.description = Some(patch.replaced()?.to_owned()),
                _ => return Err(patch.refused()),
            }
        }
        let key = table::in_api(&DOCUMENTATION_VERSIONS, api, id);
        Ok((record, DOCUMENTATION_VERSIONS.put(Commit::new(), &key, &version)?, describe(&version)))
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteDocumentationVersionRequest,
) -> Result<Unit, ApiError> {
    let (api, id) = (&input.rest_api_id, &input.documentation_version);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, id).await?;
        let stages = STAGES.all(gateway.store(), &table::of_api(&STAGES, api)).await?;
        if stages.iter().any(|stage| stage.documentation_version.as_ref() == Some(id)) {
            let message = "Cannot delete the documentation version because a stage has it";
            return Err(g::ConflictException::new(message).into());
        }
        Ok((record, Commit::new().delete(table::in_api(&DOCUMENTATION_VERSIONS, api, id)), Unit))
    })
    .await
}

pub(crate) async fn load(
    gateway: &ApiGateway,
    api: &str,
    version: &str,
) -> Result<DocumentationVersion, ApiError> {
    let key = table::in_api(&DOCUMENTATION_VERSIONS, api, version);
    let missing = || g::NotFoundException::new("Invalid Documentation version specified").into();
    let found = DOCUMENTATION_VERSIONS.get(gateway.store(), &key).await?;
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn describe(version: &DocumentationVersion) -> g::DocumentationVersion {
    g::DocumentationVersion {
        version: Some(version.version.clone()),
        created_date: Some(version.created),
        description: version.description.clone(),
    }
}
