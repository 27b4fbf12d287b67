//! CreateResource GetResource GetResources UpdateResource DeleteResource

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, RESOURCES, Resource, RestApi};
use crate::{ApiGateway, method, patch, position};

const ID_CHARS: usize = 6;
/// Resources of one API: the quota that AWS raises to on request.
const RESOURCES_MAX: usize = 10_000;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateResourceRequest,
) -> Result<g::Resource, ApiError> {
    let api = input.rest_api_id.clone();
    edit::change(gateway, cx, &api, async |mut record: RestApi| {
        let all = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, &api)).await?;
        let id = ids::short_id(ID_CHARS, &*gateway.ports.random);
        let resource = child(&all, &input.parent_id, &input.path_part, id)?;
        record.resources = all.len() + 1;
        let commit =
            RESOURCES.put(Commit::new(), &table::in_api(&RESOURCES, &api, &resource.id), &resource)?;
        Ok((record, commit, describe(&resource, false)))
    })
    .await
}

/// A new resource below `parent_id`, if there is room for it among `all`.
pub(crate) fn child(all: &[Resource], parent_id: &str, part: &str, id: String) -> Result<Resource, ApiError> {
    if all.len() >= RESOURCES_MAX {
        return Err(g::LimitExceededException::new(
            "Maximum number of Resources for this API has been reached.",
        )
        .into());
    }
    check_part(part)?;
    let parent = all.iter().find(|resource| resource.id == parent_id);
    let parent = parent
        .ok_or_else(|| ApiError::from(g::NotFoundException::new("Invalid Resource identifier specified")))?;
    if is_greedy(parent.path_part.as_deref().unwrap_or_default()) {
        return Err(bad_request("Cannot create a child of a resource with a greedy path variable."));
    }
    for sibling in all.iter().filter(|resource| resource.parent_id.as_deref() == Some(parent_id)) {
        let other = sibling.path_part.as_deref().unwrap_or_default();
        if other == part {
            let message = format!("Another resource with the same parent already has this name: {part}");
            return Err(g::ConflictException::new(message).into());
        }
        if is_variable(other) && is_variable(part) && is_greedy(other) == is_greedy(part) {
            let message = format!(
                "A sibling ({other}) of this resource already has a variable path part -- only one is allowed"
            );
            return Err(bad_request(message));
        }
    }
    let path = format!("{}/{part}", parent.path.trim_end_matches('/'));
    Ok(Resource {
        id,
        parent_id: Some(parent_id.to_owned()),
        path_part: Some(part.to_owned()),
        path,
        methods: BTreeMap::new(),
    })
}

fn check_part(part: &str) -> Result<(), ApiError> {
    let lawful = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let is_valid = match name {
        Some(name) => lawful(name.strip_suffix('+').unwrap_or(name), "._-"),
        None => lawful(part, "._-:$*~!'(),;=@%"),
    };
    if is_valid {
        return Ok(());
    }
    Err(bad_request(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
    ))
}

pub(crate) fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

pub(crate) fn is_greedy(part: &str) -> bool {
    part.ends_with("+}")
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetResourceRequest,
) -> Result<g::Resource, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    Ok(describe(&resource, embeds_methods(&input.embed)?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetResourcesRequest,
) -> Result<g::Resources, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let embed = embeds_methods(&input.embed)?;
    let all = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, &input.rest_api_id)).await?;
    let (page, position) =
        position::cut(all, |resource| &resource.id, input.position.as_deref(), input.limit)?;
    Ok(g::Resources {
        position,
        items: Some(page.iter().map(|resource| describe(resource, embed)).collect()),
    })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateResourceRequest,
) -> Result<g::Resource, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.resource_id);
    edit::change(gateway, cx, api, async |record: RestApi| {
        let all = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?;
        let present = edit::resource(gateway, api, id).await?.record;
        let (mut parent, mut part) = match (&present.parent_id, &present.path_part) {
            (Some(parent), Some(part)) => (parent.as_str(), part.as_str()),
            _ => return Err(bad_request("The root resource cannot be updated")),
        };
        for patch in &patches {
            match patch.path {
                "/pathPart" => part = patch.replaced()?,
                "/parentId" => parent = patch.replaced()?,
                _ => return Err(patch.refused()),
            }
        }
        let moved = moved(all, &present, parent, part)?;
        let put =
            |commit, one: &Resource| RESOURCES.put(commit, &table::in_api(&RESOURCES, api, &one.id), one);
        let commit = moved.iter().try_fold(Commit::new(), put)?;
        let described = moved.first().map(|resource| describe(resource, false)).unwrap_or_default();
        Ok((record, commit, described))
    })
    .await
}

