//! CreateRestApi GetRestApi GetRestApis UpdateRestApi DeleteRestApi

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_policy::{Document, Kind};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{
    self, AUTHORIZERS, DEPLOYED, DEPLOYED_APIS, DEPLOYMENTS, DOCUMENTATION_PARTS, DOCUMENTATION_VERSIONS,
    GATEWAY_RESPONSES, LISTED, Listed, MODELS, REQUEST_VALIDATORS, RESOURCES, REST_APIS, Resource, RestApi,
    STAGES,
};
use crate::{ApiGateway, import, model, patch, position, tag};

const ID_CHARS: usize = 10;
const BINARY_TYPES_MAX: usize = 50;
const COMPRESSION_BYTES_MIN_MAX: usize = 10_485_760;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    let endpoint_type = endpoint_type(input.endpoint_configuration)?;
    let policy = input.policy.map(|policy| checked_policy(&policy)).transpose()?;
    let tags = input.tags.unwrap_or_default();
    tag::check(cx, &tags)?;
    let source = match &input.clone_from {
        Some(id) => Some(edit::load(gateway, cx, id).await?.record),
        None => None,
    };
    let mut api = RestApi {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        account: cx.account,
        region: cx.region.clone(),
        name: input.name,
        description: input.description,
        version: input.version,
        created: cx.now,
        binary_media_types: checked_types(input.binary_media_types.unwrap_or_default())?,
        endpoint_type,
        policy,
        tags,
        keys_from_authorizer: input.api_key_source == Some(g::ApiKeySourceType::Authorizer),
        compression_bytes_min: input.minimum_compression_size.map(compression_bytes_min).transpose()?,
        disable_execute_api_endpoint: input.disable_execute_api_endpoint.unwrap_or(false),
        root_resource_id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        resources: 1,
    };
    let mut contents = Commit::new();
    if let Some(source) = source {
        contents = import::copied(gateway, &source, &mut api).await?;
        // What is said of the new one counts, and otherwise what holds for the other.
        api.policy = api.policy.or(source.policy);
        api.compression_bytes_min = api.compression_bytes_min.or(source.compression_bytes_min);
        if api.binary_media_types.is_empty() {
            api.binary_media_types = source.binary_media_types;
        }
        if input.api_key_source.is_none() {
            api.keys_from_authorizer = source.keys_from_authorizer;
        }
    }
    insert(gateway, &api, contents).await?;
    Ok(describe(&api))
}

