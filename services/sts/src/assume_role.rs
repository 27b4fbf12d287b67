//! AssumeRole, for callers and for services of the platform.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::{AccountId, Arn};
use pagoda_policy::{Document, Kind, Principal};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{AssumeRole, Role, SessionCredentials};
use pagoda_service::{Access, Caller, Context, Ownership, Service};

use crate::Sts;
use crate::generated as g;
use crate::session::{self, Wanted};

const DURATION_SECONDS_DEFAULT: i32 = 3_600;
/// The longest session that a session may make of another role.
const CHAINED_SECONDS_MAX: i32 = 3_600;
const TAGS_MAX: usize = 50;

pub(crate) async fn assume(
    sts: &Sts,
    cx: &Context,
    input: g::AssumeRoleRequest,
) -> Result<g::AssumeRoleResponse, ApiError> {
    if matches!(cx.caller.principal, Principal::Root(_)) {
        return Err(ApiError::new("AccessDenied", 403, "Roles may not be assumed by root accounts."));
    }
    let (role, account) = find(sts, &input.role_arn).await?;
    let duration_seconds = input.duration_seconds.unwrap_or(DURATION_SECONDS_DEFAULT);
    check_duration(cx, &role, duration_seconds)?;
    if let Some(policy) = &input.policy {
        Document::parse(policy, Kind::Identity)
            .map_err(|malformed| g::MalformedPolicyDocumentException::new(malformed.to_string()))?;
    }
    let name = input.role_session_name;
    let wanted = Wanted {
        account,
        name: name.clone(),
        duration_seconds,
        policy: input.policy,
        tags: tags(input.tags.unwrap_or_default())?,
    };
    let credentials = sts.open_session(&role, wanted);
    Ok(g::AssumeRoleResponse {
        credentials: Some(g::Credentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key.to_string(),
            session_token: credentials.session_token,
            expiration: credentials.expiration,
        }),
        assumed_role_user: Some(g::AssumedRoleUser {
            assumed_role_id: session::user_id(&role, &name),
            arn: session::arn(account, &role.name, &name),
        }),
        ..Default::default()
    })
}

fn check_duration(cx: &Context, role: &Role, duration_seconds: i32) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new("ValidationError", 400, message.to_owned()));
    if matches!(cx.caller.principal, Principal::Session { .. }) && duration_seconds > CHAINED_SECONDS_MAX {
        return invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        );
    }
    if duration_seconds > role.max_session_duration_seconds {
        return invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    Ok(())
}

fn tags(tags: Vec<g::Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let invalid = |message: String| Err(ApiError::new("ValidationError", 400, message));
    if tags.len() > TAGS_MAX {
        return invalid(format!("A session can have at most {TAGS_MAX} tags."));
    }
    let mut merged = BTreeMap::new();
    for g::Tag { key, value } in tags {
        if merged.keys().any(|present: &String| present.eq_ignore_ascii_case(&key)) {
            return Err(ApiError::new(
                "InvalidInput",
                400,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        merged.insert(key, value);
    }
    Ok(merged)
}

async fn find(sts: &Sts, arn: &str) -> Result<(Arc<Role>, AccountId), ApiError> {
    let account = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    match (sts.roles.role(arn).await?, account) {
        (Some(role), Some(account)) => Ok((role, account)),
        _ => Err(ApiError::new("ValidationError", 400, format!("{arn} is invalid"))),
    }
}

#[async_trait]
impl AssumeRole for Sts {
    async fn assume(
        &self,
        cx: &Context,
        service: &str,
        role_arn: &str,
        session_name: &str,
        duration_seconds: i32,
    ) -> Result<SessionCredentials, ApiError> {
        let as_service = Context { caller: Caller::service(service), ..cx.clone() };
        let access = Access::new("sts:AssumeRole", role_arn);
        let ownership: Ownership = self.ownership(&as_service, &access).await?;
        let decision = self.authorizer.decide(&as_service, &access, &ownership).await?;
        if !decision.allowed {
            let message =
                format!("{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
            return Err(ApiError::new("AccessDenied", 403, message));
        }
        let (role, account) = find(self, role_arn).await?;
        let wanted = Wanted {
            account,
            name: session_name.to_owned(),
            duration_seconds: duration_seconds.min(role.max_session_duration_seconds),
            policy: None,
            tags: BTreeMap::new(),
        };
        Ok(self.open_session(&role, wanted))
    }
}
