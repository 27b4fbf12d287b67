//! Long-term access keys: of the accounts' roots, and of users.

use async_trait::async_trait;
use pagoda_policy::Principal;
use pagoda_service::Caller;
use pagoda_service::ports::{Credential, FindCredential, NoCredential};
use zeroize::Zeroizing;

use crate::entity::Entity;
use crate::table::{self, ACCESS_KEYS, USERS, User};
use crate::{Iam, access_key};

#[async_trait]
impl FindCredential for Iam {
    async fn find(&self, id: &str, session_token: Option<&str>) -> Result<Credential, NoCredential> {
        if session_token.is_some() {
            return Err(NoCredential::Unknown);
        }
        if let Some(root) = self.roots.iter().find(|root| root.access_key_id == id) {
            let caller = Caller::root(root.account, Some(id.to_owned()));
            return Ok(Credential { secret: root.secret_access_key.clone(), caller });
        }
        let unavailable = |_| NoCredential::Unavailable;
        let key = ACCESS_KEYS.get(self.store(), &table::access_key(id)).await.map_err(unavailable)?;
        let key = key.map(|stored| stored.record).filter(|key| key.active).ok_or(NoCredential::Unknown)?;
        let user = USERS.get(self.store(), &table::key_in(&USERS, key.account, &key.user)).await;
        let user = user.map_err(unavailable)?.ok_or(NoCredential::Unknown)?.record;
        let opened = self.sealer.open(&access_key::purpose(id), &key.sealed_secret);
        let secret = opened.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let secret = Zeroizing::new(secret.ok_or(NoCredential::Unavailable)?);
        Ok(Credential { secret, caller: caller(&user, &key, id) })
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
