//! What a request wants to do to what: the question that is put to the policies.

use std::borrow::Cow;

use pagoda_base::AccountId;
use pagoda_policy::{Keys, Named};

use crate::is_reserved_tag;

/// One permission that a request needs.
#[derive(Debug, Clone)]
pub struct Access {
    /// The action, such as `s3:GetObject`.
    pub action: Cow<'static, str>,
    /// The resource's ARN, or `*` where the action has none.
    pub resource: String,
    /// The condition keys that belong to this action.
    pub keys: Keys,
}

impl Access {
    /// Permission for `action` on `resource`.
    pub fn new(action: impl Into<Cow<'static, str>>, resource: impl ToString) -> Self {
        Self { action: action.into(), resource: resource.to_string(), keys: Keys::new() }
    }

    /// Permission for an action that names no resource.
    pub fn everywhere(action: impl Into<Cow<'static, str>>) -> Self {
        Self::new(action, "*")
    }

    /// Adds a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.keys.set(key, value);
        self
    }

    /// Adds a condition key where there is a value for it.
    #[must_use]
    pub fn with_some(mut self, key: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.keys.set(key, value);
        }
        self
    }

    /// Adds the keys of tags that the request sets: `aws:RequestTag/…` and `aws:TagKeys`. Reserved tags are
    /// not the caller's doing, so no policy sees them.
    #[must_use]
    pub fn with_tags<'a>(mut self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut names = Vec::new();
        for (name, value) in tags.into_iter().filter(|(name, _)| !is_reserved_tag(name)) {
            self.keys.set(&format!("aws:RequestTag/{name}"), value);
            names.push(name.to_owned());
        }
        self.keys.set_all("aws:TagKeys", names);
        self
    }
}

/// Who owns a resource, and the policy on it.
#[derive(Debug, Clone)]
pub struct Ownership {
    /// The owning account.
    pub owner: AccountId,
    /// The resource's policy, if it has one.
    pub policy: Option<Named>,
    /// Whether that policy must itself allow, even within the account.
    pub must_allow: bool,
    /// The resource's full ARN, where the request named only a part of it.
    pub resource: Option<String>,
}

impl Ownership {
    /// A resource of `owner` without a policy of its own.
    pub fn of(owner: AccountId) -> Self {
        Self { owner, policy: None, must_allow: false, resource: None }
    }
}
