//! `AWS::ApiGateway::Stage`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Member, Patched, SERVICE, member_patches, object_patches, patch, retag, text};
use crate::resource::tag::{is_marked, map};
use crate::resource::{Calls, Created, Done, Failure, Kind, RESERVED, Wanted, items, property, required};
use crate::template::Object;

pub(crate) struct Stage;

#[async_trait]
impl Kind for Stage {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Stage"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "AccessLogSetting",
            "CacheClusterEnabled",
            "CacheClusterSize",
            "CanarySetting",
            "DeploymentId",
            "Description",
            "MethodSettings",
            "RestApiId",
            "StageName",
            "Tags",
            "Variables",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["RestApiId", "StageName"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = required(wanted.properties, "StageName")?;
        let input = json!({ "restApiId": required(wanted.properties, "RestApiId")?, "stageName": name });
        let found = calls.find(SERVICE, "GetStage", input).await?;
        let own = found.filter(|stage| is_marked(self, wanted.properties, &stage["tags"]));
        Ok(own.map(|_| name.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let (api, name) = (required(properties, "RestApiId")?, required(properties, "StageName")?);
        let mut patches = super::patches(&Object::new(), properties, &CLUSTER);
        patches.extend(access_log(&Object::new(), properties));
        patches.extend(canary(&Object::new(), properties));
        patches.extend(settings(&Object::new(), properties)?);
        let input = json!({
            "restApiId": api,
            "stageName": name,
            "deploymentId": required(properties, "DeploymentId")?,
            "description": property(properties, "Description"),
            "variables": property(properties, "Variables"),
            "tags": map(properties),
        });
        calls.call(SERVICE, "CreateStage", input).await?;
        patch(calls, "UpdateStage", json!({ "restApiId": api, "stageName": name }), patches).await?;
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let mut patches = vec![
            json!({ "op": "replace", "path": "/deploymentId", "value": required(new, "DeploymentId")? }),
        ];
        let description = new.get("Description").cloned().unwrap_or_else(|| json!(""));
        if old.get("Description") != new.get("Description") {
            patches.push(json!({ "op": "replace", "path": "/description", "value": description }));
        }
        let variables = |properties: &Object| {
            properties.get("Variables").and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (before, after) = (variables(old), variables(new));
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            patches.push(json!({ "op": "remove", "path": format!("/variables/{name}") }));
        }
        for (name, value) in &after {
            let path = format!("/variables/{name}");
            patches.push(json!({ "op": "replace", "path": path, "value": text(value) }));
        }
        patches.extend(super::patches(old, new, &CLUSTER));
        patches.extend(access_log(old, new));
        patches.extend(canary(old, new));
        patches.extend(settings(old, new)?);
        let api = required(new, "RestApiId")?;
        patch(calls, "UpdateStage", json!({ "restApiId": api, "stageName": physical }), patches).await?;
        retag(calls, &format!("/restapis/{api}/stages/{physical}"), old, new).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "stageName": physical });
        calls.gone(SERVICE, "DeleteStage", input).await
    }
}

/// What a template says of the cluster, by the paths that patches have for it, and what it is without.
const CLUSTER: [Patched; 2] = [
    ("CacheClusterEnabled", "/cacheClusterEnabled", "false"),
    ("CacheClusterSize", "/cacheClusterSize", "0.5"),
];
const ACCESS_LOG: [Member; 2] = [("DestinationArn", "destinationArn"), ("Format", "format")];
const CANARY_SETTING: &str = "CanarySetting";
/// But for the variables, whose names are the template's.
const CANARY: [Member; 3] = [
    ("DeploymentId", "deploymentId"),
    ("PercentTraffic", "percentTraffic"),
    ("UseStageCache", "useStageCache"),
];
/// What a template says of a method, by the paths that patches have for it.
const SETTINGS: [Member; 8] = [
    ("CacheDataEncrypted", "caching/dataEncrypted"),
    ("CacheTtlInSeconds", "caching/ttlInSeconds"),
    ("CachingEnabled", "caching/enabled"),
    ("DataTraceEnabled", "logging/dataTrace"),
    ("LoggingLevel", "logging/loglevel"),
    ("MetricsEnabled", "metrics/enabled"),
    ("ThrottlingBurstLimit", "throttling/burstLimit"),
    ("ThrottlingRateLimit", "throttling/rateLimit"),
];

/// The patches from an old access log to a new one.
fn access_log(old: &Object, new: &Object) -> Vec<Value> {
    let mut patches = object_patches(old, new, "AccessLogSetting", "/accessLogSettings", &ACCESS_LOG);
    for value in patches.iter_mut().filter_map(|patch| patch.get_mut("value")) {
        // One line feed at the end of a format is as none.
        *value = json!(text(value).trim_end_matches('\n'));
    }
    patches
}

