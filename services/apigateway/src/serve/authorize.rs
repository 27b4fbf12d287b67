//! Who may call a method: nobody is asked, or IAM is, or a function, and the API's own policy has a say in
//! all of them.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>

use std::sync::Arc;

use pagoda_policy::{Decision, Policies, Principal, Reason, Request, decide};
use pagoda_service::{Access, Context, Ownership};

use super::answer::Refusal;
use super::authorizer::Question;
use super::verdict::Verdict;
use super::{Call, event};
use crate::ApiGateway;
use crate::table::Authorization;

const INVOKE: &str = "execute-api:Invoke";

impl Call<'_> {
    /// Whether anybody is asked.
    pub(crate) fn is_guarded(&self) -> bool {
        self.method.authorization != Authorization::None || self.deployment.policy.is_some()
    }
}

impl ApiGateway {
    /// Lets the request pass, with its caller known where the method asks for one.
    pub(crate) async fn authorize(&self, call: &mut Call<'_>) -> Result<(), Refusal> {
        match &call.method.authorization {
            Authorization::None => {}
            Authorization::AwsIam => {
                let caller = self.ports.authenticate.caller("execute-api", call.parts, &call.body).await;
                call.cx.caller = caller.map_err(Refusal::of_signature)?;
                if call.cx.caller.principal == Principal::Anonymous {
                    return Err(Refusal::MissingAuthenticationToken);
                }
            }
            Authorization::Custom(id) => {
                call.verdict = Some(self.by_function(call, id).await?);
                return Ok(());
            }
        }
        let arn = method_arn(call);
        match self.by_policies(call, INVOKE, &arn).await? {
            decision if decision.allowed => Ok(()),
            _ => Err(not_authorized(call, &arn)),
        }
    }

    /// Whether whoever may call the method may do this with it too.
    pub(crate) async fn may(&self, call: &Call<'_>, action: &'static str) -> Result<bool, Refusal> {
        let arn = method_arn(call);
        match &call.verdict {
            Some(verdict) => Ok(decided(call, action, &arn, verdict).allowed),
            None => Ok(self.by_policies(call, action, &arn).await?.allowed),
        }
    }

    /// By the caller's policies and the API's.
    async fn by_policies(
        &self,
        call: &Call<'_>,
        action: &'static str,
        arn: &str,
    ) -> Result<Decision, Refusal> {
        let ownership = Ownership {
            policy: call.deployment.policy.clone(),
            ..Ownership::of(call.deployment.api.account)
        };
        let access = Access::new(action, arn);
        let cx = Context { account: call.deployment.api.account, ..call.cx.clone() };
        self.ports.authorizer.decide(&cx, &access, &ownership).await.map_err(Refusal::of_failure)
    }

    /// By the policy that the authorizer's function answers, together with the API's. Whom the API's policy
    /// denies is refused before the function is asked.
    async fn by_function(&self, call: &Call<'_>, id: &str) -> Result<Arc<Verdict>, Refusal> {
        let arn = method_arn(call);
        if call.deployment.policy.is_some()
            && let Decision { allowed: false, reason: Reason::Statement(_) } =
                self.by_policies(call, INVOKE, &arn).await?
        {
            return Err(not_authorized(call, &arn));
        }
        let authorizer = call.deployment.authorizers.get(id).ok_or(Refusal::AuthorizerConfiguration)?;
        let question = Question {
            api: &call.deployment.api,
            stage: &call.deployment.stage,
            deployment: &call.deployment.id,
            variables: &call.deployment.variables,
            parts: call.parts,
            method_arn: &arn,
            context: &|| event::context(call),
            request: &|| event::request(call),
        };
        let verdict = self.verdict(&call.cx, authorizer, &question).await?;
        let decision = decided(call, INVOKE, &arn, &verdict);
        match decision.reason {
            _ if decision.allowed => Ok(verdict),
            Reason::Statement(_) => Err(Refusal::Denied),
            _ => Err(Refusal::NotAllowed),
        }
    }
}

/// Either policy may allow, and either may deny, as for callers of the API's own account.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html#apigateway-authorization-flow-lambda>
fn decided(call: &Call<'_>, action: &'static str, arn: &str, verdict: &Verdict) -> Decision {
    let owner = call.deployment.api.account;
    // Somebody of the account, but none of its users: only `*` in the API's policy names them.
    let principal = Principal::User { account: owner, arn: String::new() };
    let keys = call.cx.keys();
    let request = Request { principal: &principal, action, resource: arn, owner, keys: &keys };
    let policies = Policies {
        identity: std::slice::from_ref(&verdict.policy),
        resource: call.deployment.policy.as_ref(),
        ..Default::default()
    };
    decide(&request, &policies)
}

fn not_authorized(call: &Call<'_>, arn: &str) -> Refusal {
    Refusal::NotAuthorized { caller: call.cx.caller.arn(), arn: masked(arn, call) }
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}/{path}`, of the resource as it was asked for.
pub(crate) fn method_arn(call: &Call<'_>) -> String {
    let api = &call.deployment.api;
    let path = call.path.trim_start_matches('/');
    let (region, account, id, stage) = (&api.region, api.account, &api.id, &call.deployment.stage);
    format!("arn:aws:execute-api:{region}:{account}:{id}/{stage}/{}/{path}", call.parts.method)
}

/// As callers are told it: with only the last four digits of the account.
fn masked(arn: &str, call: &Call<'_>) -> String {
    let account = call.deployment.api.account;
    arn.replacen(account.as_str(), &format!("********{}", &account.as_str()[8..]), 1)
}

/// Completes the shorthand `execute-api:/stage/verb/path` of policies on APIs to full ARNs.
pub(crate) fn complete(policy: &str, arn: &str) -> String {
    policy.replace("\"execute-api:/", &format!("\"{arn}/"))
}
