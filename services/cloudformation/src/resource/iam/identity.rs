//! `AWS::IAM::Role` and `User`.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::tag::{Retag, is_marked};
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, document, items, named, property};
use crate::template::Object;

pub(crate) struct Role;
pub(crate) struct User;

/// A user or a role: what both have, and in what they differ.
pub(super) struct Owner {
    /// `Role` or `User`, in operations and inputs.
    pub(super) noun: &'static str,
}

pub(super) const ROLE: Owner = Owner { noun: "Role" };
pub(super) const USER: Owner = Owner { noun: "User" };

impl Owner {
    fn name_of(&self, name: &str) -> Value {
        let mut input = json!({});
        input[format!("{}Name", self.noun)] = json!(name);
        input
    }

    pub(super) fn with(&self, name: &str, member: &str, value: Value) -> Value {
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
        let retag = Retag {
            service: "iam",
            operations: [&format!("Tag{}", self.noun), &format!("Untag{}", self.noun)],
            of: self.name_of(name),
            members: ["Tags", "TagKeys"],
            as_map: false,
        };
        retag.run(calls, old, new).await
    }

    /// The name, if the role or user of this name bears the mark.
    async fn present(&self, kind: &dyn Kind, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = named(wanted, &format!("{}Name", self.noun));
        let found = calls.find("iam", &format!("Get{}", self.noun), self.name_of(&name)).await?;
        let own = found.filter(|found| is_marked(kind, wanted.properties, &found[self.noun]["Tags"]));
        Ok(own.map(|_| name).into_iter().collect())
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

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        ROLE.present(self, calls, wanted).await
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
        ROLE.policies(calls, &name, &Object::new(), properties).await?;
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

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        USER.present(self, calls, wanted).await
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
        USER.policies(calls, &name, &Object::new(), properties).await?;
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