/// Keeps a new API with its root resource, or with these contents.
pub(crate) async fn insert(gateway: &ApiGateway, api: &RestApi, contents: Commit) -> Result<(), ApiError> {
    let root = Resource {
        id: api.root_resource_id.clone(),
        parent_id: None,
        path_part: None,
        path: "/".into(),
        methods: BTreeMap::new(),
    };
    let place =
        pagoda_store::KeyBuilder::under(&table::listed(api.account, &api.region)).text(&api.id).done();
    let commit = REST_APIS.create(Commit::new(), &table::rest_api(&api.id), api)?;
    let commit = RESOURCES.put(commit, &table::in_api(&RESOURCES, &api.id, &root.id), &root)?;
    let mut commit = LISTED.put(commit, &place, &Listed { id: api.id.clone() })?;
    for model in model::defaults(&*gateway.ports.random) {
        commit = MODELS.put(commit, &table::in_api(&MODELS, &api.id, &model.name), &model)?;
    }
    match gateway.store().commit(commit.and(contents)).await? {
        // Two random ids met.
        Outcome::CheckFailed { .. } => Err(g::ConflictException::new("Please try again.").into()),
        outcome => Ok(outcome.done().map(drop)?),
    }
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    Ok(describe(&edit::load(gateway, cx, &input.rest_api_id).await?.record))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetRestApisRequest,
) -> Result<g::RestApis, ApiError> {
    let listed = LISTED.all(gateway.store(), &table::listed(cx.account, &cx.region)).await?;
    let (page, position) = position::cut(listed, |api| &api.id, input.position.as_deref(), input.limit)?;
    let mut items = Vec::with_capacity(page.len());
    for listed in page {
        if let Some(stored) = REST_APIS.get(gateway.store(), &table::rest_api(&listed.id)).await? {
            items.push(describe(&stored.record));
        }
    }
    Ok(g::RestApis { position, items: Some(items) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    edit::change(gateway, cx, &input.rest_api_id, async |mut api| {
        for patch in &patches {
            apply(&mut api, patch)?;
        }
        let described = describe(&api);
        Ok((api, Commit::new(), described))
    })
    .await
}

fn apply(api: &mut RestApi, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    if let Some(kind) = patch.below("/binaryMediaTypes/") {
        let mut types = std::mem::take(&mut api.binary_media_types);
        match patch.op {
            g::Op::Add => types.push(kind),
            g::Op::Remove => types.retain(|present| *present != kind),
            _ => return Err(patch.refused()),
        }
        api.binary_media_types = checked_types(types)?;
        return Ok(());
    }
    match patch.path {
        "/name" => api.name = patch.replaced()?.to_owned(),
        "/description" => api.description = Some(patch.replaced()?.to_owned()),
        "/apiKeySource" => api.keys_from_authorizer = keys_from_authorizer(patch.replaced()?)?,
        "/minimumCompressionSize" if patch.op == g::Op::Remove => api.compression_bytes_min = None,
        "/minimumCompressionSize" => {
            // Nothing, in any spelling, is no compression.
            let text = patch.value().filter(|text| !text.is_empty() && *text != "null");
            let size = text.map(|text| text.parse().map_err(|_| invalid_compression_size()));
            api.compression_bytes_min = size.transpose()?.map(compression_bytes_min).transpose()?;
        }
        "/disableExecuteApiEndpoint" => api.disable_execute_api_endpoint = patch.flag()?,
        "/policy" => {
            api.policy = Some(patch.replaced()?).filter(|p| !p.is_empty()).map(checked_policy).transpose()?;
        }
        _ => return Err(patch.refused()),
    }
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteRestApiRequest,
) -> Result<Unit, ApiError> {
    let id = &input.rest_api_id;
    let stored = edit::load(gateway, cx, id).await?;
    let place = pagoda_store::KeyBuilder::under(&table::listed(cx.account, &cx.region)).text(id).done();
    // Nothing is served or listed from here on; what belonged to the API follows.
    let commit = REST_APIS.remove(Commit::new(), &stored).delete(place);
    gateway.store().commit(commit).await?.done()?;
    gateway.served.forget();
    gateway.caches.drop_all(id);
    let belongings = [
        table::of_api(&STAGES, id),
        table::of_api(&DEPLOYMENTS, id),
        table::of_api(&DEPLOYED, id),
        table::of_api(&DEPLOYED_APIS, id),
        table::of_api(&AUTHORIZERS, id),
        table::of_api(&GATEWAY_RESPONSES, id),
        table::of_api(&DOCUMENTATION_PARTS, id),
        table::of_api(&DOCUMENTATION_VERSIONS, id),
        table::of_api(&MODELS, id),
        table::of_api(&REQUEST_VALIDATORS, id),
        table::of_api(&RESOURCES, id),
    ];
    for prefix in belongings {
        let (lo, hi) = prefix.prefix_range();
        gateway.store().clear_in_steps(lo, hi, &Commit::new()).await?;
    }
    Ok(Unit)
}

/// Regional and edge-optimized endpoints are the same here: there is one edge.
pub(crate) fn endpoint_type(configuration: Option<g::EndpointConfiguration>) -> Result<String, ApiError> {
    let Some(configuration) = configuration else { return Ok("EDGE".into()) };
    if configuration.vpc_endpoint_ids.is_some_and(|ids| !ids.is_empty()) {
        return Err(ApiError::not_implemented("CreateRestApi", "endpointConfiguration.vpcEndpointIds"));
    }
    match configuration.types.as_deref() {
        None | Some([g::EndpointType::Edge]) => Ok("EDGE".into()),
        Some([g::EndpointType::Regional]) => Ok("REGIONAL".into()),
        Some([g::EndpointType::Private]) => {
            Err(ApiError::not_implemented("CreateRestApi", "endpointConfiguration.types=PRIVATE"))
        }
        Some(_) => Err(bad_request("Exactly one endpoint type must be specified")),
    }
}

/// Checks the least size of answers that are compressed.
pub(crate) fn compression_bytes_min(size: i32) -> Result<usize, ApiError> {
    let size = usize::try_from(size).ok().filter(|size| *size <= COMPRESSION_BYTES_MIN_MAX);
    size.ok_or_else(invalid_compression_size)
}

fn invalid_compression_size() -> ApiError {
    bad_request("Invalid minimum compression size, must be between 0 and 10485760")
}

/// Where requests bear their keys.
pub(crate) fn key_source(api: &RestApi) -> g::ApiKeySourceType {
    match api.keys_from_authorizer {
        true => g::ApiKeySourceType::Authorizer,
        false => g::ApiKeySourceType::Header,
    }
}

/// Whether keys are what authorizers say, and not in a header.
pub(crate) fn keys_from_authorizer(source: &str) -> Result<bool, ApiError> {
    match source {
        "HEADER" => Ok(false),
        "AUTHORIZER" => Ok(true),
        _ => Err(bad_request("Enumeration value for apiKeySource must be one of: HEADER, AUTHORIZER")),
    }
}

pub(crate) fn checked_policy(policy: &str) -> Result<String, ApiError> {
    // Shorthand resources such as `execute-api:/stage/GET/x` are completed when the API's ARN is known.
    Document::parse(&crate::serve::complete(policy, "arn:aws:execute-api:r:000000000000:a"), Kind::Resource)
        .map_err(|malformed| bad_request(format!("Invalid policy document. {malformed}")))?;
    Ok(policy.to_owned())
}

pub(crate) fn checked_types(types: Vec<String>) -> Result<Vec<String>, ApiError> {
    if types.len() > BINARY_TYPES_MAX {
        return Err(bad_request(format!("At most {BINARY_TYPES_MAX} binary media types are allowed")));
    }
    match types.iter().find(|kind| kind.split('/').count() != 2) {
        Some(kind) => Err(bad_request(format!("Invalid binary media type {kind}"))),
        None => Ok(types),
    }
}

pub(crate) fn describe(api: &RestApi) -> g::RestApi {
    g::RestApi {
        id: Some(api.id.clone()),
        name: Some(api.name.clone()),
        description: api.description.clone(),
        created_date: Some(api.created),
        version: api.version.clone(),
        binary_media_types: (!api.binary_media_types.is_empty()).then(|| api.binary_media_types.clone()),
        api_key_source: Some(key_source(api)),
        minimum_compression_size: api.compression_bytes_min.and_then(|size| i32::try_from(size).ok()),
        endpoint_configuration: Some(g::EndpointConfiguration {
            types: api.endpoint_type.parse().ok().map(|kind| vec![kind]),
            ..Default::default()
        }),
        policy: api.policy.clone(),
        tags: (!api.tags.is_empty()).then(|| api.tags.clone()),
        disable_execute_api_endpoint: Some(api.disable_execute_api_endpoint),
        root_resource_id: Some(api.root_resource_id.clone()),
        ..Default::default()
    }
}
