//! The one place where a caller's policies and a resource's are brought together.

use std::sync::Arc;

use pagoda_policy::{Decision, Keys, Policies, Principal, Reason, Request, decide};
use pagoda_protocol::{ApiError, Protocol, ServiceSpec};

use crate::ports::IdentityPolicies;
use crate::{Access, Context, Ownership};

/// Decides whether callers may do what they ask.
#[derive(Clone)]
pub struct Authorizer {
    policies: Arc<dyn IdentityPolicies>,
}

impl Authorizer {
    /// An authorizer over the callers' policies.
    pub fn new(policies: Arc<dyn IdentityPolicies>) -> Self {
        Self { policies }
    }

    /// Decides, and tells the log what decided when the answer is no.
    ///
    /// # Errors
    /// Those of reading the policies; a refusal is a [`Decision`].
    pub async fn decide(
        &self,
        cx: &Context,
        access: &Access,
        ownership: &Ownership,
    ) -> Result<Decision, ApiError> {
        let own = self.policies.of(&cx.caller).await?;
        let documents = (own.identity.iter().chain(&own.boundary).chain(&cx.caller.session_policies))
            .chain(&ownership.policy);
        let needs_keys = documents.map(|named| &named.document).any(|document| document.needs_keys());
        let keys = if needs_keys { keys(cx, access, ownership) } else { Keys::new() };
        let request = Request {
            principal: &cx.caller.principal,
            action: &access.action,
            resource: ownership.resource.as_deref().unwrap_or(&access.resource),
            owner: ownership.owner,
            keys: &keys,
        };
        let policies = Policies {
            identity: &own.identity,
            boundary: own.boundary.as_ref(),
            session: &cx.caller.session_policies,
            resource: ownership.policy.as_ref(),
            resource_must_allow: ownership.must_allow,
            guardrails: &[],
        };
        let decision = decide(&request, &policies);
        if !decision.allowed {
            tracing::info!(
                request_id = %cx.request_id, caller = %cx.caller.arn(), action = %access.action,
                resource = %access.resource, "{decision}"
            );
        }
        Ok(decision)
    }

    /// Decides, and refuses with the error of `service`.
    ///
    /// # Errors
    /// `AccessDenied` or `AccessDeniedException`, in AWS's words.
    pub async fn require(
        &self,
        service: &ServiceSpec,
        cx: &Context,
        access: &Access,
        ownership: &Ownership,
    ) -> Result<(), ApiError> {
        let decision = self.decide(cx, access, ownership).await?;
        if decision.allowed { Ok(()) } else { Err(denial(service, cx, access, &decision)) }
    }
}

/// All condition keys of a request.
fn keys(cx: &Context, access: &Access, ownership: &Ownership) -> Keys {
    let mut keys = cx.keys();
    keys.set("aws:ResourceAccount", ownership.owner.as_str());
    keys.extend(&access.keys);
    keys
}

/// The refusal as the service's protocol has it.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn denial(service: &ServiceSpec, cx: &Context, access: &Access, decision: &Decision) -> ApiError {
    let (code, status) = match service.protocols.first() {
        Some(Protocol::AwsJson10 | Protocol::AwsJson11) => ("AccessDeniedException", 400),
        Some(Protocol::RestJson1) => ("AccessDeniedException", 403),
        _ => ("AccessDenied", 403),
    };
    if service.is_s3() && cx.caller.principal == Principal::Anonymous {
        return ApiError::new(code, status, "Access Denied");
    }
    let Access { action, resource, .. } = access;
    let because = match &decision.reason {
        Reason::Statement(grant) => {
            format!("with an explicit deny in {} {}", article(grant.kind), grant.kind)
        }
        Reason::NothingAllows { missing, .. } => format!("because no {missing} allows the {action} action"),
        Reason::Root => String::new(),
    };
    let user = cx.caller.arn();
    let message =
        format!("User: {user} is not authorized to perform: {action} on resource: {resource} {because}");
    ApiError::new(code, status, message.trim_end().to_owned())
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
