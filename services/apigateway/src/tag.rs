//! TagResource UntagResource GetTags, of APIs and stages.

use pagoda_base::Arn;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
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
    change(gateway, cx, &input.resource_arn, |tags| {
        tags.extend(input.tags.clone());
        if tags.len() > TAGS_MAX {
            return Err(g::LimitExceededException::new(format!(
                "A resource can have at most {TAGS_MAX} tags"
            ))
            .into());
        }
        Ok(())
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UntagResourceRequest,
) -> Result<Unit, ApiError> {
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
