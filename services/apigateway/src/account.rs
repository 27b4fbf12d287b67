//! GetAccount UpdateAccount

use pagoda_base::{AccountId, Region};
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context, Ownership};
use pagoda_store::{Commit, Stored};

use crate::edit::bad_request;
use crate::generated as g;
use crate::integration::SERVICE;
use crate::table::{self, ACCOUNTS, Account};
use crate::{ApiGateway, patch};

/// The shortest session of a role.
const SESSION_SECONDS: i32 = 900;

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    _input: g::GetAccountRequest,
) -> Result<g::Account, ApiError> {
    let stored = load(gateway, cx).await?;
    Ok(describe(&stored.map(|stored| stored.record).unwrap_or_default()))
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateAccountRequest,
) -> Result<g::Account, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let stored = load(gateway, cx).await?;
    let mut account = stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
    for patch in &patches {
        match (patch.path, patch.op) {
            ("/cloudwatchRoleArn", g::Op::Remove) => account.log_role = None,
            ("/cloudwatchRoleArn", _) => {
                account.log_role = Some(patch.given()?.to_owned()).filter(|role| !role.is_empty());
            }
            ("/features", _) => return Err(ApiError::not_implemented("UpdateAccount", "features")),
            _ => return Err(patch.refused()),
        }
    }
    if let Some(role) = &account.log_role {
        check_role(gateway, cx, role).await?;
    }
    let key = table::of_account(&ACCOUNTS, cx.account, &cx.region);
    let commit = match stored {
        Some(stored) => ACCOUNTS.replace(Commit::new(), &stored.key, stored.stamp, &account)?,
        None => ACCOUNTS.create(Commit::new(), &key, &account)?,
    };
    gateway.store().commit(commit).await?.done()?;
    gateway.served.forget();
    Ok(describe(&account))
}

/// A role that trusts API Gateway, and that the caller may pass on to it.
async fn check_role(gateway: &ApiGateway, cx: &Context, role: &str) -> Result<(), ApiError> {
    let access = Access::new("iam:PassRole", role).with("iam:PassedToService", SERVICE);
    gateway.ports.authorizer.require(&g::SERVICE, cx, &access, &Ownership::of(cx.account)).await?;
    let message = "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.";
    let session = gateway.session(cx, role, "logs", SESSION_SECONDS).await;
    session.map(drop).map_err(|_| bad_request(message))
}

/// The role as which logs of an account's stages are written.
pub(crate) async fn log_role(
    gateway: &ApiGateway,
    account: AccountId,
    region: &Region,
) -> Result<Option<String>, ApiError> {
    let stored = ACCOUNTS.get(gateway.store(), &table::of_account(&ACCOUNTS, account, region)).await?;
    Ok(stored.and_then(|stored| stored.record.log_role))
}

async fn load(gateway: &ApiGateway, cx: &Context) -> Result<Option<Stored<Account>>, ApiError> {
    Ok(ACCOUNTS.get(gateway.store(), &table::of_account(&ACCOUNTS, cx.account, &cx.region)).await?)
}

fn describe(account: &Account) -> g::Account {
    g::Account {
        cloudwatch_role_arn: account.log_role.clone(),
        features: Some(vec!["UsagePlans".into()]),
        api_key_version: Some("4".into()),
        ..Default::default()
    }
}
