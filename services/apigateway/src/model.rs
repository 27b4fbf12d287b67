//! CreateModel GetModel GetModels GetModelTemplate UpdateModel DeleteModel
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html>

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;
use serde_json::{Value, json};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::sample;
use crate::table::{self, MODELS, Model, RESOURCES, Resource};
use crate::{ApiGateway, patch, position};

pub(crate) const ID_CHARS: usize = 6;
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const SCHEMA_BYTES_MAX: usize = 400 * 1024;
const JSON: &str = "application/json";

/// What a new API has.
pub(crate) fn defaults(random: &dyn pagoda_base::Random) -> [Model; 2] {
    let model = |name: &str, description: &str, schema: Value| Model {
        id: ids::short_id(ID_CHARS, random),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        content_type: JSON.to_owned(),
        schema: Some(format!("{schema:#}")),
    };
    let draft = "http://json-schema.org/draft-04/schema#";
    [
        model(
            "Empty",
            "This is a default empty schema model",
            json!({ "$schema": draft, "title": "Empty Schema", "type": "object" }),
        ),
        model(
            "Error",
            "This is a default error schema model",
            json!({
                "$schema": draft, "title": "Error Schema", "type": "object",
                "properties": { "message": { "type": "string" } },
            }),
        ),
    ]
}

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateModelRequest,
) -> Result<g::Model, ApiError> {
    let model = Model {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        name: input.name,
        description: input.description,
        content_type: input.content_type,
        schema: input.schema,
    };
    check(&model)?;
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        let key = table::in_api(&MODELS, api, &model.name);
        if MODELS.get(gateway.store(), &key).await?.is_some() {
            return Err(g::ConflictException::new("Model name already exists for this REST API").into());
        }
        Ok((record, MODELS.put(Commit::new(), &key, &model)?, describe(&model)))
    })
    .await
}

/// Refuses what is no model.
pub(crate) fn check(model: &Model) -> Result<(), ApiError> {
    if model.name.is_empty() || !model.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(bad_request("Model name must be alphanumeric"));
    }
    let Some(schema) = &model.schema else { return Ok(()) };
    if schema.len() > SCHEMA_BYTES_MAX {
        return Err(bad_request("Model schema exceeds the maximum size of 400 KB"));
    }
    let is_json = model.content_type.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
    if is_json && !serde_json::from_str::<Value>(schema).is_ok_and(|schema| schema.is_object()) {
        return Err(bad_request("Invalid model schema specified"));
    }
    Ok(())
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetModelRequest,
) -> Result<g::Model, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let mut model = load(gateway, &input.rest_api_id, &input.model_name).await?;
    if input.flatten.unwrap_or(false) {
        let all = all(gateway, &input.rest_api_id).await?;
        let schema = model.schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
        model.schema = schema.map(|schema| format!("{:#}", sample::flattened(&schema, &all)));
    }
    Ok(describe(&model))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetModelsRequest,
) -> Result<g::Models, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let all = all(gateway, &input.rest_api_id).await?;
    let (page, position) = position::cut(all, |model| &model.name, input.position.as_deref(), input.limit)?;
    Ok(g::Models { position, items: Some(page.iter().map(describe).collect()) })
}

/// A mapping template that makes what the model describes.
pub(crate) async fn template(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetModelTemplateRequest,
) -> Result<g::Template, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let model = load(gateway, &input.rest_api_id, &input.model_name).await?;
    let all = all(gateway, &input.rest_api_id).await?;
    let schema = model.schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
    let value = sample::template(&schema.unwrap_or(Value::Null), &all);
    Ok(g::Template { value: Some(value) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateModelRequest,
) -> Result<g::Model, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, name) = (&input.rest_api_id, &input.model_name);
    edit::change(gateway, cx, api, async |record| {
        let mut model = load(gateway, api, name).await?;
        for patch in &patches {
            match patch.path {
                "/description" => model.description = Some(patch.replaced()?.to_owned()),
                "/schema" => model.schema = Some(patch.replaced()?.to_owned()),
                _ => return Err(patch.refused()),
            }
        }
        check(&model)?;
        let key = table::in_api(&MODELS, api, name);
        Ok((record, MODELS.put(Commit::new(), &key, &model)?, describe(&model)))
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteModelRequest,
) -> Result<Unit, ApiError> {
    let (api, name) = (&input.rest_api_id, &input.model_name);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, name).await?;
        let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?;
        if let Some(path) = user(&resources, name) {
            let message = format!("Cannot delete model '{name}', is referenced in method request: {path}");
            return Err(g::ConflictException::new(message).into());
        }
        if let Some(other) = all(gateway, api).await?.iter().find(|other| refers(other, name)) {
            let message = format!("Cannot delete model '{name}', is referenced in model: {}", other.name);
            return Err(g::ConflictException::new(message).into());
        }
        Ok((record, Commit::new().delete(table::in_api(&MODELS, api, name)), Unit))
    })
    .await
}

/// The path of a resource whose methods name the model.
fn user<'r>(resources: &'r [Resource], name: &str) -> Option<&'r str> {
    let uses = |resource: &&Resource| {
        resource.methods.values().any(|method| {
            let responses = method.responses.values().flat_map(|response| response.models.values());
            method.request_models.values().chain(responses).any(|model| model == name)
        })
    };
    resources.iter().find(uses).map(|resource| resource.path.as_str())
}

fn refers(model: &Model, name: &str) -> bool {
    let end = format!("/models/{name}\"");
    model.name != name && model.schema.as_deref().is_some_and(|schema| schema.contains(&end))
}

/// Refuses names that are no models of the API.
pub(crate) async fn check_names(
    gateway: &ApiGateway,
    api: &str,
    names: impl Iterator<Item = &String>,
) -> Result<(), ApiError> {
    for name in names {
        if MODELS.get(gateway.store(), &table::in_api(&MODELS, api, name)).await?.is_none() {
            return Err(bad_request(format!("Invalid model identifier specified: {name}")));
        }
    }
    Ok(())
}

pub(crate) async fn all(gateway: &ApiGateway, api: &str) -> Result<Vec<Model>, ApiError> {
    Ok(MODELS.all(gateway.store(), &table::of_api(&MODELS, api)).await?)
}

async fn load(gateway: &ApiGateway, api: &str, name: &str) -> Result<Model, ApiError> {
    let found = MODELS.get(gateway.store(), &table::in_api(&MODELS, api, name)).await?;
    let missing = || g::NotFoundException::new(format!("Invalid model name specified: {name}")).into();
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn describe(model: &Model) -> g::Model {
    g::Model {
        id: Some(model.id.clone()),
        name: Some(model.name.clone()),
        description: model.description.clone(),
        schema: model.schema.clone(),
        content_type: Some(model.content_type.clone()),
    }
}
