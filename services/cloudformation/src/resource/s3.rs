//! `AWS::S3::Bucket` and `AWS::S3::BucketPolicy`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::tag::is_marked;
use super::{Calls, Created, Done, Failure, Kind, RESERVED, Wanted, document, named, property, required};
use crate::template::Object;

pub(crate) struct Bucket;

#[async_trait]
impl Kind for Bucket {
    fn name(&self) -> &'static str {
        "AWS::S3::Bucket"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "BucketName",
            "CorsConfiguration",
            "NotificationConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "WebsiteConfiguration",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["BucketName"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = bucket_name(wanted);
        let found = match calls.call("s3", "GetBucketTagging", json!({ "Bucket": name })).await {
            // A name that the template got wrong, or that belongs to somebody else: nothing of ours.
            Err(error) if error.status.is_client_error() => None,
            found => Some(found?),
        };
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["TagSet"]));
        Ok(own.map(|_| name).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = bucket_name(wanted);
        let region = calls.cx.region.as_str();
        // Making one's own bucket again is no error for S3, but it would be somebody else's resource here.
        if calls.call("s3", "HeadBucket", json!({ "Bucket": name })).await.is_ok() {
            return Err(Failure(format!("{name} already exists")));
        }
        let location = (region != "us-east-1").then_some(region);
        let tags = property(wanted.properties, "Tags");
        let configuration = json!({ "LocationConstraint": location, "Tags": tags });
        let input = json!({ "Bucket": name, "CreateBucketConfiguration": configuration });
        calls.call("s3", "CreateBucket", input).await?;
        // Tags are there from the first moment: by them the bucket is known.
        let made = wanted.properties.get_key_value("Tags").map(|(key, tags)| (key.clone(), tags.clone()));
        configure(calls, &name, &made.into_iter().collect(), wanted.properties).await?;
        Ok(created(calls, &name))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        configure(calls, physical, old, wanted.properties).await?;
        Ok(created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("s3", "DeleteBucket", json!({ "Bucket": physical })).await
    }
}

/// Bucket names have no capitals.
fn bucket_name(wanted: &Wanted<'_>) -> String {
    named(wanted, "BucketName").to_ascii_lowercase()
}

/// The properties that have operations of their own: the operation's name, and its input's member.
const CONFIGURATIONS: [(&str, &str, &str); 6] = [
    ("PublicAccessBlockConfiguration", "PublicAccessBlock", "PublicAccessBlockConfiguration"),
    ("OwnershipControls", "BucketOwnershipControls", "OwnershipControls"),
    ("CorsConfiguration", "BucketCors", "CORSConfiguration"),
    ("WebsiteConfiguration", "BucketWebsite", "WebsiteConfiguration"),
    ("Tags", "BucketTagging", "Tagging"),
    ("NotificationConfiguration", "BucketNotificationConfiguration", "NotificationConfiguration"),
];

