//! Who may call a method: nobody is asked, or IAM is, and the API's own policy has a say in both.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>

use pagoda_policy::Principal;
use pagoda_service::{Access, Context, Ownership};

use super::Call;
use super::answer::Refusal;
use crate::ApiGateway;
use crate::table::Authorization;

const ACTION: &str = "execute-api:Invoke";

impl Call<'_> {
    /// Whether anybody is asked.
    pub(crate) fn is_guarded(&self) -> bool {
        self.method.authorization == Authorization::AwsIam || self.deployment.policy.is_some()
    }
}

impl ApiGateway {
    /// Lets the request pass, with its caller known where the method asks for one.
    pub(crate) async fn authorize(&self, call: &mut Call<'_>) -> Result<(), Refusal> {
        if call.method.authorization == Authorization::AwsIam {
            let caller = self.authenticate.caller("execute-api", call.parts, &call.body).await;
            call.cx.caller = caller.map_err(Refusal::of_signature)?;
            if call.cx.caller.principal == Principal::Anonymous {
                return Err(Refusal::MissingAuthenticationToken);
            }
        }
        let arn = method_arn(call);
        let ownership = Ownership {
            policy: call.deployment.policy.clone(),
            ..Ownership::of(call.deployment.api.account)
        };
        let access = Access::new(ACTION, &arn);
        let cx = Context { account: call.deployment.api.account, ..call.cx.clone() };
        let decision = self.authorizer.decide(&cx, &access, &ownership).await.map_err(Refusal::of_failure)?;
        if decision.allowed {
            return Ok(());
        }
        Err(Refusal::NotAuthorized { caller: call.cx.caller.arn(), arn: masked(&arn, call) })
    }
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
