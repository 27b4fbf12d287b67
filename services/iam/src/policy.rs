//! CreatePolicy GetPolicy ListPolicies DeletePolicy, and the versions of managed policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_base::{AccountId, Arn, ids};
use pagoda_policy::{Document, Kind, Named};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Outcome, Stored, update};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::generated as g;
use crate::managed::{self, AwsManaged};
use crate::table::{self, Identity, POLICIES, Policy, Version};
use crate::{Iam, page, tag};

/// Characters of a managed policy, white space aside.
const CHARS_MAX: usize = 6_144;
/// Versions of one managed policy.
const VERSIONS_MAX: usize = 5;
/// What RFC 3986 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A managed policy of either kind.
pub(crate) enum Managed {
    Aws(&'static AwsManaged),
    Customer(Box<Stored<Policy>>),
}

impl Managed {
    fn describe(&self, account: AccountId) -> g::Policy {
        match self {
            Self::Aws(policy) => policy.describe(),
            Self::Customer(stored) => describe(&stored.record, account),
        }
    }

    /// The document in force.
    pub(crate) fn document(&self) -> Option<&str> {
        match self {
            Self::Aws(policy) => Some(policy.document),
            Self::Customer(stored) => {
                let policy = &stored.record;
                policy.version(policy.default_version).map(|version| version.document.as_str())
            }
        }
    }
}

pub(crate) async fn create(
    iam: &Iam,
    cx: &Context,
    input: g::CreatePolicyRequest,
) -> Result<g::CreatePolicyResponse, ApiError> {
    check_size(&input.policy_document, CHARS_MAX, "PolicySize")?;
    compile("", &input.policy_document, Kind::Identity)?;
    let policy = Policy {
        name: input.policy_name,
        path: input.path.unwrap_or_else(|| "/".into()),
        id: ids::unique_id("ANPA", &*iam.random),
        description: input.description,
        created: cx.now,
        updated: cx.now,
        versions: vec![Version { number: 1, document: input.policy_document, created: cx.now }],
        default_version: 1,
        next_version: 2,
        attachments: 0,
        tags: tag::merge(cx, BTreeMap::new(), input.tags.unwrap_or_default())?,
    };
    let key = table::key_in(&POLICIES, cx.account, &policy.name);
    match iam.store().commit(POLICIES.create(Commit::new(), &key, &policy)?).await? {
        Outcome::CheckFailed { .. } => {
            let message =
                format!("A policy called {} already exists. Duplicate names are not allowed.", policy.name);
            Err(g::EntityAlreadyExistsException::new(message).into())
        }
        outcome => {
            outcome.done()?;
            Ok(g::CreatePolicyResponse { policy: Some(describe(&policy, cx.account)) })
        }
    }
}

pub(crate) async fn get(
    iam: &Iam,
    cx: &Context,
    input: g::GetPolicyRequest,
) -> Result<g::GetPolicyResponse, ApiError> {
    let managed = require(iam, cx.account, &input.policy_arn).await?;
    Ok(g::GetPolicyResponse { policy: Some(managed.describe(cx.account)) })
}

pub(crate) async fn list(
    iam: &Iam,
    cx: &Context,
    input: g::ListPoliciesRequest,
) -> Result<g::ListPoliciesResponse, ApiError> {
    if input.policy_usage_filter == Some(g::PolicyUsageType::PermissionsBoundary) {
        return Err(ApiError::not_implemented("ListPolicies", "PolicyUsageFilter=PermissionsBoundary"));
    }
    let scope = input.scope.unwrap_or(g::PolicyScopeType::All);
    let mut policies = Vec::new();
    if scope != g::PolicyScopeType::Aws {
        let own = POLICIES.all(iam.store(), &table::all_in(&POLICIES, cx.account)).await?;
        policies.extend(own.iter().map(|policy| describe(policy, cx.account)));
    }
    let only_attached = input.only_attached.unwrap_or(false);
    if scope != g::PolicyScopeType::Local && !only_attached {
        policies.extend(managed::all().map(AwsManaged::describe));
    }
    let path = input.path_prefix.as_deref().unwrap_or("/");
    policies.retain(|policy| policy.path.as_deref().is_some_and(|own| own.starts_with(path)));
    policies.retain(|policy| !only_attached || policy.attachment_count.is_some_and(|count| count > 0));
    let by_arn = |policy: &g::Policy| policy.arn.clone().unwrap_or_default();
    let mut named: Vec<(String, g::Policy)> =
        policies.into_iter().map(|policy| (by_arn(&policy), policy)).collect();
    named.dedup_by(|a, b| a.0 == b.0);
    let page = page::cut(named, |(arn, _)| arn, input.marker.as_deref(), input.max_items)?;
    Ok(g::ListPoliciesResponse {
        policies: Some(page.items.into_iter().map(|(_, policy)| policy).collect()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(crate) async fn delete(iam: &Iam, cx: &Context, input: g::DeletePolicyRequest) -> Result<Unit, ApiError> {
    change(iam, cx, &input.policy_arn, |policy| {
        if policy.attachments > 0 {
            let message = "Cannot delete a policy attached to entities.";
            return Err(g::DeleteConflictException::new(message).into());
        }
        if policy.versions.len() > 1 {
            let message = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.";
            return Err(g::DeleteConflictException::new(message).into());
        }
        Ok(Decision::delete(Unit))
    })
    .await
}

pub(crate) async fn create_version(
    iam: &Iam,
    cx: &Context,
    input: g::CreatePolicyVersionRequest,
) -> Result<g::CreatePolicyVersionResponse, ApiError> {
    check_size(&input.policy_document, CHARS_MAX, "PolicySize")?;
    compile("", &input.policy_document, Kind::Identity)?;
    change(iam, cx, &input.policy_arn, |mut policy| {
        if policy.versions.len() >= VERSIONS_MAX {
            let message = format!("A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version.");
            return Err(g::LimitExceededException::new(message).into());
        }
        let number = policy.next_version;
        let version = Version { number, document: input.policy_document.clone(), created: cx.now };
        if input.set_as_default.unwrap_or(false) {
            policy.default_version = number;
        }
        let described = g::PolicyVersion { document: None, ..describe_version(&policy, &version) };
        policy.versions.push(version);
        policy.next_version += 1;
        policy.updated = cx.now;
        Ok(Decision::save(policy, g::CreatePolicyVersionResponse { policy_version: Some(described) }))
    })
    .await
}

pub(crate) async fn delete_version(
    iam: &Iam,
    cx: &Context,
    input: g::DeletePolicyVersionRequest,
) -> Result<Unit, ApiError> {
    change(iam, cx, &input.policy_arn, |mut policy| {
        let number = number(&policy, &input.version_id)?;
        if number == policy.default_version {
            let message = "Cannot delete the default version of a policy.";
            return Err(g::DeleteConflictException::new(message).into());
        }
        policy.versions.retain(|version| version.number != number);
        Ok(Decision::save(policy, Unit))
    })
    .await
}

pub(crate) async fn set_default_version(
    iam: &Iam,
    cx: &Context,
    input: g::SetDefaultPolicyVersionRequest,
) -> Result<Unit, ApiError> {
    change(iam, cx, &input.policy_arn, |mut policy| {
        policy.default_version = number(&policy, &input.version_id)?;
        policy.updated = cx.now;
        Ok(Decision::save(policy, Unit))
    })
    .await
}

pub(crate) async fn get_version(
    iam: &Iam,
    cx: &Context,
    input: g::GetPolicyVersionRequest,
) -> Result<g::GetPolicyVersionResponse, ApiError> {
    let described = match require(iam, cx.account, &input.policy_arn).await? {
        Managed::Aws(policy) if input.version_id == "v1" => policy.describe_version(),
        Managed::Aws(_) => return Err(missing_version(&input.version_id)),
        Managed::Customer(stored) => {
            let number = number(&stored.record, &input.version_id)?;
            let version = stored.record.version(number).ok_or_else(|| missing_version(&input.version_id))?;
            describe_version(&stored.record, version)
        }
    };
    Ok(g::GetPolicyVersionResponse { policy_version: Some(described) })
}

pub(crate) async fn list_versions(
    iam: &Iam,
    cx: &Context,
    input: g::ListPolicyVersionsRequest,
) -> Result<g::ListPolicyVersionsResponse, ApiError> {
    let versions: Vec<g::PolicyVersion> = match require(iam, cx.account, &input.policy_arn).await? {
        Managed::Aws(policy) => vec![policy.describe_version()],
        Managed::Customer(stored) => stored
            .record
            .versions
            .iter()
            .rev()
            .map(|version| describe_version(&stored.record, version))
            .collect(),
    };
    let named = versions.into_iter().map(|version| (version.version_id.clone().unwrap_or_default(), version));
    let page = page::cut(named.collect(), |(id, _)| id, input.marker.as_deref(), input.max_items)?;
    let versions = page.items.into_iter().map(|(_, version)| g::PolicyVersion { document: None, ..version });
    Ok(g::ListPolicyVersionsResponse {
        versions: Some(versions.collect()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// The managed policy of this ARN that `account` may use.
pub(crate) async fn find(iam: &Iam, account: AccountId, arn: &str) -> Result<Option<Managed>, ApiError> {
    if let Some(policy) = managed::find(arn) {
        return Ok(Some(Managed::Aws(policy)));
    }
    let Ok(parsed) = arn.parse::<Arn>() else {
        let message = format!("ARN {arn} is not valid.");
        return Err(g::InvalidInputException::new(message).into());
    };
    if parsed.account_id() != Some(account) {
        return Ok(None);
    }
    let found = POLICIES.get(iam.store(), &table::key_in(&POLICIES, account, name_in(arn))).await?;
    Ok(found
        .filter(|stored| stored.record.arn(account) == arn)
        .map(|stored| Managed::Customer(Box::new(stored))))
}

/// The same, refused where there is none.
pub(crate) async fn require(iam: &Iam, account: AccountId, arn: &str) -> Result<Managed, ApiError> {
    find(iam, account, arn).await?.ok_or_else(|| missing(arn))
}

/// The refusal for an ARN that names no policy.
pub(crate) fn missing(arn: &str) -> ApiError {
    g::NoSuchEntityException::new(format!("Policy {arn} does not exist or is not attachable.")).into()
}

/// What follows the last slash.
pub(crate) fn name_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Checks a document and makes it ready to decide.
pub(crate) fn compile(name: &str, document: &str, kind: Kind) -> Result<Named, ApiError> {
    let document = Document::parse(document, kind)
        .map_err(|malformed| g::MalformedPolicyDocumentException::new(malformed.to_string()))?;
    Ok(Named { name: name.to_owned(), document: Arc::new(document) })
}

/// Characters that count against quotas: all but white space.
pub(crate) fn chars(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// Refuses a document over its quota.
pub(crate) fn check_size(document: &str, chars_max: usize, quota: &str) -> Result<(), ApiError> {
    if chars(document) <= chars_max {
        return Ok(());
    }
    Err(g::LimitExceededException::new(format!("Cannot exceed quota for {quota}: {chars_max}")).into())
}

/// A document as answers carry it: percent-encoded (RFC 3986).
pub(crate) fn on_the_wire(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// The boundary of a user or role as answers give it.
pub(crate) fn boundary(identity: &Identity) -> Option<g::AttachedPermissionsBoundary> {
    identity.boundary.as_ref().map(|arn| g::AttachedPermissionsBoundary {
        permissions_boundary_type: Some(g::PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(arn.clone()),
    })
}

async fn change<T>(
    iam: &Iam,
    cx: &Context,
    arn: &str,
    mut decide: impl FnMut(Policy) -> Result<Decision<Policy, T>, ApiError>,
) -> Result<T, ApiError> {
    if managed::find(arn).is_some() {
        let message = format!("Policy {arn} is managed by AWS and cannot be changed.");
        return Err(ApiError::new("AccessDenied", 403, message));
    }
    require(iam, cx.account, arn).await?;
    let key = table::key_in(&POLICIES, cx.account, name_in(arn));
    let changed = update(iam.store(), &key, |policy| decide(policy.ok_or_else(|| missing(arn))?));
    let answer = changed.await;
    iam.forget();
    answer
}

/// The number in a version id such as `v3`, if the policy has it.
fn number(policy: &Policy, id: &str) -> Result<u32, ApiError> {
    let number = id.strip_prefix('v').and_then(|digits| digits.parse().ok());
    number.filter(|number| policy.version(*number).is_some()).ok_or_else(|| missing_version(id))
}

fn missing_version(id: &str) -> ApiError {
    g::NoSuchEntityException::new(format!("Policy version {id} does not exist.")).into()
}

fn describe(policy: &Policy, account: AccountId) -> g::Policy {
    g::Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()),
        arn: Some(policy.arn(account)),
        path: Some(policy.path.clone()),
        default_version_id: Some(format!("v{}", policy.default_version)),
        attachment_count: Some(policy.attachments),
        permissions_boundary_usage_count: None,
        is_attachable: Some(true),
        description: policy.description.clone(),
        create_date: Some(policy.created),
        update_date: Some(policy.updated),
        tags: tag::described(&policy.tags),
    }
}

fn describe_version(policy: &Policy, version: &Version) -> g::PolicyVersion {
    g::PolicyVersion {
        document: Some(on_the_wire(&version.document)),
        version_id: Some(format!("v{}", version.number)),
        is_default_version: Some(version.number == policy.default_version),
        create_date: Some(version.created),
    }
}
