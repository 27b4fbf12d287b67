//! Who asks, and how the `Principal` element of a policy names them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use pagoda_base::{AccountId, Arn};
use serde_json::Value;

use crate::document::Malformed;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular: the request carries no credentials.
    Anonymous,
    /// The account itself, with its root key.
    Root(AccountId),
    /// An IAM user.
    User {
        /// The owning account.
        account: AccountId,
        /// `arn:aws:iam::…:user/…`.
        arn: String,
    },
    /// A session of a role.
    Session {
        /// The role's account.
        account: AccountId,
        /// `arn:aws:iam::…:role/…`.
        role_arn: String,
        /// `arn:aws:sts::…:assumed-role/…/…`.
        session_arn: String,
    },
    /// A service of the platform, such as `apigateway.amazonaws.com`.
    Service(String),
}

impl Principal {
    /// The account the principal belongs to; anonymous callers and services belong to none.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Root(account) | Self::User { account, .. } | Self::Session { account, .. } => {
                Some(*account)
            }
            Self::Anonymous | Self::Service(_) => None,
        }
    }
}

/// How closely a `Principal` element names somebody; later is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// By the account, which only delegates the decision to the account's own policies.
    Account,
    /// By `*`.
    Everyone,
    /// By the role behind the session.
    Role,
    /// By name: the user, the session or the service itself.
    Itself,
}

/// One entry of a `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Everyone,
    Account(AccountId),
    Arn(String),
    Service(String),
    /// A federated provider or canonical user: valid, but nobody who calls Pagoda so far has that form.
    Other,
}

impl Named {
    fn closeness(&self, principal: &Principal) -> Option<Closeness> {
        match (self, principal) {
            (Self::Everyone, Principal::Service(_)) => None,
            (Self::Everyone, _) => Some(Closeness::Everyone),
            (Self::Account(named), Principal::Root(account)) if named == account => Some(Closeness::Itself),
            (Self::Account(named), _) if principal.account() == Some(*named) => Some(Closeness::Account),
            (Self::Arn(named), Principal::User { arn, .. }) if named == arn => Some(Closeness::Itself),
            (Self::Arn(named), Principal::Session { session_arn, .. }) if named == session_arn => {
                Some(Closeness::Itself)
            }
            (Self::Arn(named), Principal::Session { role_arn, .. }) if named == role_arn => {
                Some(Closeness::Role)
            }
            (Self::Service(named), Principal::Service(name)) if named == name => Some(Closeness::Itself),
            _ => None,
        }
    }
}

/// The closest way in which any of `entries` names the principal.
pub(crate) fn closest(entries: &[Named], principal: &Principal) -> Option<Closeness> {
    entries.iter().filter_map(|entry| entry.closeness(principal)).max()
}

/// Reads a `Principal` or `NotPrincipal` element.
pub(crate) fn parse(element: &Value) -> Result<Vec<Named>, Malformed> {
    match element {
        Value::String(text) if text == "*" => Ok(vec![Named::Everyone]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let mut entries = Vec::new();
            for (kind, names) in kinds {
                for name in names_in(names)? {
                    entries.push(entry(kind, name)?);
                }
            }
            Ok(entries)
        }
        _ => Err(Malformed::new("Invalid principal in policy")),
    }
}

fn names_in(value: &Value) -> Result<Vec<&str>, Malformed> {
    let invalid = || Malformed::new("Invalid principal in policy");
    match value {
        Value::String(name) => Ok(vec![name]),
        Value::Array(names) if !names.is_empty() => {
            names.iter().map(|name| name.as_str().ok_or_else(invalid)).collect()
        }
        _ => Err(invalid()),
    }
}

fn entry(kind: &str, name: &str) -> Result<Named, Malformed> {
    let invalid = || Malformed::new(format!("Invalid principal in policy: \"{kind}\":\"{name}\""));
    match kind {
        "AWS" if name == "*" => Ok(Named::Everyone),
        "AWS" => aws_entry(name).ok_or_else(invalid),
        "Service" if is_service_name(name) => Ok(Named::Service(name.to_owned())),
        "Federated" | "CanonicalUser" if !name.is_empty() => Ok(Named::Other),
        _ => Err(invalid()),
    }
}

fn aws_entry(name: &str) -> Option<Named> {
    if let Ok(account) = name.parse() {
        return Some(Named::Account(account));
    }
    let arn: Arn = name.parse().ok()?;
    let account = arn.account_id()?;
    match (arn.service.as_str(), arn.resource.as_str()) {
        ("iam", "root") => Some(Named::Account(account)),
        ("iam", resource) if resource.starts_with("user/") || resource.starts_with("role/") => exact(name),
        ("sts", resource) if resource.starts_with("assumed-role/") => exact(name),
        ("sts", resource) if resource.starts_with("federated-user/") => Some(Named::Other),
        _ => None,
    }
}

/// A principal cannot be named with wildcards.
fn exact(name: &str) -> Option<Named> {
    (!name.contains(['*', '?'])).then(|| Named::Arn(name.to_owned()))
}

fn is_service_name(name: &str) -> bool {
    name.ends_with(".amazonaws.com") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}
