//! `AWS::IAM::Policy`: an inline policy of roles and users that stand elsewhere in the template.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::identity::{Owner, ROLE, USER};
use crate::resource::{Calls, Created, Done, Failure, Kind, Wanted, document, items, property, required};
use crate::template::Object;

pub(crate) struct Policy;

/// A role or a user that has the policy, by name.
type Holder = (&'static Owner, String);

/// The roles and users that the properties name.
fn holders(properties: &Object) -> Vec<Holder> {
    let of = |owner: &'static Owner, list: &str| {
        let names: Vec<_> = items(properties, list).iter().filter_map(Value::as_str).collect();
        names.into_iter().map(move |name| (owner, name.to_owned())).collect::<Vec<_>>()
    };
    [of(&ROLE, "Roles"), of(&USER, "Users")].concat()
}

async fn put(calls: &Calls<'_>, properties: &Object) -> Done<()> {
    let policy = document(&property(properties, "PolicyDocument"));
    for (owner, name) in holders(properties) {
        let mut input = owner.with(&name, "PolicyName", property(properties, "PolicyName"));
        input["PolicyDocument"] = policy.clone();
        calls.call("iam", &format!("Put{}Policy", owner.noun), input).await?;
    }
    Ok(())
}

/// Takes the policy from the holders in `properties` that are none of `kept`'s.
async fn take(calls: &Calls<'_>, properties: &Object, kept: &Object) -> Done<()> {
    let name = property(properties, "PolicyName");
    let renamed = kept.get("PolicyName") != Some(&name);
    let still = |(owner, holder): &Holder| {
        !renamed && holders(kept).iter().any(|(kind, kept)| kind.noun == owner.noun && kept == holder)
    };
    for (owner, holder) in holders(properties).into_iter().filter(|one| !still(one)) {
        let input = owner.with(&holder, "PolicyName", name.clone());
        calls.gone("iam", &format!("Delete{}Policy", owner.noun), input).await?;
    }
    Ok(())
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
        &[]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = required(wanted.properties, "PolicyName")?;
        for (owner, holder) in holders(wanted.properties) {
            let input = owner.with(&holder, "PolicyName", json!(name));
            if calls.find("iam", &format!("Get{}Policy", owner.noun), input).await?.is_some() {
                return Ok(vec![name.to_owned()]);
            }
        }
        Ok(Vec::new())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = required(wanted.properties, "PolicyName")?;
        if holders(wanted.properties).is_empty() {
            return Err(Failure("At least one of [Groups,Roles,Users] must be non-empty.".into()));
        }
        put(calls, wanted.properties).await?;
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        _physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        put(calls, wanted.properties).await?;
        take(calls, old, wanted.properties).await?;
        Ok(Created::new(required(wanted.properties, "PolicyName")?, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        take(calls, properties, &Object::new()).await
    }
}
