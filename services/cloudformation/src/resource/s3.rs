//! `AWS::S3::Bucket` and `AWS::S3::BucketPolicy`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Calls, Created, Done, Failure, Kind, Wanted, document, named, property, required};
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
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "WebsiteConfiguration",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["BucketName"]
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        // Bucket names have no capitals.
        let name = named(wanted, "BucketName").to_ascii_lowercase();
        let region = calls.cx.region.as_str();
        // Making one's own bucket again is no error for S3, but it would be somebody else's resource here.
        if calls.call("s3", "HeadBucket", json!({ "Bucket": name })).await.is_ok() {
            return Err(Failure(format!("{name} already exists")));
        }
        let location = match region {
            "us-east-1" => Value::Null,
            region => json!({ "LocationConstraint": region }),
        };
        calls
            .call("s3", "CreateBucket", json!({ "Bucket": name, "CreateBucketConfiguration": location }))
            .await?;
        if let Err(failure) = configure(calls, &name, &Object::new(), wanted.properties).await {
            self.delete(calls, &name, wanted.properties).await?;
            return Err(failure);
        }
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

/// The properties that have operations of their own: the operation's name, and its input's member.
const CONFIGURATIONS: [(&str, &str, &str); 5] = [
    ("PublicAccessBlockConfiguration", "PublicAccessBlock", "PublicAccessBlockConfiguration"),
    ("OwnershipControls", "BucketOwnershipControls", "OwnershipControls"),
    ("CorsConfiguration", "BucketCors", "CORSConfiguration"),
    ("WebsiteConfiguration", "BucketWebsite", "WebsiteConfiguration"),
    ("Tags", "BucketTagging", "Tagging"),
];

async fn configure(calls: &Calls<'_>, bucket: &str, old: &Object, new: &Object) -> Done<()> {
    for (name, operation, member) in CONFIGURATIONS {
        match (old.get(name), new.get(name)) {
            (old, Some(value)) if old != Some(value) => {
                let input = json!({ "Bucket": bucket, member: translated(name, value) });
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
