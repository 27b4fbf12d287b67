//! Sessions of roles: made, sealed into their tokens, and read back from them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::{AccountId, SignedDuration, Timestamp, ids};
use pagoda_policy::{Document, Keys, Kind, Named, Principal};
use pagoda_service::Caller;
use pagoda_service::ports::{Credential, FindCredential, NoCredential, Role, SessionCredentials};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Sts;

const PURPOSE: &str = "sts session token";
/// Tokens whose content is kept at hand; the least used make room.
const OPENED_MAX: usize = 10_000;

/// What tokens were found to contain. A token never changes what it says, so that nothing here can be stale;
/// whether the session still counts is asked each time.
pub(crate) type OpenedTokens = Cache<String, Arc<Opened>>;

pub(crate) fn nothing_opened() -> OpenedTokens {
    Cache::new(OPENED_MAX)
}

/// The content of a token.
pub(crate) struct Opened {
    session: Session,
    policy: Option<Named>,
}

/// All that a session is. Its JSON, sealed, is the session token.
#[derive(Serialize, Deserialize)]
struct Session {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    account: AccountId,
    role_arn: String,
    role_id: String,
    name: String,
    issued: Timestamp,
    expires: Timestamp,
    policy: Option<String>,
    tags: BTreeMap<String, String>,
}

/// What a new session is to be.
pub(crate) struct Wanted {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) duration_seconds: i32,
    pub(crate) policy: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// `AROA…:session`.
pub(crate) fn user_id(role: &Role, name: &str) -> String {
    format!("{}:{name}", role.id)
}

/// `arn:aws:sts::…:assumed-role/…/…`.
pub(crate) fn arn(account: AccountId, role_name: &str, name: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role_name}/{name}")
}

impl Sts {
    /// Makes a session of `role`. The role's tags go with it; the session's own tags come before them.
    pub(crate) fn open_session(&self, role: &Role, wanted: Wanted) -> SessionCredentials {
        let issued = self.clock.now();
        let session = Session {
            access_key_id: ids::unique_id("ASIA", &*self.random),
            secret_access_key: Zeroizing::new(ids::secret_access_key(&*self.random)),
            account: wanted.account,
            role_arn: role.arn.clone(),
            role_id: role.id.clone(),
            name: wanted.name,
            issued,
            expires: issued + SignedDuration::from_secs(wanted.duration_seconds.into()),
            policy: wanted.policy,
            tags: wanted.tags,
        };
        let plain = Zeroizing::new(serde_json::to_vec(&session).expect("a session has only text keys"));
        SessionCredentials {
            session_token: STANDARD.encode(self.sealer.seal(PURPOSE, &plain)),
            access_key_id: session.access_key_id,
            secret_access_key: session.secret_access_key,
            expiration: session.expires,
        }
    }

    fn open(&self, token: &str) -> Option<Arc<Opened>> {
        if let Some(opened) = self.opened.get(token) {
            return Some(opened);
        }
        let sealed = STANDARD.decode(token).ok()?;
        let plain = self.sealer.open(PURPOSE, &sealed).ok()?;
        let session: Session = serde_json::from_slice(&plain).ok()?;
        let policy = match &session.policy {
            Some(text) => {
                let document = Arc::new(Document::parse(text, Kind::Identity).ok()?);
                Some(Named { name: "session".into(), document })
            }
            None => None,
        };
        let opened = Arc::new(Opened { session, policy });
        self.opened.insert(token.to_owned(), Arc::clone(&opened));
        Some(opened)
    }
}

#[async_trait]
impl FindCredential for Sts {
    async fn find(&self, id: &str, session_token: Option<&str>) -> Result<Credential, NoCredential> {
        let opened = session_token.and_then(|token| self.open(token)).ok_or(NoCredential::Unknown)?;
        let session = &opened.session;
        if session.access_key_id != id {
            return Err(NoCredential::Unknown);
        }
        if session.expires <= self.clock.now() {
            return Err(NoCredential::Expired);
        }
        let role = self.roles.role(&session.role_arn).await.map_err(|_| NoCredential::Unavailable)?;
        let role = role.filter(|role| role.id == session.role_id).ok_or(NoCredential::Unknown)?;
        Ok(Credential { secret: session.secret_access_key.clone(), caller: caller(&opened, &role) })
    }
}

fn caller(Opened { session, policy }: &Opened, role: &Role) -> Caller {
    let principal = Principal::Session {
        account: session.account,
        role_arn: session.role_arn.clone(),
        session_arn: arn(session.account, &role.name, &session.name),
    };
    let mut caller =
        Caller::new(principal, user_id(role, &session.name), Some(session.access_key_id.clone()));
    let mut tags = Keys::new();
    for (name, value) in &session.tags {
        tags.set(&format!("aws:PrincipalTag/{name}"), &**value);
    }
    caller.keys.extend(&role.tags).extend(&tags).set("aws:TokenIssueTime", session.issued.to_string());
    caller.session_policies.extend(policy.clone());
    caller
}
