//! The one way to change an API: its record is read, checked and written again with every change, so that
//! changes of one API happen one after another and none is lost.

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::ApiGateway;
use crate::generated as g;
use crate::table::{self, RESOURCES, REST_APIS, Resource, RestApi};

/// Tries of a change that others keep interfering with.
const ATTEMPTS_MAX: usize = 32;

/// The API, if it is the caller's.
pub(crate) async fn load(gateway: &ApiGateway, cx: &Context, id: &str) -> Result<Stored<RestApi>, ApiError> {
    let found = REST_APIS.get(gateway.store(), &table::rest_api(id)).await?;
    let own = found.filter(|api| api.record.account == cx.account && api.record.region == cx.region);
    own.ok_or_else(|| not_found("Invalid API identifier specified", cx, id))
}

/// Changes the API: `decide` may change its record and says what else the commit does.
pub(crate) async fn change<T, F>(
    gateway: &ApiGateway,
    cx: &Context,
    id: &str,
    mut decide: impl FnMut(RestApi) -> F,
) -> Result<T, ApiError>
where
    F: Future<Output = Result<(RestApi, Commit, T), ApiError>>,
{
    for _ in 0..ATTEMPTS_MAX {
        let Stored { key, record, stamp } = load(gateway, cx, id).await?;
        let (record, commit, answer) = decide(record).await?;
        let commit = REST_APIS.replace(Commit::new(), &key, stamp, &record)?.and(commit);
        match gateway.store().commit(commit).await? {
            Outcome::CheckFailed { .. } => continue,
            outcome => outcome.done()?,
        };
        gateway.served.forget();
        return Ok(answer);
    }
    Err(g::ConflictException::new(
        "Unable to complete operation due to concurrent modification. Please try again later.",
    )
    .into())
}

/// Changes one resource of an API.
pub(crate) async fn change_resource<T>(
    gateway: &ApiGateway,
    cx: &Context,
    api: &str,
    id: &str,
    decide: impl Fn(&mut Resource) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    change(gateway, cx, api, async |record| {
        let mut resource = resource(gateway, api, id).await?.record;
        let answer = decide(&mut resource)?;
        let commit = RESOURCES.put(Commit::new(), &table::in_api(&RESOURCES, api, id), &resource)?;
        Ok((record, commit, answer))
    })
    .await
}

/// A resource of an API that was loaded before.
pub(crate) async fn resource(
    gateway: &ApiGateway,
    api: &str,
    id: &str,
) -> Result<Stored<Resource>, ApiError> {
    let found = RESOURCES.get(gateway.store(), &table::in_api(&RESOURCES, api, id)).await?;
    found.ok_or_else(|| g::NotFoundException::new("Invalid Resource identifier specified").into())
}

fn not_found(what: &str, cx: &Context, id: &str) -> ApiError {
    g::NotFoundException::new(format!("{what} {}:{id}", cx.account)).into()
}

/// 400 `BadRequestException`.
pub(crate) fn bad_request(message: impl Into<String>) -> ApiError {
    g::BadRequestException::new(message).into()
}