/// The resource in its new place, and all below it.
fn moved(
    mut all: Vec<Resource>,
    resource: &Resource,
    parent: &str,
    part: &str,
) -> Result<Vec<Resource>, ApiError> {
    let family = below(&all, &resource.id);
    if family.iter().any(|id| id == parent) {
        return Err(bad_request("A resource cannot be moved below itself"));
    }
    if is_greedy(part) && family.len() > 1 {
        return Err(bad_request("Cannot create a child of a resource with a greedy path variable."));
    }
    let descendants: Vec<Resource> = family[1..].iter().filter_map(|id| take(&mut all, id)).collect();
    take(&mut all, &resource.id);
    let placed = child(&all, parent, part, resource.id.clone())?;
    let mut moved = vec![Resource { methods: resource.methods.clone(), ..placed }];
    for mut descendant in descendants {
        let above = moved.iter().find(|above| Some(&above.id) == descendant.parent_id.as_ref());
        let (Some(above), Some(part)) = (above, &descendant.path_part) else { continue };
        descendant.path = format!("{}/{part}", above.path);
        moved.push(descendant);
    }
    Ok(moved)
}

fn take(all: &mut Vec<Resource>, id: &str) -> Option<Resource> {
    let at = all.iter().position(|resource| resource.id == id)?;
    Some(all.swap_remove(at))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteResourceRequest,
) -> Result<Unit, ApiError> {
    let api = input.rest_api_id.clone();
    edit::change(gateway, cx, &api, async |mut record: RestApi| {
        let all = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, &api)).await?;
        if record.root_resource_id == input.resource_id {
            return Err(bad_request("Cannot delete the root resource."));
        }
        let doomed = below(&all, &input.resource_id);
        if doomed.is_empty() {
            return Err(g::NotFoundException::new("Invalid Resource identifier specified").into());
        }
        let commit = doomed
            .iter()
            .fold(Commit::new(), |commit, id| commit.delete(table::in_api(&RESOURCES, &api, id)));
        record.resources = all.len() - doomed.len();
        Ok((record, commit, Unit))
    })
    .await
}

/// The resource and all its descendants.
fn below(all: &[Resource], id: &str) -> Vec<String> {
    let mut found: Vec<String> = all.iter().filter(|r| r.id == id).map(|r| r.id.clone()).collect();
    let mut next = 0;
    while next < found.len() {
        let parent = found[next].clone();
        let children = all.iter().filter(|r| r.parent_id.as_deref() == Some(&*parent));
        found.extend(children.map(|r| r.id.clone()));
        next += 1;
    }
    found
}

fn embeds_methods(embed: &Option<Vec<String>>) -> Result<bool, ApiError> {
    match embed.as_deref() {
        None | Some([]) => Ok(false),
        Some([one]) if one == "methods" => Ok(true),
        Some(_) => Err(bad_request("Invalid embed: only methods can be embedded")),
    }
}

pub(crate) fn describe(resource: &Resource, with_methods: bool) -> g::Resource {
    let methods = resource.methods.iter().map(|(verb, own)| {
        let described = if with_methods { method::describe(verb, own) } else { g::Method::default() };
        (verb.clone(), described)
    });
    g::Resource {
        id: Some(resource.id.clone()),
        parent_id: resource.parent_id.clone(),
        path_part: resource.path_part.clone(),
        path: Some(resource.path.clone()),
        resource_methods: (!resource.methods.is_empty()).then(|| methods.collect()),
    }
}
