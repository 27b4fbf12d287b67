//! `AWS::IAM::Role`, `Policy`, `ManagedPolicy`, `User` and `AccessKey`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Calls, Created, Done, Failure, Kind, Wanted, document, items, named, property, required};
use crate::template::Object;

pub(crate) struct Role;
pub(crate) struct User;

/// A user or a role: what both have, and in what they differ.
struct Owner {
    /// `Role` or `User`, in operations and inputs.
    noun: &'static str,
}

const ROLE: Owner = Owner { noun: "Role" };
const USER: Owner = Owner { noun: "User" };

impl Owner {
    fn name_of(&self, name: &str) -> Value {
        let mut input = json!({});
        input[format!("{}Name", self.noun)] = json!(name);
        input
    }

    fn with(&self, name: &str, member: &str, value: Value) -> Value {
        let mut input = self.name_of(name);
        input[member] = value;
        input
    }

    /// Moves inline and managed policies from `old` to `new`.
    async fn policies(&self, calls: &Calls<'_>, name: &str, old: &Object, new: &Object) -> Done<()> {
        let policy_name = |policy: &Value| policy.get("PolicyName").cloned().unwrap_or_default();
        for policy in items(new, "Policies") {
            if !items(old, "Policies").contains(policy) {
                let mut input = self.with(name, "PolicyName", policy_name(policy));
                input["PolicyDocument"] = document(policy.get("PolicyDocument").unwrap_or(&Value::Null));
                calls.call("iam", &format!("Put{}Policy", self.noun), input).await?;
            }
        }
        let kept: Vec<Value> = items(new, "Policies").iter().map(policy_name).collect();
        for policy in items(old, "Policies").iter().map(policy_name).filter(|name| !kept.contains(name)) {
            let input = self.with(name, "PolicyName", policy);
            calls.gone("iam", &format!("Delete{}Policy", self.noun), input).await?;
        }
        let (before, after) = (items(old, "ManagedPolicyArns"), items(new, "ManagedPolicyArns"));
        for arn in after.iter().filter(|arn| !before.contains(arn)) {
            calls
                .call("iam", &format!("Attach{}Policy", self.noun), self.with(name, "PolicyArn", arn.clone()))
                .await?;
        }
        for arn in before.iter().filter(|arn| !after.contains(arn)) {
            calls
                .gone("iam", &format!("Detach{}Policy", self.noun), self.with(name, "PolicyArn", arn.clone()))
                .await?;
        }
        Ok(())
    }

    async fn tags(&self, calls: &Calls<'_>, name: &str, old: &Object, new: &Object) -> Done<()> {
        let key = |tag: &Value| tag.get("Key").cloned().unwrap_or_default();
        let kept: Vec<Value> = items(new, "Tags").iter().map(key).collect();
        let removed: Vec<Value> =
            items(old, "Tags").iter().map(key).filter(|key| !kept.contains(key)).collect();
        if !removed.is_empty() {
            let input = self.with(name, "TagKeys", json!(removed));
            calls.call("iam", &format!("Untag{}", self.noun), input).await?;
        }
        if !kept.is_empty() && items(old, "Tags") != items(new, "Tags") {
            let input = self.with(name, "Tags", property(new, "Tags"));
            calls.call("iam", &format!("Tag{}", self.noun), input).await?;
        }
        Ok(())
    }

    async fn delete(&self, calls: &Calls<'_>, name: &str, properties: &Object) -> Done<()> {
        self.policies(calls, name, properties, &Object::new()).await?;
        calls.gone("iam", &format!("Delete{}", self.noun), self.name_of(name)).await
    }
}

#[async_trait]
impl Kind for Role {
    fn name(&self) -> &'static str {
        "AWS::IAM::Role"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Path", "PermissionsBoundary", "RoleName"]
    }

    fn name_property(&self) -> Option<&'static str> {
        Some("RoleName")
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let (name, properties) = (named(wanted, "RoleName"), wanted.properties);
        let input = json!({
            "RoleName": name,
            "AssumeRolePolicyDocument": document(&property(properties, "AssumeRolePolicyDocument")),
            "Path": property(properties, "Path"),
            "Description": property(properties, "Description"),
            "MaxSessionDuration": property(properties, "MaxSessionDuration"),
            "PermissionsBoundary": property(properties, "PermissionsBoundary"),
            "Tags": property(properties, "Tags"),
        });
        let role = calls.call("iam", "CreateRole", input).await?;
        if let Err(failure) = ROLE.policies(calls, &name, &Object::new(), properties).await {
            ROLE.delete(calls, &name, properties).await?;
            return Err(failure);
        }
        Ok(of_role(name, &role))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let trust = document(&property(new, "AssumeRolePolicyDocument"));
        let input = json!({ "RoleName": physical, "PolicyDocument": trust });
        calls.call("iam", "UpdateAssumeRolePolicy", input).await?;
        let input = json!({
            "RoleName": physical,
            "Description": property(new, "Description"),
            "MaxSessionDuration": property(new, "MaxSessionDuration"),
        });
        calls.call("iam", "UpdateRole", input).await?;
        ROLE.policies(calls, physical, old, new).await?;
        ROLE.tags(calls, physical, old, new).await?;
        let role = calls.call("iam", "GetRole", json!({ "RoleName": physical })).await?;
        Ok(of_role(physical.to_owned(), &role))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        ROLE.delete(calls, physical, properties).await
    }
}

