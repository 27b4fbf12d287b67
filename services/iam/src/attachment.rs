//! Attach…Policy Detach…Policy ListAttached…Policies: managed policies on users and roles.

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::entity::{self, Entity};
use crate::generated as g;
use crate::policy::Managed;
use crate::table::{POLICIES, Policy, Role, User};
use crate::{Iam, page, policy};

/// Managed policies on one entity.
const ATTACHED_MAX: usize = 10;
/// Tries of a change that others keep interfering with.
const ATTEMPTS_MAX: usize = 32;

pub(crate) async fn attach_to_user(
    iam: &Iam,
    cx: &Context,
    input: g::AttachUserPolicyRequest,
) -> Result<Unit, ApiError> {
    change::<User>(iam, cx, &input.user_name, &input.policy_arn, attach).await
}

pub(crate) async fn attach_to_role(
    iam: &Iam,
    cx: &Context,
    input: g::AttachRolePolicyRequest,
) -> Result<Unit, ApiError> {
    change::<Role>(iam, cx, &input.role_name, &input.policy_arn, attach).await
}

pub(crate) async fn detach_from_user(
    iam: &Iam,
    cx: &Context,
    input: g::DetachUserPolicyRequest,
) -> Result<Unit, ApiError> {
    change::<User>(iam, cx, &input.user_name, &input.policy_arn, detach).await
}

pub(crate) async fn detach_from_role(
    iam: &Iam,
    cx: &Context,
    input: g::DetachRolePolicyRequest,
) -> Result<Unit, ApiError> {
    change::<Role>(iam, cx, &input.role_name, &input.policy_arn, detach).await
}

pub(crate) async fn list_of_user(
    iam: &Iam,
    cx: &Context,
    input: g::ListAttachedUserPoliciesRequest,
) -> Result<g::ListAttachedUserPoliciesResponse, ApiError> {
    let listing = Listing { path: input.path_prefix, marker: input.marker, max_items: input.max_items };
    let page = list::<User>(iam, cx, &input.user_name, listing).await?;
    Ok(g::ListAttachedUserPoliciesResponse {
        attached_policies: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(crate) async fn list_of_role(
    iam: &Iam,
    cx: &Context,
    input: g::ListAttachedRolePoliciesRequest,
) -> Result<g::ListAttachedRolePoliciesResponse, ApiError> {
    let listing = Listing { path: input.path_prefix, marker: input.marker, max_items: input.max_items };
    let page = list::<Role>(iam, cx, &input.role_name, listing).await?;
    Ok(g::ListAttachedRolePoliciesResponse {
        attached_policies: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// What a change does to the list of attached policies: by how much the policy's count moves.
type Change = fn(&mut Vec<String>, &str, &str) -> Result<i32, ApiError>;

fn attach(attached: &mut Vec<String>, arn: &str, owner: &str) -> Result<i32, ApiError> {
    if attached.iter().any(|present| present == arn) {
        return Ok(0);
    }
    if attached.len() == ATTACHED_MAX {
        let message = format!("Cannot exceed quota for PoliciesPerEntity: {ATTACHED_MAX} ({owner})");
        return Err(g::LimitExceededException::new(message).into());
    }
    attached.push(arn.to_owned());
    Ok(1)
}

fn detach(attached: &mut Vec<String>, arn: &str, owner: &str) -> Result<i32, ApiError> {
    let before = attached.len();
    attached.retain(|present| present != arn);
    if attached.len() == before {
        let message = format!("Policy {arn} was not found. It is not attached to {owner}.");
        return Err(g::NoSuchEntityException::new(message).into());
    }
    Ok(-1)
}

/// Owner and policy change in one commit, so that the count of attachments is always exact.
async fn change<E: Entity>(
    iam: &Iam,
    cx: &Context,
    owner: &str,
    arn: &str,
    change: Change,
) -> Result<Unit, ApiError> {
    for _ in 0..ATTEMPTS_MAX {
        let managed = policy::find(iam, cx.account, arn).await?.ok_or_else(|| policy::missing(arn))?;
        let Stored { key, mut record, stamp } = entity::load::<E>(iam, cx, owner).await?;
        let step = change(&mut record.identity_mut().attached, arn, owner)?;
        if step == 0 {
            return Ok(Unit);
        }
        let mut commit = E::table().replace(Commit::new(), &key, stamp, &record)?;
        if let Managed::Customer(stored) = managed {
            let Stored { key, record, stamp } = *stored;
            let counted = Policy { attachments: record.attachments + step, ..record };
            commit = POLICIES.replace(commit, &key, stamp, &counted)?;
        }
        let outcome = iam.store().commit(commit).await?;
        iam.forget();
        if !matches!(outcome, Outcome::CheckFailed { .. }) {
            outcome.done()?;
            return Ok(Unit);
        }
    }
    let message = "The request was rejected because multiple requests to change this object were submitted simultaneously.";
    Err(ApiError::new("ConcurrentModification", 409, message))
}

struct Listing {
    path: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

async fn list<E: Entity>(
    iam: &Iam,
    cx: &Context,
    owner: &str,
    listing: Listing,
) -> Result<page::Page<g::AttachedPolicy>, ApiError> {
    let entity = entity::load::<E>(iam, cx, owner).await?.record;
    let path = listing.path.unwrap_or_else(|| "/".into());
    let below = |arn: &&String| arn.split_once(":policy").is_some_and(|(_, rest)| rest.starts_with(&path));
    let attached: Vec<String> = entity.identity().attached.iter().filter(below).cloned().collect();
    let page = page::cut(attached, |arn: &String| arn, listing.marker.as_deref(), listing.max_items)?;
    let items = page.items.into_iter().map(|arn| g::AttachedPolicy {
        policy_name: Some(policy::name_in(&arn).to_owned()),
        policy_arn: Some(arn),
    });
    Ok(page::Page { items: items.collect(), is_truncated: page.is_truncated, marker: page.marker })
}
