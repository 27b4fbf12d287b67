//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, PARTITION, Region};

/// A parsed ARN. Region and account may be empty, as S3's and IAM's are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    /// `aws`.
    pub partition: String,
    /// The service's namespace, such as `lambda`.
    pub service: String,
    /// The region's name, or nothing for global resources.
    pub region: String,
    /// The owning account, or nothing where the name is globally unique (S3).
    pub account: String,
    /// All that follows, colons and slashes included.
    pub resource: String,
}

/// The text does not have the six parts of an ARN.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not an ARN: arn:partition:service:region:account:resource is")]
pub struct InvalidArn(String);

impl Arn {
    /// A regional resource's ARN.
    pub fn regional(service: &str, region: &Region, account: AccountId, resource: impl Into<String>) -> Self {
        Self::of(service, region.as_str(), account.as_str(), resource.into())
    }

    /// A global resource's ARN that names its account (IAM).
    pub fn global(service: &str, account: AccountId, resource: impl Into<String>) -> Self {
        Self::of(service, "", account.as_str(), resource.into())
    }

    /// An ARN without region and account (S3).
    pub fn bare(service: &str, resource: impl Into<String>) -> Self {
        Self::of(service, "", "", resource.into())
    }

    fn of(service: &str, region: &str, account: &str, resource: String) -> Self {
        Self {
            partition: PARTITION.into(),
            service: service.into(),
            region: region.into(),
            account: account.into(),
            resource,
        }
    }

    /// The owning account, where the ARN names one.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account.parse().ok()
    }
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned).ok_or_else(|| InvalidArn(text.into()));
        let (head, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        if head != "arn" || partition.is_empty() || service.is_empty() || resource.is_empty() {
            return Err(InvalidArn(text.into()));
        }
        Ok(Self { partition, service, region, account, resource })
    }
}

impl TryFrom<String> for Arn {
    type Error = InvalidArn;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.to_string()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_survive_the_round_trip() {
        for text in [
            "arn:aws:lambda:us-east-1:123456789012:function:f:1",
            "arn:aws:s3:::bucket/a/key:with:colons",
            "arn:aws:iam::123456789012:role/service/name",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in ["", "arn", "arn:aws:s3:::", "aws:aws:s3:::b", "arn:aws:s3:us:1"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }
}
