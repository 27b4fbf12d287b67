//! CreateDocumentationPart GetDocumentationPart GetDocumentationParts UpdateDocumentationPart DeleteDocumentationPart
//! ImportDocumentationParts
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api-content-representation.html>

use pagoda_base::{Random, ids};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;
use serde_json::{Map, Value, json};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, DOCUMENTATION_PARTS, DocumentationPart, Location, RESOURCES};
use crate::{ApiGateway, import, patch, position};

const ID_CHARS: usize = 6;
/// What documents have parts under.
pub(crate) const EXTENSION: &str = "x-amazon-apigateway-documentation";

/// What the location of a kind of part says, beside its kind.
struct Fields {
    path: bool,
    method: bool,
    status: bool,
    name: bool,
}

fn fields(kind: g::DocumentationPartType) -> Fields {
    use g::DocumentationPartType as Type;
    let (path, method, status, name) = match kind {
        Type::Api => (false, false, false, false),
        Type::Authorizer | Type::Model => (false, false, false, true),
        Type::Resource => (true, false, false, false),
        Type::Method | Type::RequestBody => (true, true, false, false),
        Type::PathParameter | Type::QueryParameter | Type::RequestHeader => (true, true, false, true),
        Type::Response | Type::ResponseBody => (true, true, true, false),
        Type::ResponseHeader => (true, true, true, true),
    };
    Fields { path, method, status, name }
}

/// Fills a location in, and refuses what its kind does not have.
fn location(given: &g::DocumentationPartLocation) -> Result<Location, ApiError> {
    let kind = given.r#type;
    let has = fields(kind);
    let field = |name: &str, given: &Option<String>, has: bool, default: Option<&str>| {
        let given = given.as_deref().filter(|text| !text.is_empty());
        match (has, given.or(default)) {
            (false, _) if given.is_some() => {
                let message = format!("Invalid location: {} has no {name}", kind.as_str());
                Err(bad_request(message))
            }
            (false, _) => Ok(None),
            (true, Some(text)) => Ok(Some(text.to_owned())),
            (true, None) => {
                Err(bad_request(format!("Invalid location: {} must have a {name}", kind.as_str())))
            }
        }
    };
    Ok(Location {
        path: field("path", &given.path, has.path, Some("/"))?,
        method: field("method", &given.method, has.method, Some("*"))?,
        status: field("statusCode", &given.status_code, has.status, Some("*"))?,
        name: field("name", &given.name, has.name, None)?,
        kind: kind.as_str().to_owned(),
    })
}

fn check_properties(properties: &str) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_str(properties)
        .map_err(|_| bad_request("Invalid documentation part properties: must be a JSON object"))
}

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateDocumentationPartRequest,
) -> Result<g::DocumentationPart, ApiError> {
    check_properties(&input.properties)?;
    let part = DocumentationPart {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        location: location(&input.location)?,
        properties: input.properties,
    };
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        if all(gateway, api).await?.iter().any(|other| other.location == part.location) {
            let message = "Documentation part already exists for the specified location";
            return Err(g::ConflictException::new(message).into());
        }
        let key = table::in_api(&DOCUMENTATION_PARTS, api, &part.id);
        Ok((record, DOCUMENTATION_PARTS.put(Commit::new(), &key, &part)?, describe(&part)))
    })
    .await
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDocumentationPartRequest,
) -> Result<g::DocumentationPart, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    Ok(describe(&load(gateway, &input.rest_api_id, &input.documentation_part_id).await?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDocumentationPartsRequest,
) -> Result<g::DocumentationParts, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let api = &input.rest_api_id;
    let mut parts = match input.location_status {
        None | Some(g::LocationStatusType::Documented) => all(gateway, api).await?,
        Some(g::LocationStatusType::Undocumented) => undocumented(gateway, api).await?,
    };
    parts.retain(|DocumentationPart { location, .. }| {
        input.r#type.is_none_or(|kind| location.kind == kind.as_str())
            && input.path.as_ref().is_none_or(|path| location.path.as_ref() == Some(path))
            && input
                .name_query
                .as_ref()
                .is_none_or(|query| location.name.as_ref().is_some_and(|name| name.contains(query.as_str())))
    });
    let (page, position) = position::cut(parts, |part| &part.id, input.position.as_deref(), input.limit)?;
    Ok(g::DocumentationParts { position, items: Some(page.iter().map(describe).collect()) })
}

