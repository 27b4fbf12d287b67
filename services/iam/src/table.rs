//! The records that IAM keeps, and their keys.

use std::collections::BTreeMap;

use pagoda_base::{AccountId, Arn, Timestamp};
use pagoda_store::{Key, Record, Space, Table};
use serde::{Deserialize, Serialize};

/// A user or a role with all that policies say of it: one record, so that a change is one commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Inline policies by name.
    pub(crate) inline: BTreeMap<String, String>,
    /// ARNs of managed policies, in the order of attachment.
    pub(crate) attached: Vec<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) identity: Identity,
    /// Its access keys, at most two.
    pub(crate) keys: Vec<String>,
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) identity: Identity,
    pub(crate) trust: String,
    pub(crate) description: Option<String>,
    pub(crate) max_session_duration_seconds: i32,
}

/// An access key: found by its id alone, whatever the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) account: AccountId,
    pub(crate) user: String,
    pub(crate) sealed_secret: Vec<u8>,
    pub(crate) active: bool,
    pub(crate) created: Timestamp,
}

/// A customer-managed policy with its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) versions: Vec<Version>,
    pub(crate) default_version: u32,
    pub(crate) next_version: u32,
    pub(crate) attachments: i32,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) number: u32,
    pub(crate) document: String,
    pub(crate) created: Timestamp,
}

pub(crate) const USERS: Table<User> = Table::new(Space::Meta);
pub(crate) const ROLES: Table<Role> = Table::new(Space::Meta);
pub(crate) const ACCESS_KEYS: Table<AccessKey> = Table::new(Space::Meta);
pub(crate) const POLICIES: Table<Policy> = Table::new(Space::Meta);

impl Record for User {
    const KIND: &str = "iam.user";
    const VERSION: u8 = 1;
}

impl Record for Role {
    const KIND: &str = "iam.role";
    const VERSION: u8 = 1;
}

impl Record for AccessKey {
    const KIND: &str = "iam.access-key";
    const VERSION: u8 = 1;
}

impl Record for Policy {
    const KIND: &str = "iam.policy";
    const VERSION: u8 = 1;
}

/// The key of a named entity. Names are unique without regard to case.
pub(crate) fn key_in<R: Record>(table: &Table<R>, account: AccountId, name: &str) -> Key {
    table.key().text(account.as_str()).text(&name.to_ascii_lowercase()).done()
}

/// The prefix of all entities of an account.
pub(crate) fn all_in<R: Record>(table: &Table<R>, account: AccountId) -> Key {
    table.key().text(account.as_str()).done()
}

/// The key of an access key.
pub(crate) fn access_key(id: &str) -> Key {
    ACCESS_KEYS.key().text(id).done()
}

impl Identity {
    /// `arn:aws:iam::{account}:{kind}{path}{name}`.
    pub(crate) fn arn(&self, account: AccountId, kind: &str) -> String {
        Arn::global("iam", account, format!("{kind}{}{}", self.path, self.name)).to_string()
    }
}

impl Policy {
    pub(crate) fn arn(&self, account: AccountId) -> String {
        Arn::global("iam", account, format!("policy{}{}", self.path, self.name)).to_string()
    }

    pub(crate) fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }
}
