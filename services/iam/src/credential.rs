//! Long-term access keys: of the accounts' roots, and of users, kept in memory until anything in IAM changes.

use async_trait::async_trait;
use pagoda_policy::Principal;
use pagoda_service::ports::{Credential, FindCredential, NoCredential};
use pagoda_service::{Caller, Remembered};
use zeroize::Zeroizing;

use crate::entity::Entity;
use crate::table::{self, ACCESS_KEYS, USERS, User};
use crate::{Iam, RootKey, access_key};

/// Keys that are kept, their secrets opened; the least used make room.
const KEYS_MAX: usize = 10_000;

/// The active access keys of users.
pub(crate) type Known = Remembered<String, Credential>;

/// No key known yet.
pub(crate) fn nothing_known() -> Known {
    Remembered::new(KEYS_MAX)
}

/// A root key's id, and what it stands for.
pub(crate) fn of_root(key: RootKey) -> (String, Credential) {
    let caller = Caller::root(key.account, Some(key.access_key_id.clone()));
    (key.access_key_id, Credential { secret: key.secret_access_key, caller })
}

#[async_trait]
impl FindCredential for Iam {
    async fn find(&self, id: &str, session_token: Option<&str>) -> Result<Credential, NoCredential> {
        if session_token.is_some() {
            return Err(NoCredential::Unknown);
        }
        if let Some((_, root)) = self.roots.iter().find(|(known, _)| known == id) {
            return Ok(root.clone());
        }
        let known = self.known.get_or_read(id, || self.read_credential(id)).await?;
        known.map(|credential| (*credential).clone()).ok_or(NoCredential::Unknown)
    }
}

impl Iam {
    /// The key of a user, if it is active.
    async fn read_credential(&self, id: &str) -> Result<Option<Credential>, NoCredential> {
        let unavailable = |_| NoCredential::Unavailable;
        let key = ACCESS_KEYS.get(self.store(), &table::access_key(id)).await.map_err(unavailable)?;
        let key = key.map(|stored| stored.record).filter(|key| key.active);
        let Some(key) = key else { return Ok(None) };
        let user = USERS.get(self.store(), &table::key_in(&USERS, key.account, &key.user)).await;
        let Some(user) = user.map_err(unavailable)?.map(|stored| stored.record) else { return Ok(None) };
        let opened = self.sealer.open(&access_key::purpose(id), &key.sealed_secret);
        let secret = opened.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let secret = Zeroizing::new(secret.ok_or(NoCredential::Unavailable)?);
        Ok(Some(Credential { secret, caller: caller(&user, &key, id) }))
    }
}

fn caller(user: &User, key: &table::AccessKey, id: &str) -> Caller {
    let arn = user.identity.arn(key.account, User::NOUN);
    let principal = Principal::User { account: key.account, arn };
    let mut caller = Caller::new(principal, user.identity.id.clone(), Some(id.to_owned()));
    for (name, value) in &user.identity.tags {
        caller.keys.set(&format!("aws:PrincipalTag/{name}"), &**value);
    }
    caller
}
