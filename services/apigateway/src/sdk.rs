//! GetSdk GetSdkType GetSdkTypes
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-generate-sdk.html>

use std::collections::BTreeMap;

use pagoda_clientsdk::{Api, Kind, Operation, Parameter, Place, Property, generate, zip};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::Value;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{Authorization, Method, Model, Resource, RestApi, Stage};
use crate::{ApiGateway, deployment, position, stage};

const JSON: &str = "application/json";
/// Models that say nothing of a body.
const EMPTY: &str = "Empty";

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetSdkRequest,
) -> Result<g::SdkResponse, ApiError> {
    let kind = kind(&input.sdk_type)?;
    let api = edit::load(gateway, cx, &input.rest_api_id).await?.record;
    let stage = stage::load(gateway, &api.id, &input.stage_name).await?;
    let resources = deployment::resources(gateway, &api.id, &stage.deployment_id).await?;
    let models = deployment::deployed(gateway, &api.id, &stage.deployment_id).await?.models;
    let described = describe_api(cx, &api, &stage, &resources, &models);
    let parameters: BTreeMap<String, String> = input.parameters.unwrap_or_default();
    let files = generate(&described, kind, &parameters).map_err(|unfit| bad_request(unfit.to_string()))?;
    let archive = zip(&files).map_err(|error| {
        tracing::error!(%error, "an SDK could not be packed");
        ApiError::internal()
    })?;
    let name = format!("{}_{}_{}.zip", kind.id(), api.id, stage.name);
    Ok(g::SdkResponse {
        content_type: Some("application/octet-stream".into()),
        content_disposition: Some(format!("attachment; filename=\"{name}\"")),
        body: Some(archive.into()),
    })
}

fn kind(id: &str) -> Result<Kind, ApiError> {
    Kind::of(id).ok_or_else(|| g::NotFoundException::new(format!("Invalid SDK type specified: {id}")).into())
}

fn describe_api(cx: &Context, api: &RestApi, stage: &Stage, resources: &[Resource], models: &[Model]) -> Api {
    let mut operations = Vec::new();
    for resource in resources {
        let methods = resource.methods.iter();
        operations.extend(methods.map(|(verb, method)| operation(&resource.path, verb, method)));
    }
    operations.sort_by(|a, b| (&a.path, &a.verb).cmp(&(&b.path, &b.verb)));
    let schema = |model: &Model| {
        let schema: Value = serde_json::from_str(model.schema.as_deref()?).ok()?;
        Some((model.name.clone(), schema))
    };
    Api {
        name: api.name.clone(),
        version: api.version.clone().unwrap_or_else(|| stage.updated.to_string()),
        stage: stage.name.clone(),
        // In the form that needs no names of its own in DNS.
        endpoint: format!("{}/_aws/execute-api/{}/{}", cx.origin.endpoint, api.id, stage.name),
        region: api.region.to_string(),
        operations,
        models: models.iter().filter(|model| model.name != EMPTY).filter_map(schema).collect(),
    }
}

fn operation(path: &str, verb: &str, method: &Method) -> Operation {
    let parameters = method.request_parameters.iter().filter_map(|(name, required)| {
        let (place, called) = name.strip_prefix("method.request.")?.split_once('.')?;
        let place = match place {
            "path" => Place::Path,
            "querystring" | "multivaluequerystring" => Place::Query,
            _ => Place::Header,
        };
        Some(Parameter { name: called.to_owned(), place, is_required: *required })
    });
    let success = method.responses.iter().find(|(status, _)| status.starts_with('2'));
    let named = |model: Option<&String>| model.filter(|model| *model != EMPTY).cloned();
    Operation {
        name: method.operation_name.clone(),
        verb: verb.to_owned(),
        path: path.to_owned(),
        parameters: parameters.collect(),
        body: named(method.request_models.get(JSON)),
        result: named(success.and_then(|(_, response)| response.models.get(JSON))),
        is_signed: method.authorization == Authorization::AwsIam,
        needs_key: method.api_key_required,
    }
}

pub(crate) async fn get_type(
    _gateway: &ApiGateway,
    _cx: &Context,
    input: g::GetSdkTypeRequest,
) -> Result<g::SdkType, ApiError> {
    Ok(describe_type(kind(&input.id)?))
}

pub(crate) async fn list_types(
    _gateway: &ApiGateway,
    _cx: &Context,
    input: g::GetSdkTypesRequest,
) -> Result<g::SdkTypes, ApiError> {
    let all = Kind::ALL.to_vec();
    let (page, position) = position::cut(all, |kind| kind.id(), input.position.as_deref(), input.limit)?;
    Ok(g::SdkTypes { position, items: Some(page.into_iter().map(describe_type).collect()) })
}

fn describe_type(kind: Kind) -> g::SdkType {
    let property = |property: &Property| g::SdkConfigurationProperty {
        name: Some(property.name.into()),
        friendly_name: Some(property.friendly_name.into()),
        description: Some(property.description.into()),
        required: Some(property.is_required),
        default_value: property.default.map(str::to_owned),
    };
    g::SdkType {
        id: Some(kind.id().into()),
        friendly_name: Some(kind.friendly_name().into()),
        description: Some(kind.description().into()),
        configuration_properties: Some(kind.properties().iter().map(property).collect()),
    }
}
