//! The decision: which of the policies around a request allow it.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use std::fmt;

use pagoda_base::AccountId;

use crate::document::Named;
use crate::principal::Closeness;
use crate::statement::Miss;
use crate::{Effect, Keys, Principal};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action, such as `s3:GetObject`.
    pub action: &'a str,
    /// The resource's ARN, or `*` where the action has none.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub owner: AccountId,
    /// The request's condition keys.
    pub keys: &'a Keys,
}

/// All policies that have a say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The caller's own: inline and managed, of the user, its groups, or the role.
    pub identity: &'a [Named],
    /// The caller's permissions boundary.
    pub boundary: Option<&'a Named>,
    /// The session policies with which the session was made; an empty slice restricts nothing.
    pub session: &'a [Named],
    /// The resource's.
    pub resource: Option<&'a Named>,
    /// Whether the resource's policy must itself allow, even within the account (roles' trust policies, KMS keys).
    pub resource_must_allow: bool,
    /// The account's guardrails; an empty slice restricts nothing.
    pub guardrails: &'a [Named],
}

/// The answer, with what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Why. For the log and for those who may read policies, never for the caller.
    pub reason: Reason,
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The account's root user needs no grant.
    Root,
    /// This statement allowed or denied.
    Statement(Grant),
    /// No statement allowed; the nearest one and what it missed by.
    NothingAllows {
        /// Which kind of policy lacks the grant: `identity-based policy`, `permissions boundary`, ….
        missing: &'static str,
        /// The statement that came nearest, with the element that failed.
        nearest: Option<(Grant, String)>,
    },
}

/// A statement, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The kind of policy: `identity-based policy`, `permissions boundary`, ….
    pub kind: &'static str,
    /// The policy's ARN or name.
    pub policy: String,
    /// The statement's `Sid`, or its index from zero.
    pub statement: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} of {} {}", self.statement, self.kind, self.policy)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.allowed { "allowed" } else { "denied" })?;
        match &self.reason {
            Reason::Root => f.write_str(": the account's root user"),
            Reason::Statement(grant) => write!(f, " by {grant}"),
            Reason::NothingAllows { missing, nearest: None } => write!(f, ": no {missing} allows it"),
            Reason::NothingAllows { missing, nearest: Some((grant, element)) } => {
                write!(f, ": no {missing} allows it; the nearest, {grant}, differs in {element}")
            }
        }
    }
}

/// Decides a request.
pub fn decide(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    let identity = survey("identity-based policy", policies.identity, request);
    let resource = survey("resource-based policy", policies.resource, request);
    let boundary =
        policies.boundary.map(|named| survey("permissions boundary", std::slice::from_ref(named), request));
    let session = restriction("session policy", policies.session, request);
    let guardrails = restriction("service control policy", policies.guardrails, request);

    let surveys =
        [Some(&identity), Some(&resource), boundary.as_ref(), session.as_ref(), guardrails.as_ref()];
    if let Some(denied) = surveys.into_iter().flatten().find_map(|survey| survey.denied.clone()) {
        return Decision { allowed: false, reason: Reason::Statement(denied) };
    }
    if let Some(missing) = guardrails.as_ref().filter(|survey| survey.allowed.is_none()) {
        return nothing_allows(missing);
    }
    let limits: Vec<&Survey> = boundary.iter().chain(session.as_ref()).collect();
    match request.principal {
        Principal::Anonymous | Principal::Service(_) => by_resource_alone(&resource),
        principal if principal.account() == Some(request.owner) => {
            within_account(request, policies, &identity, &resource, &limits)
        }
        _ => across_accounts(request, &identity, &resource, &limits),
    }
}

fn by_resource_alone(resource: &Survey) -> Decision {
    match &resource.allowed {
        // An account's mention delegates to that account's policies, and these callers have none.
        Some((grant, closeness)) if *closeness > Closeness::Account => allowed(grant),
        _ => nothing_allows(resource),
    }
}