fn of_role(name: String, answer: &Value) -> Created {
    Created::new(name, json!({ "Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"] }))
}

#[async_trait]
impl Kind for User {
    fn name(&self) -> &'static str {
        "AWS::IAM::User"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["ManagedPolicyArns", "Path", "PermissionsBoundary", "Policies", "Tags", "UserName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Path", "PermissionsBoundary", "UserName"]
    }

    fn name_property(&self) -> Option<&'static str> {
        Some("UserName")
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let (name, properties) = (named(wanted, "UserName"), wanted.properties);
        let input = json!({
            "UserName": name,
            "Path": property(properties, "Path"),
            "PermissionsBoundary": property(properties, "PermissionsBoundary"),
            "Tags": property(properties, "Tags"),
        });
        let user = calls.call("iam", "CreateUser", input).await?;
        if let Err(failure) = USER.policies(calls, &name, &Object::new(), properties).await {
            USER.delete(calls, &name, properties).await?;
            return Err(failure);
        }
        Ok(Created::new(name, json!({ "Arn": user["User"]["Arn"] })))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        USER.policies(calls, physical, old, wanted.properties).await?;
        USER.tags(calls, physical, old, wanted.properties).await?;
        let user = calls.call("iam", "GetUser", json!({ "UserName": physical })).await?;
        Ok(Created::new(physical, json!({ "Arn": user["User"]["Arn"] })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        USER.delete(calls, physical, properties).await
    }
}

/// An inline policy of roles and users that stand elsewhere in the template.
pub(crate) struct Policy;

impl Policy {
    async fn each(&self, calls: &Calls<'_>, verb: &str, properties: &Object, policy: Value) -> Done<()> {
        for (owner, list) in [(&ROLE, "Roles"), (&USER, "Users")] {
            for name in items(properties, list).iter().filter_map(Value::as_str) {
                let mut input = owner.with(name, "PolicyName", property(properties, "PolicyName"));
                let operation = format!("{verb}{}Policy", owner.noun);
                if policy.is_null() {
                    calls.gone("iam", &operation, input).await?;
                } else {
                    input["PolicyDocument"] = policy.clone();
                    calls.call("iam", &operation, input).await?;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Policy {
    fn name(&self) -> &'static str {
        "AWS::IAM::Policy"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["PolicyDocument", "PolicyName", "Roles", "Users"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["PolicyName", "Roles", "Users"]
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = required(wanted.properties, "PolicyName")?;
        if items(wanted.properties, "Roles").is_empty() && items(wanted.properties, "Users").is_empty() {
            return Err(Failure("At least one of [Groups,Roles,Users] must be non-empty.".into()));
        }
        let policy = document(&property(wanted.properties, "PolicyDocument"));
        if let Err(failure) = self.each(calls, "Put", wanted.properties, policy).await {
            self.delete(calls, name, wanted.properties).await?;
            return Err(failure);
        }
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let policy = document(&property(wanted.properties, "PolicyDocument"));
        self.each(calls, "Put", wanted.properties, policy).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        self.each(calls, "Delete", properties, Value::Null).await
    }
}

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

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let input = json!({
            "PolicyName": named(wanted, "ManagedPolicyName"),
            "Path": property(properties, "Path"),
            "Description": property(properties, "Description"),
            "PolicyDocument": document(&property(properties, "PolicyDocument")),
        });
        let policy = calls.call("iam", "CreatePolicy", input).await?;
        let arn = policy["Policy"]["Arn"].as_str().unwrap_or_default().to_owned();
        if let Err(failure) = self.attach(calls, &arn, &Object::new(), properties).await {
            self.delete(calls, &arn, properties).await?;
            return Err(failure);
        }
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

pub(crate) struct AccessKey;

#[async_trait]
impl Kind for AccessKey {
    fn name(&self) -> &'static str {
        "AWS::IAM::AccessKey"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Serial", "Status", "UserName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Serial", "UserName"]
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let user = required(wanted.properties, "UserName")?;
        let answer = calls.call("iam", "CreateAccessKey", json!({ "UserName": user })).await?;
        let key = &answer["AccessKey"];
        let created = Created::new(
            key["AccessKeyId"].as_str().unwrap_or_default(),
            json!({ "SecretAccessKey": key["SecretAccessKey"] }),
        );
        self.status(calls, &created.physical, wanted.properties).await?;
        Ok(created)
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        self.status(calls, physical, wanted.properties).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "UserName": required(properties, "UserName")?, "AccessKeyId": physical });
        calls.gone("iam", "DeleteAccessKey", input).await
    }
}

impl AccessKey {
    async fn status(&self, calls: &Calls<'_>, id: &str, properties: &Object) -> Done<()> {
        let status = properties.get("Status").cloned().unwrap_or_else(|| json!("Active"));
        let user = required(properties, "UserName")?;
        let input = json!({ "UserName": user, "AccessKeyId": id, "Status": status });
        calls.call("iam", "UpdateAccessKey", input).await?;
        Ok(())
    }
}
