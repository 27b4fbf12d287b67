//! PutBucketNotificationConfiguration GetBucketNotificationConfiguration: which functions are told of which
//! changes.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html>

use pagoda_base::{Arn, ids};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Caller, Context};
use serde::{Deserialize, Serialize};

use crate::generated as g;
use crate::table::Bucket;
use crate::{S3, bucket, error};

/// Who invokes the functions.
pub(crate) const PRINCIPAL: &str = "s3.amazonaws.com";
const RULES_MAX: usize = 100;
/// What happens here; the other events of the model are refused by name.
const EVENTS: [g::Event; 9] = [
    g::Event::S3ObjectCreatedAll,
    g::Event::S3ObjectCreatedPut,
    g::Event::S3ObjectCreatedCopy,
    g::Event::S3ObjectCreatedCompleteMultipartUpload,
    g::Event::S3ObjectRemovedAll,
    g::Event::S3ObjectRemovedDelete,
    g::Event::S3ObjectTaggingAll,
    g::Event::S3ObjectTaggingPut,
    g::Event::S3ObjectTaggingDelete,
];

/// A function that is told of some events of some keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) function: String,
    /// Such as `s3:ObjectCreated:*`.
    pub(crate) events: Vec<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
}

impl Rule {
    /// Whether the function is told of `event`, such as `ObjectCreated:Put`, of a key.
    pub(crate) fn is_for(&self, event: &str, key: &str) -> bool {
        self.events.iter().any(|wanted| covers(wanted, &format!("s3:{event}")))
            && key.starts_with(self.prefix.as_deref().unwrap_or_default())
            && key.ends_with(self.suffix.as_deref().unwrap_or_default())
    }

    /// Whether an event of a key may be for both.
    fn overlaps(&self, other: &Self) -> bool {
        let texts = |of: fn(&Self) -> &Option<String>| {
            [self, other].map(|rule| of(rule).as_deref().unwrap_or_default())
        };
        let [prefix, others_prefix] = texts(|rule| &rule.prefix);
        let [suffix, others_suffix] = texts(|rule| &rule.suffix);
        let common = |event: &String| other.events.iter().any(|one| covers(one, event) || covers(event, one));
        self.events.iter().any(common)
            && (prefix.starts_with(others_prefix) || others_prefix.starts_with(prefix))
            && (suffix.ends_with(others_suffix) || others_suffix.ends_with(suffix))
    }
}

/// Whether an event is the one that is wanted, or one of its family.
fn covers(wanted: &str, event: &str) -> bool {
    wanted == event || wanted.strip_suffix('*').is_some_and(|family| event.starts_with(family))
}

pub(crate) async fn put(
    s3: &S3,
    cx: &Context,
    input: g::PutBucketNotificationConfigurationRequest,
) -> Result<Unit, ApiError> {
    let wanted = input.notification_configuration.lambda_function_configurations.unwrap_or_default();
    let rules = wanted.into_iter().map(|one| rule(s3, one)).collect::<Result<Vec<_>, _>>()?;
    check(&rules)?;
    let owner = input.expected_bucket_owner.as_deref();
    let found = bucket::open(s3, cx, &input.bucket, owner).await?;
    if input.skip_destination_validation != Some(true) {
        for rule in &rules {
            check_function(s3, cx, &found, &rule.function).await?;
        }
    }
    bucket::change(s3, cx, &input.bucket, owner, |bucket| {
        bucket.notifications.clone_from(&rules);
        Ok(Unit)
    })
    .await
}

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketNotificationConfigurationRequest,
) -> Result<g::NotificationConfiguration, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let rules: Vec<_> = bucket.notifications.iter().map(described).collect();
    let rules = Some(rules).filter(|rules| !rules.is_empty());
    Ok(g::NotificationConfiguration { lambda_function_configurations: rules })
}

/// S3 at work for the owner of a bucket.
pub(crate) fn as_service(cx: &Context, bucket: &Bucket) -> Context {
    Context {
        account: bucket.account,
        region: bucket.region.clone(),
        ..cx.on_behalf(Caller::service(PRINCIPAL), PRINCIPAL)
    }
}

fn rule(s3: &S3, wanted: g::LambdaFunctionConfiguration) -> Result<Rule, ApiError> {
    let id = wanted.id.filter(|id| !id.is_empty());
    if let Some(other) = wanted.events.iter().find(|event| !EVENTS.contains(event)) {
        return Err(ApiError::not_implemented(
            "PutBucketNotificationConfiguration",
            &format!("Event={}", other.as_str()),
        ));
    }
    if wanted.events.is_empty() {
        return Err(error::malformed_xml());
    }
    let mut rule = Rule {
        id: id.unwrap_or_else(|| ids::uuid(&*s3.random)),
        function: wanted.lambda_function_arn,
        events: wanted.events.iter().map(|event| event.as_str().to_owned()).collect(),
        prefix: None,
        suffix: None,
    };
    for filter in
        wanted.filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).into_iter().flatten()
    {
        let name = filter.name.unwrap_or_default().to_lowercase();
        let place = match name.as_str() {
            "prefix" => &mut rule.prefix,
            "suffix" => &mut rule.suffix,
            _ => {
                let message = "filter rule name must be either prefix or suffix";
                return Err(error::invalid_argument("FilterRule.Name", &name, message));
            }
        };
        if place.replace(filter.value.unwrap_or_default()).is_some() {
            let message = format!("Cannot specify more than one {name} rule in a filter.");
            return Err(error::invalid_argument("FilterRule.Name", &name, &message));
        }
    }
    Ok(rule)
}

