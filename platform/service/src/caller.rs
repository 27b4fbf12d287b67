//! Who makes a request, with all that policies and answers may want to know of them.

use std::sync::LazyLock;

use pagoda_base::AccountId;
use pagoda_policy::{Keys, Named, Principal};

/// The authenticated caller of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As policies see them.
    pub principal: Principal,
    /// The unique id: `AIDA…` of a user, `AROA…:session` of a role's session, the account's id of root.
    pub user_id: String,
    /// The key that signed, where one did.
    pub access_key_id: Option<String>,
    /// The policies that the session was narrowed by.
    pub session_policies: Vec<Named>,
    /// The condition keys that come with the caller, such as `aws:username` and `aws:PrincipalTag/…`.
    pub keys: Keys,
}

impl Caller {
    /// A caller without credentials.
    pub fn anonymous() -> Self {
        static ANONYMOUS: LazyLock<Caller> =
            LazyLock::new(|| Caller::new(Principal::Anonymous, "anonymous".into(), None));
        ANONYMOUS.clone()
    }

    /// The account itself.
    pub fn root(account: AccountId, access_key_id: Option<String>) -> Self {
        Self::new(Principal::Root(account), account.to_string(), access_key_id)
    }

    /// A service of the platform that acts by itself, such as `apigateway.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::new(Principal::Service(name.to_owned()), name.to_owned(), None)
    }

    /// A caller with the condition keys that follow from who they are.
    pub fn new(principal: Principal, user_id: String, access_key_id: Option<String>) -> Self {
        let mut caller =
            Self { principal, user_id, access_key_id, session_policies: Vec::new(), keys: Keys::new() };
        caller.derive_keys();
        caller
    }

    /// The caller's ARN as `GetCallerIdentity` and error messages give it.
    pub fn arn(&self) -> String {
        match &self.principal {
            Principal::Anonymous => "anonymous".into(),
            Principal::Root(account) => format!("arn:aws:iam::{account}:root"),
            Principal::User { arn, .. } => arn.clone(),
            Principal::Session { session_arn, .. } => session_arn.clone(),
            Principal::Service(name) => name.clone(),
        }
    }

    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    fn derive_keys(&mut self) {
        let keys = &mut self.keys;
        keys.set("aws:PrincipalType", kind(&self.principal));
        keys.set("aws:PrincipalIsAWSService", matches!(self.principal, Principal::Service(_)).to_string());
        if let Some(account) = self.principal.account() {
            keys.set("aws:PrincipalAccount", account.as_str());
            keys.set("aws:userid", &*self.user_id);
        }
        match &self.principal {
            Principal::Anonymous => {}
            Principal::Root(account) => {
                keys.set("aws:PrincipalArn", format!("arn:aws:iam::{account}:root"));
            }
            Principal::User { arn, .. } => {
                keys.set("aws:PrincipalArn", &**arn);
                keys.set("aws:username", arn.rsplit('/').next().unwrap_or_default());
            }
            Principal::Session { role_arn, .. } => {
                keys.set("aws:PrincipalArn", &**role_arn);
            }
            Principal::Service(name) => {
                keys.set("aws:PrincipalServiceName", &**name);
            }
        }
    }
}

fn kind(principal: &Principal) -> &'static str {
    match principal {
        Principal::Anonymous => "Anonymous",
        Principal::Root(_) => "Account",
        Principal::User { .. } => "User",
        Principal::Session { .. } => "AssumedRole",
        Principal::Service(_) => "Service",
    }
}