/// The API, its resources and methods that have no words yet, by their places.
async fn undocumented(gateway: &ApiGateway, api: &str) -> Result<Vec<DocumentationPart>, ApiError> {
    let known = all(gateway, api).await?;
    let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?;
    let of = |kind: &str| Location { kind: kind.to_owned(), ..Location::default() };
    let mut locations = vec![of("API")];
    for resource in resources {
        let path = Some(resource.path);
        locations.push(Location { path: path.clone(), ..of("RESOURCE") });
        let methods = resource.methods.into_keys();
        locations.extend(methods.map(|verb| Location {
            path: path.clone(),
            method: Some(verb),
            ..of("METHOD")
        }));
    }
    locations.retain(|location| known.iter().all(|part| part.location != *location));
    let part = |location: Location| {
        let Location { kind, path, method, .. } = &location;
        let id = format!("{kind}:{}:{}", path.as_deref().unwrap_or(""), method.as_deref().unwrap_or(""));
        DocumentationPart { id, location, properties: "{}".to_owned() }
    };
    Ok(locations.into_iter().map(part).collect())
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateDocumentationPartRequest,
) -> Result<g::DocumentationPart, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.documentation_part_id);
    edit::change(gateway, cx, api, async |record| {
        let mut part = load(gateway, api, id).await?;
        for patch in &patches {
            match patch.path {
                "/properties" => patch.replaced()?.clone_into(&mut part.properties),
                _ => return Err(patch.refused()),
            }
        }
        check_properties(&part.properties)?;
        let key = table::in_api(&DOCUMENTATION_PARTS, api, id);
        Ok((record, DOCUMENTATION_PARTS.put(Commit::new(), &key, &part)?, describe(&part)))
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteDocumentationPartRequest,
) -> Result<Unit, ApiError> {
    let (api, id) = (&input.rest_api_id, &input.documentation_part_id);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, id).await?;
        Ok((record, Commit::new().delete(table::in_api(&DOCUMENTATION_PARTS, api, id)), Unit))
    })
    .await
}

/// Takes the parts of a document on; the API itself stays as it is.
pub(crate) async fn import(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::ImportDocumentationPartsRequest,
) -> Result<g::DocumentationPartIds, ApiError> {
    let document = import::parse(&input.body)?;
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        let present = match input.mode.unwrap_or(g::PutMode::Merge) {
            g::PutMode::Merge => all(gateway, api).await?,
            g::PutMode::Overwrite => Vec::new(),
        };
        let (parts, ids) = merged(&document, present, &*gateway.ports.random)?;
        let commit = import::put_all(Commit::new(), &DOCUMENTATION_PARTS, api, &parts, |part| &part.id)?;
        Ok((record, commit, g::DocumentationPartIds { ids: Some(ids), warnings: None }))
    })
    .await
}

/// The present parts with those of a document: properties of the same place are put together. Answers the ids of the
/// document's too.
pub(crate) fn merged(
    document: &Value,
    present: Vec<DocumentationPart>,
    random: &dyn Random,
) -> Result<(Vec<DocumentationPart>, Vec<String>), ApiError> {
    let (mut parts, mut ids) = (present, Vec::new());
    let described = document.get(EXTENSION).and_then(|extension| extension.get("documentationParts"));
    for described in described.and_then(Value::as_array).into_iter().flatten() {
        let location = location(&given(&described["location"])?)?;
        let properties = described["properties"].as_object().cloned().unwrap_or_default();
        let known = parts.iter_mut().find(|part| part.location == location);
        let id = match known {
            Some(part) => {
                let mut all = check_properties(&part.properties)?;
                all.extend(properties);
                part.properties = Value::Object(all).to_string();
                part.id.clone()
            }
            None => {
                let id = ids::short_id(ID_CHARS, random);
                let properties = Value::Object(properties).to_string();
                parts.push(DocumentationPart { id: id.clone(), location, properties });
                id
            }
        };
        ids.push(id);
    }
    Ok((parts, ids))
}

/// A location as documents have it.
fn given(described: &Value) -> Result<g::DocumentationPartLocation, ApiError> {
    let text = |name: &str| described.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = text("type").and_then(|kind| kind.parse().ok());
    Ok(g::DocumentationPartLocation {
        r#type: kind.ok_or_else(|| bad_request("Invalid location: it has no type"))?,
        path: text("path"),
        method: text("method"),
        status_code: text("statusCode"),
        name: text("name"),
    })
}

/// A part as documents have it.
pub(crate) fn exported(part: &DocumentationPart) -> Value {
    let Location { kind, path, method, status, name } = &part.location;
    let mut location = json!({ "type": kind });
    for (field, value) in [("path", path), ("method", method), ("statusCode", status), ("name", name)] {
        if let Some(value) = value {
            location[field] = json!(value);
        }
    }
    let properties: Value = serde_json::from_str(&part.properties).unwrap_or_default();
    json!({ "location": location, "properties": properties })
}

pub(crate) async fn all(gateway: &ApiGateway, api: &str) -> Result<Vec<DocumentationPart>, ApiError> {
    Ok(DOCUMENTATION_PARTS.all(gateway.store(), &table::of_api(&DOCUMENTATION_PARTS, api)).await?)
}

async fn load(gateway: &ApiGateway, api: &str, id: &str) -> Result<DocumentationPart, ApiError> {
    let key = table::in_api(&DOCUMENTATION_PARTS, api, id);
    let missing = || g::NotFoundException::new("Invalid Documentation part identifier specified").into();
    let found = DOCUMENTATION_PARTS.get(gateway.store(), &key).await?;
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn describe(part: &DocumentationPart) -> g::DocumentationPart {
    let Location { kind, path, method, status, name } = part.location.clone();
    g::DocumentationPart {
        id: Some(part.id.clone()),
        location: kind.parse().ok().map(|kind| g::DocumentationPartLocation {
            r#type: kind,
            path,
            method,
            status_code: status,
            name,
        }),
        properties: Some(part.properties.clone()),
    }
}