/// Refuses rules that contradict each other.
fn check(rules: &[Rule]) -> Result<(), ApiError> {
    if rules.len() > RULES_MAX {
        let message = format!("A bucket can have at most {RULES_MAX} notification configurations");
        return Err(error::invalid_argument(
            "CloudFunctionConfiguration",
            &rules.len().to_string(),
            &message,
        ));
    }
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].iter().any(|other| other.id == rule.id) {
            let message = "The same ID is used for multiple configurations. Configuration IDs must be unique";
            return Err(error::invalid_argument("Id", &rule.id, message));
        }
        if let Some(other) = rules[..at].iter().find(|other| other.overlaps(rule)) {
            let filtered = [rule, other].iter().any(|rule| rule.prefix.is_some() || rule.suffix.is_some());
            let message = match filtered {
                true => {
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the \
                     prefixes are overlapping for the same event type."
                }
                false => {
                    "Configuration is ambiguously defined. Configurations on the same bucket cannot share a common \
                     event type."
                }
            };
            return Err(error::invalid_argument("CloudFunctionConfiguration", &rule.id, message));
        }
    }
    Ok(())
}

/// Refuses a function that is not there, or does not let S3 invoke it for the bucket.
async fn check_function(s3: &S3, cx: &Context, bucket: &Bucket, function: &str) -> Result<(), ApiError> {
    let unable = |why: &str| {
        let message = "Unable to validate the following destination configurations";
        ApiError::new("InvalidArgument", 400, message)
            .with_field("ArgumentName1", format!("{function}, null"))
            .with_field("ArgumentValue1", why)
    };
    let arn: Option<Arn> = function.parse().ok().filter(|arn: &Arn| arn.service == "lambda");
    let Some(arn) = arn else {
        return Err(error::invalid_argument("CloudFunction", function, "The ARN is not well formed"));
    };
    if arn.region != bucket.region.as_str() {
        return Err(unable(
            "The notification destination service region is not valid for the bucket location constraint",
        ));
    }
    let functions =
        s3.functions.get().ok_or_else(|| unable("The destination Lambda function does not exist"))?;
    match functions.check.check(&as_service(cx, bucket), function, &bucket.arn()).await {
        Err(error) if error.status.is_server_error() => Err(error),
        Err(_) => Err(unable(&format!("Not authorized to invoke function [{function}]"))),
        Ok(()) => Ok(()),
    }
}

fn described(rule: &Rule) -> g::LambdaFunctionConfiguration {
    let filter = |name: &str, value: &Option<String>| {
        let (name, value) = (Some(name.to_owned()), Some(value.clone()?));
        Some(g::FilterRule { name, value })
    };
    let rules = [filter("Prefix", &rule.prefix), filter("Suffix", &rule.suffix)];
    let rules: Vec<_> = rules.into_iter().flatten().collect();
    let key = g::S3KeyFilter { filter_rules: Some(rules) };
    g::LambdaFunctionConfiguration {
        id: Some(rule.id.clone()),
        lambda_function_arn: rule.function.clone(),
        events: rule.events.iter().filter_map(|event| event.parse().ok()).collect(),
        filter: key
            .filter_rules
            .as_ref()
            .is_some_and(|rules| !rules.is_empty())
            .then(|| g::NotificationConfigurationFilter { key: Some(key.clone()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: &[&str], prefix: &str, suffix: &str) -> Rule {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let events = events.iter().map(|event| (*event).to_owned()).collect();
        Rule {
            id: String::new(),
            function: String::new(),
            events,
            prefix: text(prefix),
            suffix: text(suffix),
        }
    }

    #[test]
    fn rules_are_for_their_events_and_keys() {
        let rule = of(&["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"], "in/", ".png");
        let rows = [
            ("ObjectCreated:Put", "in/a.png", true),
            ("ObjectCreated:Copy", "in/.png", true),
            ("ObjectRemoved:Delete", "in/a.png", true),
            ("ObjectTagging:Put", "in/a.png", false),
            ("ObjectCreated:Put", "out/a.png", false),
            ("ObjectCreated:Put", "in/a.jpg", false),
        ];
        for (event, key, expected) in rows {
            assert_eq!(rule.is_for(event, key), expected, "{event} {key}");
        }
    }

    #[test]
    fn overlaps_are_found() {
        let (all, put, delete) = ("s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectRemoved:*");
        let rows = [
            (of(&[all], "", ""), of(&[put], "", ""), true),
            (of(&[all], "", ""), of(&[delete], "", ""), false),
            (of(&[all], "a/", ""), of(&[put], "b/", ""), false),
            (of(&[all], "a/", ""), of(&[put], "a/b/", ""), true),
            (of(&[all], "", ".jpg"), of(&[put], "", ".png"), false),
            (of(&[all], "a/", ".jpg"), of(&[all], "a/", ".png"), false),
            (of(&[all], "", "g"), of(&[all], "a", ".jpg"), true),
            (of(&[put, delete], "", ""), of(&[delete], "", ""), true),
        ];
        for (one, other, expected) in rows {
            assert_eq!(one.overlaps(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), expected, "{other:?} {one:?}");
        }
    }
}
