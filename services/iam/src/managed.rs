//! The AWS-managed policies that templates and tutorials name, with their published content.
//!
//! Source: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

use pagoda_base::Timestamp;

use crate::generated as g;
use crate::policy;

/// A policy that AWS maintains.
pub(crate) struct AwsManaged {
    /// `/` or `/service-role/`.
    path: &'static str,
    name: &'static str,
    pub(crate) document: &'static str,
}

macro_rules! managed {
    ($($path:literal $name:literal),* $(,)?) => {
        &[$(AwsManaged {
            path: $path,
            name: $name,
            document: include_str!(concat!("managed/", $name, ".json")),
        }),*]
    };
}

static ALL: &[AwsManaged] = managed!(
    "/" "AdministratorAccess",
    "/" "AmazonAPIGatewayAdministrator",
    "/" "AmazonAPIGatewayInvokeFullAccess",
    "/" "AmazonDynamoDBFullAccess",
    "/" "AmazonDynamoDBReadOnlyAccess",
    "/" "AmazonS3FullAccess",
    "/" "AmazonS3ReadOnlyAccess",
    "/" "AWSLambdaExecute",
    "/" "AWSXRayDaemonWriteAccess",
    "/" "AWSXrayWriteOnlyAccess",
    "/" "AWSLambda_FullAccess",
    "/" "AWSLambda_ReadOnlyAccess",
    "/" "CloudWatchLogsFullAccess",
    "/" "CloudWatchLogsReadOnlyAccess",
    "/" "IAMFullAccess",
    "/" "PowerUserAccess",
    "/service-role/" "AmazonAPIGatewayPushToCloudWatchLogs",
    "/service-role/" "AWSLambdaBasicExecutionRole",
    "/service-role/" "AWSLambdaDynamoDBExecutionRole",
    "/service-role/" "AWSLambdaKinesisExecutionRole",
    "/service-role/" "AWSLambdaRole",
    "/service-role/" "AWSLambdaSQSQueueExecutionRole",
    "/service-role/" "AWSLambdaVPCAccessExecutionRole",
);

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static AwsManaged> {
    ALL.iter()
}

/// The one with this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsManaged> {
    let rest = arn.strip_prefix("arn:aws:iam::aws:policy")?;
    ALL.iter().find(|policy| rest.strip_prefix(policy.path) == Some(policy.name))
}

impl AwsManaged {
    fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy{}{}", self.path, self.name)
    }

    pub(crate) fn describe(&self) -> g::Policy {
        g::Policy {
            policy_name: Some(self.name.to_owned()),
            policy_id: Some(self.id()),
            arn: Some(self.arn()),
            path: Some(self.path.to_owned()),
            default_version_id: Some("v1".to_owned()),
            attachment_count: Some(0),
            is_attachable: Some(true),
            create_date: Some(published()),
            update_date: Some(published()),
            ..Default::default()
        }
    }

    pub(crate) fn describe_version(&self) -> g::PolicyVersion {
        g::PolicyVersion {
            document: Some(policy::on_the_wire(self.document)),
            version_id: Some("v1".to_owned()),
            is_default_version: Some(true),
            create_date: Some(published()),
        }
    }

    /// A unique id that is always the same: drawn from the name (FNV-1a).
    fn id(&self) -> String {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = self.name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        format!("ANPA{hash:016X}")
    }
}

fn published() -> Timestamp {
    "2015-04-09T15:03:43Z".parse().expect("a literal timestamp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pagoda_policy::Kind;

    #[test]
    fn every_document_is_valid() {
        for managed in all() {
            assert!(
                policy::compile(managed.name, managed.document, Kind::Identity).is_ok(),
                "{}",
                managed.name
            );
            assert!(std::ptr::eq(find(&managed.arn()).unwrap(), managed));
        }
    }
}
