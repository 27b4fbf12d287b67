//! TagResource UntagResource GetTags, of APIs and stages.

use pagoda_base::Arn;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, STAGES, Stage, Texts};
use crate::{ApiGateway, stage};

const TAGS_MAX: usize = 50;

/// What an ARN with tags names.
enum Tagged {
    RestApi(String),
    Stage { api: String, stage: String },
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetTagsRequest,
) -> Result<g::Tags, ApiError> {
    if input.position.is_some() || input.limit.is_some() {
        return Err(ApiError::not_implemented("GetTags", "position and limit"));
    }
    let tags = match tagged(&input.resource_arn)? {
        Tagged::RestApi(api) => edit::load(gateway, cx, &api).await?.record.tags,
        Tagged::Stage { api, stage } => {
            edit::load(gateway, cx, &api).await?;
            stage::load(gateway, &api, &stage).await?.tags
        }
    };
    Ok(g::Tags { tags: Some(tags) })
}

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::TagResourceRequest,
) -> Result<Unit, ApiError> {
    check_keys(cx, input.tags.keys())?;
    change(gateway, cx, &input.resource_arn, |tags| {
        tags.extend(input.tags.clone());
        check_count(tags)
    })
    .await
}

/// Refuses tags that a new resource cannot have.
pub(crate) fn check(cx: &Context, tags: &Texts) -> Result<(), ApiError> {
    check_keys(cx, tags.keys())?;
    check_count(tags)
}

/// Refuses keys that only the platform itself may set or remove.
fn check_keys<'k>(cx: &Context, keys: impl IntoIterator<Item = &'k String>) -> Result<(), ApiError> {
    if keys.into_iter().all(|key| cx.may_tag(key)) {
        return Ok(());
    }
    Err(bad_request("Invalid tag key: tag keys beginning with aws: are reserved for system use"))
}

fn check_count(tags: &Texts) -> Result<(), ApiError> {
    if tags.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        let message = format!("A resource can have at most {TAGS_MAX} tags");
        return Err(g::LimitExceededException::new(message).into());
    }
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UntagResourceRequest,
) -> Result<Unit, ApiError> {
    check_keys(cx, &input.tag_keys)?;
    change(gateway, cx, &input.resource_arn, |tags| {
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    })
    .await
}

async fn change(
    gateway: &ApiGateway,
    cx: &Context,
    arn: &str,
    decide: impl Fn(&mut Texts) -> Result<(), ApiError>,
) -> Result<Unit, ApiError> {
    match tagged(arn)? {
        Tagged::RestApi(api) => {
            edit::change(gateway, cx, &api, async |mut record| {
                decide(&mut record.tags)?;
                Ok((record, Commit::new(), Unit))
            })
            .await
        }
        Tagged::Stage { api, stage } => {
            edit::change(gateway, cx, &api, async |record| {
                let mut stage: Stage = stage::load(gateway, &api, &stage).await?;
                decide(&mut stage.tags)?;
                let commit = STAGES.put(Commit::new(), &table::in_api(&STAGES, &api, &stage.name), &stage)?;
                Ok((record, commit, Unit))
            })
            .await
        }
    }
}

fn tagged(arn: &str) -> Result<Tagged, ApiError> {
    let invalid = || bad_request(format!("Invalid resource ARN {arn}"));
    let resource = arn.parse::<Arn>().map_err(|_| invalid())?.resource;
    match resource.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["restapis", api] => Ok(Tagged::RestApi(api.to_owned())),
        ["restapis", api, "stages", stage] => {
            Ok(Tagged::Stage { api: api.to_owned(), stage: stage.to_owned() })
        }
        _ => Err(invalid()),
    }
}
