//! `AWS::IAM::ManagedPolicy`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::identity::{ROLE, USER};
use crate::resource::tag::is_marked;
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, document, items, named, property};
use crate::template::Object;

pub(crate) struct ManagedPolicy;

impl ManagedPolicy {
    async fn attach(&self, calls: &Calls<'_>, arn: &str, old: &Object, new: &Object) -> Done<()> {
        for (owner, list) in [(&ROLE, "Roles"), (&USER, "Users")] {
            let (before, after) = (items(old, list), items(new, list));
            for name in after.iter().filter(|name| !before.contains(name)).filter_map(Value::as_str) {
                let input = owner.with(name, "PolicyArn", json!(arn));
                calls.call("iam", &format!("Attach{}Policy", owner.noun), input).await?;
            }
            for name in before.iter().filter(|name| !after.contains(name)).filter_map(Value::as_str) {
                let input = owner.with(name, "PolicyArn", json!(arn));
                calls.gone("iam", &format!("Detach{}Policy", owner.noun), input).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for ManagedPolicy {
    fn name(&self) -> &'static str {
        "AWS::IAM::ManagedPolicy"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"]
    }

    /// A changed document would need a new version of the policy: it is made anew instead.
    fn fixed(&self) -> &'static [&'static str] {
        &["Description", "ManagedPolicyName", "Path", "PolicyDocument"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let path = wanted.properties.get("Path").and_then(Value::as_str).unwrap_or("/");
        let name = named(wanted, "ManagedPolicyName");
        let arn = format!("arn:aws:iam::{}:policy{path}{name}", calls.cx.account);
        let found = calls.find("iam", "GetPolicy", json!({ "PolicyArn": arn })).await?;
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["Policy"]["Tags"]));
        Ok(own.map(|_| arn).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let input = json!({
            "PolicyName": named(wanted, "ManagedPolicyName"),
            "Path": property(properties, "Path"),
            "Description": property(properties, "Description"),
            "PolicyDocument": document(&property(properties, "PolicyDocument")),
            "Tags": property(properties, "Tags"),
        });
        let policy = calls.call("iam", "CreatePolicy", input).await?;
        let arn = policy["Policy"]["Arn"].as_str().unwrap_or_default().to_owned();
        self.attach(calls, &arn, &Object::new(), properties).await?;
        Ok(Created::new(arn.clone(), json!({ "PolicyArn": arn })))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        self.attach(calls, physical, old, wanted.properties).await?;
        Ok(Created::new(physical, json!({ "PolicyArn": physical })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        self.attach(calls, physical, properties, &Object::new()).await?;
        calls.gone("iam", "DeletePolicy", json!({ "PolicyArn": physical })).await
    }
}