/// The patches from an old canary to a new one.
fn canary(old: &Object, new: &Object) -> Vec<Value> {
    let mut patches = object_patches(old, new, CANARY_SETTING, "/canarySettings", &CANARY);
    if old.get(CANARY_SETTING) != new.get(CANARY_SETTING) {
        let setting =
            new.get(CANARY_SETTING).and_then(|setting| setting["StageVariableOverrides"].as_object());
        patches.extend(setting.into_iter().flatten().map(|(name, value)| {
            let path = format!("/canarySettings/stageVariableOverrides/{name}");
            json!({ "op": "replace", "path": path, "value": text(value) })
        }));
    }
    patches
}

/// The patches from old settings of methods to new ones.
fn settings(old: &Object, new: &Object) -> Done<Vec<Value>> {
    let mut patches = Vec::new();
    let after = places(new)?;
    for (place, _) in places(old)?.iter().filter(|(place, _)| !after.iter().any(|(other, _)| other == place))
    {
        patches.push(json!({ "op": "remove", "path": place }));
    }
    for (place, setting) in after {
        // What the new setting does not say, the old one must not go on saying.
        patches.push(json!({ "op": "remove", "path": place }));
        patches.extend(member_patches(setting, &place, &SETTINGS));
    }
    Ok(patches)
}

/// The settings by the paths that patches have for them.
fn places(properties: &Object) -> Done<Vec<(String, &Value)>> {
    let is_known = |name: &str| {
        name == "HttpMethod" || name == "ResourcePath" || SETTINGS.iter().any(|(field, _)| *field == name)
    };
    let place = |setting: &'_ Object| -> Done<String> {
        if let Some(unknown) = setting.keys().find(|name| !is_known(name)) {
            return Err(Failure(format!("Encountered unsupported property {unknown} in MethodSettings")));
        }
        Ok(format!("{}/{}", required(setting, "ResourcePath")?, required(setting, "HttpMethod")?))
    };
    let settings = items(properties, "MethodSettings").iter();
    settings
        .filter_map(|setting| Some((setting.as_object()?, setting)))
        .map(|(fields, setting)| Ok((place(fields)?, setting)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::patches;
    use super::*;

    #[test]
    fn settings_are_patched_from_old_to_new() {
        let of = |settings: Value| json!({ "MethodSettings": settings }).as_object().unwrap().clone();
        let all = json!({ "ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5 });
        let one = json!({ "ResourcePath": "/~1a", "HttpMethod": "GET", "CachingEnabled": true });
        let expected = json!([
            { "op": "remove", "path": "/~1a/GET" },
            { "op": "remove", "path": "/*/*" },
            { "op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5" },
        ]);
        assert_eq!(json!(settings(&of(json!([one])), &of(json!([all]))).unwrap()), expected);
        assert!(settings(&Object::new(), &Object::new()).unwrap().is_empty());
        let cached = json!({ "op": "replace", "path": "/~1a/GET/caching/enabled", "value": "true" });
        assert!(settings(&Object::new(), &of(json!([one]))).unwrap().contains(&cached));
        let other = of(json!([{ "ResourcePath": "/*", "HttpMethod": "*", "Other": true }]));
        assert!(settings(&Object::new(), &other).unwrap_err().0.contains("Other"));
    }

    #[test]
    fn a_canary_is_put_anew() {
        let of = |value: Value| json!({ "CanarySetting": value }).as_object().unwrap().clone();
        let new = of(json!({ "PercentTraffic": 10, "StageVariableOverrides": { "a": "1" } }));
        let replace = |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
        let expected = [
            replace("/canarySettings/percentTraffic", "10"),
            replace("/canarySettings/stageVariableOverrides/a", "1"),
        ];
        assert_eq!(canary(&Object::new(), &new), expected);
        assert_eq!(canary(&new, &Object::new()), [json!({ "op": "remove", "path": "/canarySettings" })]);
        assert!(canary(&new, &new).is_empty());
    }

    #[test]
    fn an_access_log_is_put_anew() {
        let of = |value: Value| json!({ "AccessLogSetting": value }).as_object().unwrap().clone();
        let (old, new) = (of(json!({ "DestinationArn": "a" })), of(json!({ "Format": "f\n" })));
        let expected = json!([
            { "op": "remove", "path": "/accessLogSettings" },
            { "op": "replace", "path": "/accessLogSettings/format", "value": "f" },
        ]);
        assert_eq!(json!(access_log(&old, &new)), expected);
        assert!(access_log(&old, &old).is_empty());
    }

    #[test]
    fn a_cluster_is_patched_where_it_changes() {
        let of = |value: Value| value.as_object().unwrap().clone();
        let (with, without) =
            (of(json!({ "CacheClusterEnabled": true, "CacheClusterSize": "1.6" })), Object::new());
        let patch = |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
        let on = [patch("/cacheClusterEnabled", "true"), patch("/cacheClusterSize", "1.6")];
        assert_eq!(patches(&without, &with, &CLUSTER), on);
        assert_eq!(patches(&with, &without, &CLUSTER)[0], patch("/cacheClusterEnabled", "false"));
        assert!(patches(&with, &with, &CLUSTER).is_empty());
    }
}