async fn configure(calls: &Calls<'_>, bucket: &str, old: &Object, new: &Object) -> Done<()> {
    for (name, operation, member) in CONFIGURATIONS {
        match (old.get(name), new.get(name)) {
            (old, Some(value)) if old != Some(value) => {
                let input = json!({ "Bucket": bucket, member: translated(name, value) });
                calls.call("s3", &format!("Put{operation}"), input).await?;
            }
            (Some(_), None) if name == "NotificationConfiguration" => {
                let input = json!({ "Bucket": bucket, member: {} });
                calls.call("s3", &format!("Put{operation}"), input).await?;
            }
            (Some(_), None) => {
                calls.call("s3", &format!("Delete{operation}"), json!({ "Bucket": bucket })).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A property in the words of its operation.
fn translated(name: &str, value: &Value) -> Value {
    match name {
        "Tags" => json!({ "TagSet": value }),
        "NotificationConfiguration" => notifications(value),
        "WebsiteConfiguration" => {
            let redirect_rule = |rule: &Value| json!({ "Condition": property_of(rule, "RoutingRuleCondition"), "Redirect": property_of(rule, "RedirectRule") });
            let mut website = json!({
                "IndexDocument": value.get("IndexDocument").map(|suffix| json!({ "Suffix": suffix })),
                "ErrorDocument": value.get("ErrorDocument").map(|key| json!({ "Key": key })),
                "RedirectAllRequestsTo": property_of(value, "RedirectAllRequestsTo"),
            });
            if let Some(rules) = value.get("RoutingRules").and_then(Value::as_array) {
                website["RoutingRules"] = rules.iter().map(redirect_rule).collect();
            }
            website
        }
        "CorsConfiguration" => {
            let rule = |rule: &Value| {
                json!({
                    "ID": property_of(rule, "Id"),
                    "AllowedHeaders": property_of(rule, "AllowedHeaders"),
                    "AllowedMethods": property_of(rule, "AllowedMethods"),
                    "AllowedOrigins": property_of(rule, "AllowedOrigins"),
                    "ExposeHeaders": property_of(rule, "ExposedHeaders"),
                    "MaxAgeSeconds": property_of(rule, "MaxAge"),
                })
            };
            let rules = value.get("CorsRules").and_then(Value::as_array).into_iter().flatten();
            json!({ "CORSRules": rules.map(rule).map(super::without_nulls).collect::<Vec<_>>() })
        }
        _ => value.clone(),
    }
}

/// Each property has one event; what goes elsewhere than to functions is the operation's to refuse.
fn notifications(value: &Value) -> Value {
    let one = |wanted: &Value| {
        let rules = wanted.pointer("/Filter/S3Key/Rules");
        json!({
            "LambdaFunctionArn": property_of(wanted, "Function"),
            "Events": [property_of(wanted, "Event")],
            "Filter": rules.map(|rules| json!({ "Key": { "FilterRules": rules } })),
        })
    };
    let all = value.get("LambdaConfigurations").and_then(Value::as_array).into_iter().flatten();
    let mut wanted =
        json!({ "LambdaFunctionConfigurations": all.map(one).map(super::without_nulls).collect::<Vec<_>>() });
    for other in ["EventBridgeConfiguration", "QueueConfigurations", "TopicConfigurations"] {
        if let Some(value) = value.get(other) {
            wanted[other] = value.clone();
        }
    }
    wanted
}

fn property_of(value: &Value, name: &str) -> Value {
    value.get(name).cloned().unwrap_or(Value::Null)
}

fn created(calls: &Calls<'_>, name: &str) -> Created {
    let (region, suffix) = (&calls.cx.region, calls.suffix);
    let attributes = json!({
        "Arn": format!("arn:aws:s3:::{name}"),
        "DomainName": format!("{name}.s3.{suffix}"),
        "RegionalDomainName": format!("{name}.s3.{region}.{suffix}"),
        "WebsiteURL": format!("https://{name}.s3-website.{region}.{suffix}"),
    });
    Created::new(name, attributes)
}

pub(crate) struct BucketPolicy;

#[async_trait]
impl Kind for BucketPolicy {
    fn name(&self) -> &'static str {
        "AWS::S3::BucketPolicy"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Bucket", "PolicyDocument"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Bucket"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let bucket = required(wanted.properties, "Bucket")?;
        let found = calls.find("s3", "GetBucketPolicy", json!({ "Bucket": bucket })).await?;
        Ok(found.map(|_| bucket.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let bucket = required(wanted.properties, "Bucket")?;
        let policy = document(&property(wanted.properties, "PolicyDocument"));
        calls.call("s3", "PutBucketPolicy", json!({ "Bucket": bucket, "Policy": policy })).await?;
        Ok(Created::new(bucket, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        _physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        self.create(calls, wanted).await
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("s3", "DeleteBucketPolicy", json!({ "Bucket": physical })).await
    }
}