fn within_account(
    request: &Request<'_>,
    policies: &Policies<'_>,
    identity: &Survey,
    resource: &Survey,
    limits: &[&Survey],
) -> Decision {
    let by_resource = resource.allowed.as_ref();
    if policies.resource_must_allow && by_resource.is_none() {
        return nothing_allows(resource);
    }
    if matches!(request.principal, Principal::Root(_)) {
        return match limits.iter().find(|limit| limit.allowed.is_none()) {
            Some(limit) => nothing_allows(limit),
            None => Decision { allowed: true, reason: Reason::Root },
        };
    }
    // Named itself, a user or session needs nothing else; its role, only what boundary and session leave.
    if let Some((grant, Closeness::Itself)) = by_resource {
        return allowed(grant);
    }
    if let Some(limit) = limits.iter().find(|limit| limit.allowed.is_none()) {
        return nothing_allows(limit);
    }
    match (by_resource, &identity.allowed) {
        (Some((grant, Closeness::Role | Closeness::Everyone)), _) | (_, Some((grant, _))) => allowed(grant),
        _ => nothing_allows(identity),
    }
}

fn across_accounts(
    request: &Request<'_>,
    identity: &Survey,
    resource: &Survey,
    limits: &[&Survey],
) -> Decision {
    let Some((grant, _)) = &resource.allowed else { return nothing_allows(resource) };
    if let Some(limit) = limits.iter().find(|limit| limit.allowed.is_none()) {
        return nothing_allows(limit);
    }
    let own_side = matches!(request.principal, Principal::Root(_)) || identity.allowed.is_some();
    if own_side { allowed(grant) } else { nothing_allows(identity) }
}

fn allowed(grant: &Grant) -> Decision {
    Decision { allowed: true, reason: Reason::Statement(grant.clone()) }
}

fn nothing_allows(survey: &Survey) -> Decision {
    let reason = Reason::NothingAllows { missing: survey.kind, nearest: survey.nearest.clone() };
    Decision { allowed: false, reason }
}

/// What the policies of one kind say of a request.
struct Survey {
    kind: &'static str,
    denied: Option<Grant>,
    allowed: Option<(Grant, Closeness)>,
    nearest: Option<(Grant, String)>,
}

/// Policies that only restrict: none means no restriction.
fn restriction(kind: &'static str, policies: &[Named], request: &Request<'_>) -> Option<Survey> {
    (!policies.is_empty()).then(|| survey(kind, policies, request))
}

fn survey<'a>(
    kind: &'static str,
    policies: impl IntoIterator<Item = &'a Named>,
    request: &Request<'_>,
) -> Survey {
    let mut survey = Survey { kind, denied: None, allowed: None, nearest: None };
    let mut nearness = 0;
    for policy in policies {
        for (index, statement) in policy.document.statements.iter().enumerate() {
            let grant = || Grant {
                kind,
                policy: policy.name.clone(),
                statement: statement.sid.clone().unwrap_or_else(|| index.to_string()),
            };
            match (statement.applies(request), statement.effect) {
                (Ok(_), Effect::Deny) => survey.denied = survey.denied.or_else(|| Some(grant())),
                (Ok(closeness), Effect::Allow) => {
                    if survey.allowed.as_ref().is_none_or(|(_, found)| *found < closeness) {
                        survey.allowed = Some((grant(), closeness));
                    }
                }
                (Err(miss), Effect::Allow) if miss.nearness() > nearness => {
                    nearness = miss.nearness();
                    survey.nearest = Some((grant(), miss.element()));
                }
                (Err(_), _) => {}
            }
        }
    }
    survey
}

impl Miss {
    /// How far the statement matched before it failed; an action's miss is not worth telling.
    fn nearness(&self) -> u8 {
        match self {
            Miss::Action => 0,
            Miss::Principal => 1,
            Miss::Resource => 2,
            Miss::Condition(_) => 3,
        }
    }

    fn element(self) -> String {
        match self {
            Miss::Principal => "Principal".into(),
            Miss::Action => "Action".into(),
            Miss::Resource => "Resource".into(),
            Miss::Condition(key) => format!("Condition on {key}"),
        }
    }
}
