//! A function's role: that Lambda may assume it, and what its sessions look like.

use pagoda_base::Arn;
use pagoda_policy::Principal;
use pagoda_protocol::ApiError;
use pagoda_service::ports::SessionCredentials;
use pagoda_service::{Caller, Context};

use crate::Lambda;
use crate::access::PRINCIPAL;
use crate::generated as g;
use crate::load::Loaded;

/// The longest session of a role that the role itself may allow; its own limit shortens it.
const SESSION_SECONDS: i32 = 12 * 3_600;
/// The shortest session there is: enough to see whether there can be one.
const PROBE_SECONDS: i32 = 900;

impl Lambda {
    /// Refuses a role that doesn't exist or doesn't trust Lambda.
    pub(crate) async fn check_role(&self, cx: &Context, role: &str, name: &str) -> Result<(), ApiError> {
        let assumed = self.ports.assume_role.assume(cx, PRINCIPAL, role, name, PROBE_SECONDS).await;
        match assumed {
            Ok(_) => Ok(()),
            Err(error) if error.status.is_server_error() => Err(error),
            Err(_) => {
                let message = "The role defined for the function cannot be assumed by Lambda.";
                Err(g::InvalidParameterValueException::new(message).into())
            }
        }
    }

    /// A session of the function's role, named like the function.
    pub(crate) async fn assume(&self, cx: &Context, loaded: &Loaded) -> Result<SessionCredentials, ApiError> {
        let role = &loaded.version.settings.role;
        let session =
            self.ports.assume_role.assume(cx, PRINCIPAL, role, &loaded.id.name, SESSION_SECONDS).await;
        session.map_err(|error| {
            if error.status.is_server_error() {
                return error;
            }
            let message = "The role defined for the function cannot be assumed by Lambda.";
            ApiError::new("AccessDeniedException", 403, message)
        })
    }

    /// Who the function is while it runs.
    pub(crate) async fn session_caller(&self, loaded: &Loaded) -> Result<Option<Caller>, ApiError> {
        let arn = &loaded.version.settings.role;
        let account = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
        let (Some(role), Some(account)) = (self.ports.read_role.role(arn).await?, account) else {
            return Ok(None);
        };
        let name = &loaded.id.name;
        let principal = Principal::Session {
            account,
            role_arn: role.arn.clone(),
            session_arn: format!("arn:aws:sts::{account}:assumed-role/{}/{name}", role.name),
        };
        let mut caller = Caller::new(principal, format!("{}:{name}", role.id), None);
        caller.keys.extend(&role.tags);
        Ok(Some(caller))
    }
}
