//! `AWS::ApiGateway::UsagePlan`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Member, Patched, SERVICE, marked, member_patches, object_patches, patch, patches, retag};
use crate::resource::tag::map;
use crate::resource::{
    Calls, Created, Done, Kind, RESERVED, Wanted, items, lower_camel, named, property, required,
};
use crate::template::Object;

pub(crate) struct UsagePlan;

const PATCHED: [Patched; 1] = [("Description", "/description", "")];
const THROTTLE: [Member; 2] = [("BurstLimit", "burstLimit"), ("RateLimit", "rateLimit")];
const QUOTA: [Member; 3] = [("Limit", "limit"), ("Offset", "offset"), ("Period", "period")];

#[async_trait]
impl Kind for UsagePlan {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::UsagePlan"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &[]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        marked(self, calls, "GetUsagePlans", wanted).await
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let stages: Vec<Value> = items(properties, "ApiStages").iter().map(stage).collect();
        let input = json!({
            "name": named(wanted, "UsagePlanName"),
            "description": property(properties, "Description"),
            "apiStages": stages,
            "throttle": lower_camel(&property(properties, "Throttle")),
            "quota": lower_camel(&property(properties, "Quota")),
            "tags": map(properties),
        });
        let plan = calls.call(SERVICE, "CreateUsagePlan", input).await?;
        Ok(made(plan["id"].as_str().unwrap_or_default()))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let mut all = patches(old, new, &PATCHED);
        if old.get("UsagePlanName") != new.get("UsagePlanName") {
            let name = named(wanted, "UsagePlanName");
            all.push(json!({ "op": "replace", "path": "/name", "value": name }));
        }
        all.extend(object_patches(old, new, "Throttle", "/throttle", &THROTTLE));
        all.extend(object_patches(old, new, "Quota", "/quota", &QUOTA));
        // An update that broke off may have come to any of the stages; what is there is asked for.
        let plan = calls.call(SERVICE, "GetUsagePlan", json!({ "usagePlanId": physical })).await?;
        all.extend(stages(&plan, new)?);
        patch(calls, "UpdateUsagePlan", json!({ "usagePlanId": physical }), all).await?;
        retag(calls, &format!("/usageplans/{physical}"), old, new).await?;
        Ok(made(physical))
    }

    /// A plan that has stages cannot be removed.
    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        let plan = json!({ "usagePlanId": physical });
        let Some(found) = calls.find(SERVICE, "GetUsagePlan", plan.clone()).await? else { return Ok(()) };
        let patches = stages(&found, &Object::new())?;
        if !patches.is_empty() {
            let input = json!({ "usagePlanId": physical, "patchOperations": patches });
            calls.gone(SERVICE, "UpdateUsagePlan", input).await?;
        }
        calls.gone(SERVICE, "DeleteUsagePlan", plan).await
    }
}

/// A stage of the plan as the operation takes it: methods keep their names.
fn stage(stage: &Value) -> Value {
    let mut input = json!({ "apiId": stage["ApiId"], "stage": stage["Stage"] });
    if let Some(methods) = stage["Throttle"].as_object() {
        let methods = methods.iter().map(|(method, limits)| (method.clone(), lower_camel(limits)));
        input["throttle"] = Value::Object(methods.collect());
    }
    input
}

/// The patches from the stages that the plan has to those that it is to have.
fn stages(plan: &Value, new: &Object) -> Done<Vec<Value>> {
    let mut patches = Vec::new();
    for stage in plan["apiStages"].as_array().into_iter().flatten() {
        let [api, stage] = ["apiId", "stage"].map(|member| stage[member].as_str().unwrap_or_default());
        patches.push(json!({ "op": "remove", "path": "/apiStages", "value": format!("{api}:{stage}") }));
    }
    for stage in items(new, "ApiStages").iter().filter_map(Value::as_object) {
        let own = format!("{}:{}", required(stage, "ApiId")?, required(stage, "Stage")?);
        patches.push(json!({ "op": "add", "path": "/apiStages", "value": own }));
        for (method, limits) in stage.get("Throttle").and_then(Value::as_object).into_iter().flatten() {
            let (path, verb) = method.rsplit_once('/').unwrap_or(("", method));
            let method = format!("{}/{verb}", path.replace('~', "~0").replace('/', "~1"));
            patches.extend(member_patches(limits, &format!("/apiStages/{own}/throttle/{method}"), &THROTTLE));
        }
    }
    Ok(patches)
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "Id": id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn limits_are_put_anew() {
        let old = object(&json!({ "Throttle": { "RateLimit": 5, "BurstLimit": 2 } }));
        let new = object(&json!({ "Throttle": { "RateLimit": 7 } }));
        let expected = json!([
            { "op": "remove", "path": "/throttle" },
            { "op": "replace", "path": "/throttle/rateLimit", "value": "7" },
        ]);
        assert_eq!(json!(object_patches(&old, &new, "Throttle", "/throttle", &THROTTLE)), expected);
        assert!(object_patches(&old, &old, "Throttle", "/throttle", &THROTTLE).is_empty());
        assert_eq!(object_patches(&old, &Object::new(), "Throttle", "/throttle", &THROTTLE).len(), 1);
    }

    #[test]
    fn stages_are_put_anew() {
        let plan = json!({ "apiStages": [{ "apiId": "a", "stage": "s" }] });
        let stage = json!({ "ApiId": "b", "Stage": "t", "Throttle": { "/x/{y}/GET": { "RateLimit": 1.5 } } });
        let expected = json!([
            { "op": "remove", "path": "/apiStages", "value": "a:s" },
            { "op": "add", "path": "/apiStages", "value": "b:t" },
            { "op": "replace", "path": "/apiStages/b:t/throttle/~1x~1{y}/GET/rateLimit", "value": "1.5" },
        ]);
        assert_eq!(json!(stages(&plan, &object(&json!({ "ApiStages": [stage] }))).unwrap()), expected);
    }
}
