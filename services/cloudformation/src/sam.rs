//! The SAM transform (`AWS::Serverless-2016-10-31`): serverless resources become plain ones, under the
//! names that AWS gives them.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html>

mod alias;
mod api;
mod authorizer;
mod cors;
mod event;
mod event_invoke_config;
mod function;
mod function_url;
mod gateway_response;
mod globals;
mod layer_version;
mod location;
mod policy;
mod policy_template;
mod reference;
mod rule_event;
mod simple_table;
mod source_event;

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use crate::template::{Checked, Invalid, Object, object};

pub(crate) const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// The API that functions' events make when they name none.
const IMPLICIT_API: &str = "ServerlessRestApi";

/// Fields of a serverless resource beside its properties.
const RESOURCE_FIELDS: [&str; 8] = [
    "Condition",
    "DeletionPolicy",
    "DependsOn",
    "IgnoreGlobals",
    "Metadata",
    "Properties",
    "Type",
    "UpdateReplacePolicy",
];

/// A template on its way through the transform.
struct Sam {
    /// What comes out, by logical id.
    resources: Object,
    /// Swagger paths of each API that functions' events add to.
    routes: BTreeMap<String, Vec<Route>>,
    /// What references by SAM's names mean, by those names.
    renamed: BTreeMap<String, String>,
    /// What buckets are to tell functions, once all buckets are known.
    notifications: Vec<source_event::Notification>,
    globals: globals::Globals,
}

/// An event of type `Api`.
struct Route {
    path: String,
    /// In lower case, or `any`.
    verb: String,
    /// The ARN of what is invoked, in a text for `Fn::Sub`.
    target: String,
    authorizer: Option<String>,
    invoke_role: Option<String>,
    /// Where, name, and whether it is required.
    parameters: Vec<(&'static str, String, bool)>,
}

/// The names of the transforms that a template asks for.
pub(crate) fn transforms(document: &Value) -> Vec<String> {
    match document.get("Transform") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Carries out the transforms of a template.
///
/// # Errors
/// When it asks for one that does not exist here, or uses what this one has not built.
pub(crate) fn transform(document: &Value) -> Checked<Value> {
    let wanted = transforms(document);
    if let Some(unknown) = wanted.iter().find(|name| *name != TRANSFORM) {
        return Err(Invalid::new(format!("No transform named {unknown} found.")));
    }
    let mut sections = object(document, "Template format error: unsupported structure.")?.clone();
    if wanted.is_empty() {
        if sections.contains_key("Globals") {
            return Err(Invalid::new("Invalid template property or properties [Globals]"));
        }
        return Ok(document.clone());
    }
    sections.remove("Transform");
    let globals = globals::Globals::read(sections.remove("Globals"))?;
    let resources = sections.remove("Resources").unwrap_or_else(|| json!({}));
    let resources = object(&resources, "Template format error: Resources must be an object.")?;
    let mut sam = Sam {
        resources: Object::new(),
        routes: BTreeMap::new(),
        renamed: BTreeMap::new(),
        notifications: Vec::new(),
        globals,
    };
    sam.expand(resources)?;
    sections.insert("Resources".into(), Value::Object(sam.resources));
    Ok(reference::renamed(Value::Object(sections), &sam.renamed))
}

impl Sam {
    fn expand(&mut self, resources: &Object) -> Checked<()> {
        let kind =
            |resource: &Value| resource.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (name, resource) in resources {
            if kind(resource).starts_with("AWS::Serverless::") {
                let fields = object(resource, "Template format error: every resource must be an object.")?;
                check_properties(name, fields, &RESOURCE_FIELDS)?;
            }
            match kind(resource).as_str() {
                "AWS::Serverless::Function" => self.function(name, resource)?,
                "AWS::Serverless::LayerVersion" => self.layer_version(name, resource)?,
                "AWS::Serverless::SimpleTable" => self.simple_table(name, resource)?,
                "AWS::Serverless::Api" => {}
                other if other.starts_with("AWS::Serverless::") => {
                    return Err(refused(name, &format!("the type {other} is not available in Pagoda")));
                }
                _ => {
                    self.resources.insert(name.clone(), resource.clone());
                }
            }
        }
        self.notify()?;
        // APIs come last: by now all routes to them are known.
        for (name, resource) in resources {
            if kind(resource) == "AWS::Serverless::Api" {
                self.api(name, resource)?;
            }
        }
        if self.routes.contains_key(IMPLICIT_API) {
            self.implicit_api()?;
        }
        match self.routes.keys().next() {
            Some(unknown) => {
                Err(refused(unknown, "an event names an API that is no AWS::Serverless::Api of the template"))
            }
            None => Ok(()),
        }
    }

    /// Adds a resource, with the fields that go with every resource of `origin`.
    fn add(&mut self, name: impl Into<String>, kind: &str, properties: Value, origin: &Value) {
        let mut resource = json!({ "Type": kind, "Properties": properties });
        for field in ["Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"] {
            if let Some(value) = origin.get(field) {
                resource[field] = value.clone();
            }
        }
        self.resources.insert(name.into(), resource);
    }

    /// Adds a resource that is made along with `origin`: it shares its condition only.
    fn add_beside(&mut self, name: impl Into<String>, kind: &str, properties: Value, origin: &Value) {
        let condition =
            origin.get("Condition").map_or_else(|| json!({}), |condition| json!({ "Condition": condition }));
        self.add(name, kind, properties, &condition);
    }
}

/// The refusal of a resource.
fn refused(name: &str, what: &str) -> Invalid {
    Invalid::new(format!(
        "Transform {TRANSFORM} failed with: Invalid Serverless Application Specification document. Number of errors found: 1. Resource with id [{name}] is invalid. {what}"
    ))
}

/// Refuses the first property that is none of `known`.
fn check_properties(name: &str, properties: &Object, known: &[&str]) -> Checked<()> {
    match properties.keys().find(|property| !known.contains(&property.as_str())) {
        Some(unknown) => Err(refused(
            name,
            &format!("property {unknown} not defined for resource, or not available in Pagoda"),
        )),
        None => Ok(()),
    }
}

/// Ten digits that tell one value from another, as SAM puts them into logical ids.
fn hashed(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, value.to_string().as_bytes());
    hex::encode(digest)[..10].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transformed(globals: Value, resources: Value) -> Checked<Value> {
        transform(&json!({ "Transform": TRANSFORM, "Globals": globals, "Resources": resources }))
    }

    /// A function with these properties, and an event on `GET /a` with those.
    fn function(properties: Value, event: Value) -> Value {
        let mut event = event;
        (event["Path"], event["Method"]) = (json!("/a"), json!("get"));
        let mut all = json!({
            "CodeUri": "s3://b/k", "Handler": "a.h", "Runtime": "python3.12",
            "Events": { "E": { "Type": "Api", "Properties": event } },
        });
        for (name, value) in properties.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        json!({ "Type": "AWS::Serverless::Function", "Properties": all })
    }

    fn get<'t>(template: &'t Value, resource: &str, pointer: &str) -> &'t Value {
        template["Resources"][resource]["Properties"].pointer(pointer).unwrap_or(&Value::Null)
    }

    #[test]
    fn functions_become_what_aws_makes_of_them() {
        let event = json!({ "RequestParameters": [
            "method.request.header.Authorization",
            { "method.request.querystring.q": { "Required": true } },
            "method.request.path.id",
        ] });
        let properties = json!({
            "Tags": { "k": "v" }, "PropagateTags": true, "RolePath": "/p/", "MemorySize": 256,
            "Policies": { "S3ReadPolicy": { "BucketName": "b" }, "LambdaInvokePolicy": { "FunctionName": "f" } },
        });
        let globals =
            json!({ "Function": { "Timeout": 9, "MemorySize": 512 }, "Api": { "OpenApiVersion": "3.0.1" } });
        let made = transformed(globals, json!({ "F": function(properties, event) })).unwrap();
        let own = json!([{ "Key": "lambda:createdBy", "Value": "SAM" }, { "Key": "k", "Value": "v" }]);
        let parameter = |place: &str, name: &str, required: bool| json!({ "in": place, "name": name, "required": required, "schema": { "type": "string" } });
        for (resource, pointer, expected) in [
            ("F", "/Timeout", json!(9)),
            ("F", "/MemorySize", json!(256)),
            ("F", "/Tags", own.clone()),
            ("FRole", "/Tags", own),
            ("FRole", "/Path", json!("/p/")),
            ("FRole", "/Policies/1/PolicyName", json!("FRolePolicy1")),
            ("FEPermissionProd", "/Action", json!("lambda:InvokeFunction")),
            ("ServerlessRestApi", "/Body/openapi", json!("3.0.1")),
            ("ServerlessRestApi", "/Body/swagger", Value::Null),
            (
                "ServerlessRestApi",
                "/Body/paths/~1a/get/parameters/0",
                parameter("header", "Authorization", false),
            ),
            ("ServerlessRestApi", "/Body/paths/~1a/get/parameters/1", parameter("query", "q", true)),
            ("ServerlessRestApi", "/Body/paths/~1a/get/parameters/2", parameter("path", "id", true)),
            ("ServerlessRestApiProdStage", "/StageName", json!("Prod")),
        ] {
            assert_eq!(*get(&made, resource, pointer), expected, "{resource} {pointer}");
        }
    }

    #[test]
    fn apis_become_what_aws_makes_of_them() {
        let api =
            |properties: Value| json!({ "A": { "Type": "AWS::Serverless::Api", "Properties": properties } });
        let stored = json!({ "StageName": "s", "CacheClusterEnabled": true, "DefinitionUri": "s3://b/api.yaml", "Tags": { "k": "v" }, "Variables": { "x": "1" }, "MethodSettings": [{ "HttpMethod": "*" }] });
        let stored = transformed(json!({}), api(stored)).unwrap();
        assert_eq!(*get(&stored, "A", "/BodyS3Location"), json!({ "Bucket": "b", "Key": "api.yaml" }));
        assert_eq!(*get(&stored, "AsStage", "/Tags/0/Key"), json!("k"));
        assert_eq!(*get(&stored, "AsStage", "/Variables/x"), json!("1"));
        assert_eq!(*get(&stored, "AsStage", "/MethodSettings/0/HttpMethod"), json!("*"));
        assert_eq!(*get(&stored, "AsStage", "/CacheClusterEnabled"), json!(true));
        let typed = json!({ "StageName": "s", "EndpointConfiguration": { "Type": "REGIONAL" }, "Auth": { "DefaultAuthorizer": "AWS_IAM" }, "OpenApiVersion": 2.0,
            "GatewayResponses": { "DEFAULT_4XX": { "StatusCode": 418, "ResponseParameters": { "Headers": { "X": "'1'" } } } } });
        let typed = transformed(json!({}), api(typed)).unwrap();
        assert_eq!(*get(&typed, "A", "/EndpointConfiguration"), json!({ "Types": ["REGIONAL"] }));
        assert_eq!(*get(&typed, "A", "/Body/swagger"), json!("2.0"));
        let worded = get(&typed, "A", "/Body/x-amazon-apigateway-gateway-responses/DEFAULT_4XX");
        let expected = json!({ "statusCode": 418, "responseParameters": { "gatewayresponse.header.X": "'1'" }, "responseTemplates": {} });
        assert_eq!(*worded, expected);
        assert_eq!(*get(&typed, "A", "/Body/securityDefinitions/AWS_IAM/in"), json!("header"));
    }

    #[test]
    fn an_alias_follows_its_versions() {
        let event = json!({ "RequestParameters": [] });
        let published = |more: Value| {
            let mut properties = json!({
                "CodeUri": "s3://sam-demo-bucket/hello.zip", "AutoPublishAlias": "live", "VersionDescription": "v",
                "FunctionUrlConfig": { "AuthType": "NONE", "Cors": { "AllowOrigins": ["*"] } },
                "EventInvokeConfig": {
                    "MaximumRetryAttempts": 1,
                    "DestinationConfig": { "OnSuccess": { "Type": "Lambda", "Destination": "arn:g" } },
                },
            });
            properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            transformed(json!({}), json!({ "F": function(properties, event.clone()) })).unwrap()
        };
        let made = published(json!({}));
        let (alias, function) = (json!({ "Ref": "FAliaslive" }), json!({ "Ref": "F" }));
        for (resource, pointer, expected) in [
            ("FVersion640128d35d", "/Description", json!("v")),
            ("FVersion640128d35d", "/FunctionName", function.clone()),
            ("FAliaslive", "/FunctionVersion", json!({ "Fn::GetAtt": ["FVersion640128d35d", "Version"] })),
            ("FEPermissionProd", "/FunctionName", alias.clone()),
            ("FUrl", "/TargetFunctionArn", function.clone()),
            ("FUrl", "/Qualifier", json!("live")),
            ("FUrl", "/Cors/AllowOrigins", json!(["*"])),
            ("FUrlPublicPermissions", "/FunctionName", alias.clone()),
            ("FUrlPublicPermissions", "/FunctionUrlAuthType", json!("NONE")),
            ("FURLInvokeAllowPublicAccess", "/InvokedViaFunctionUrl", json!(true)),
            ("FEventInvokeConfig", "/Qualifier", json!("live")),
            ("FEventInvokeConfig", "/DestinationConfig/OnSuccess", json!({ "Destination": "arn:g" })),
            ("FRole", "/Policies/0/PolicyName", json!("FEventInvokeConfigOnSuccessLambdaPolicy")),
            ("FRole", "/Policies/0/PolicyDocument/Statement/0/Resource", json!("arn:g")),
        ] {
            assert_eq!(*get(&made, resource, pointer), expected, "{resource} {pointer}");
        }
        assert_eq!(made["Resources"]["FVersion640128d35d"]["DeletionPolicy"], "Retain");
        assert_eq!(made["Resources"]["FUrl"]["DependsOn"], json!(["FAliaslive"]));
        let uri = get(&made, "ServerlessRestApi", "/Body/paths/~1a/get/x-amazon-apigateway-integration/uri");
        assert!(uri["Fn::Sub"].as_str().unwrap().ends_with("/functions/${FAliaslive}/invocations"), "{uri}");

        let version = |more: Value| {
            let made = published(more);
            let found =
                made["Resources"].as_object().unwrap().keys().find(|name| name.starts_with("FVersion"));
            found.unwrap().clone()
        };
        let same = version(json!({}));
        for (more, is_same) in [
            (json!({ "Timeout": 9 }), true),
            (json!({ "MemorySize": 256 }), false),
            (json!({ "Environment": { "Variables": { "A": "1" } } }), false),
            (json!({ "SnapStart": { "ApplyOn": "PublishedVersions" } }), false),
            (json!({ "SnapStart": { "ApplyOn": "None" } }), true),
            (json!({ "CodeUri": "s3://sam-demo-bucket/other.zip" }), false),
            (json!({ "AutoPublishAliasAllProperties": true, "Timeout": 9 }), false),
        ] {
            assert_eq!(version(more.clone()) == same, is_same, "{more}");
        }
        assert_eq!(version(json!({ "AutoPublishCodeSha256": "6b86b273ff34fce1" })), "FVersion6b86b273ff");
    }

    #[test]
    fn a_layer_has_a_name_for_each_version() {
        let layer = |more: Value| {
            let mut properties =
                json!({ "ContentUri": "s3://b/layer.zip", "CompatibleRuntimes": ["python3.12"] });
            properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "Type": "AWS::Serverless::LayerVersion", "Properties": properties })
        };
        let with = |layer: Value| {
            let user = function(json!({ "Layers": [{ "Ref": "L" }] }), json!({}));
            let made = transformed(json!({}), json!({ "L": layer, "F": user })).unwrap();
            let id = get(&made, "F", "/Layers/0/Ref").as_str().unwrap().to_owned();
            (id, made)
        };
        let (id, made) = with(layer(json!({})));
        assert!(id.starts_with('L') && id.len() == 11, "{id}");
        assert_eq!(*get(&made, &id, "/LayerName"), json!("L"));
        assert_eq!(*get(&made, &id, "/Content"), json!({ "S3Bucket": "b", "S3Key": "layer.zip" }));
        assert_eq!(made["Resources"][&id]["DeletionPolicy"], "Retain");
        let (other, made) = with(layer(json!({ "Description": "d", "RetentionPolicy": "Delete" })));
        assert_ne!(other, id);
        assert_eq!(made["Resources"][&other]["DeletionPolicy"], "Delete");
    }

    #[test]
    fn globals_can_be_ignored() {
        let globals = json!({ "Function": { "Timeout": 9, "MemorySize": 512 } });
        for (ignored, left) in [
            (json!("*"), [Value::Null, Value::Null]),
            (json!(["Timeout"]), [Value::Null, json!(512)]),
            (json!([]), [json!(9), json!(512)]),
        ] {
            let mut function = function(json!({}), json!({}));
            function["IgnoreGlobals"] = ignored.clone();
            let made = transformed(globals.clone(), json!({ "F": function })).unwrap();
            assert_eq!(["/Timeout", "/MemorySize"].map(|at| get(&made, "F", at).clone()), left, "{ignored}");
        }
    }

    #[test]
    fn what_nothing_acts_on_is_refused_by_name() {
        let one = |resource: Value| json!({ "R": resource });
        let api =
            |properties: Value| one(json!({ "Type": "AWS::Serverless::Api", "Properties": properties }));
        let to = |kind: &str| json!({ "EventInvokeConfig": { "DestinationConfig": { "OnFailure": { "Type": kind } } } });
        let mut connected = function(json!({}), json!({}));
        connected["Connectors"] = json!({});
        for (resources, named) in [
            (one(function(json!({ "AutoPublishAlias": { "Ref": "P" } }), json!({}))), "AutoPublishAlias"),
            (one(function(json!({ "DeploymentPreference": {} }), json!({}))), "DeploymentPreference"),
            (one(function(json!({ "DeadLetterQueue": {} }), json!({}))), "DeadLetterQueue"),
            (one(function(json!({}), json!({ "RequestModel": {} }))), "RequestModel"),
            (one(function(json!({}), json!({ "RequestParameters": ["header.x"] }))), "RequestParameters"),
            (one(function(json!({}), json!({ "Auth": { "ApiKeyRequired": true } }))), "ApiKeyRequired"),
            (one(function(to("SQS"), json!({}))), "SQS"),
            (one(function(to("SNS"), json!({}))), "SNS"),
            (one(function(to("EventBridge"), json!({}))), "EventBridge"),
            (one(function(json!({ "FunctionUrlConfig": {} }), json!({}))), "AuthType"),
            (
                one(
                    json!({ "Type": "AWS::Serverless::LayerVersion", "Properties": { "ContentUri": "layer/" } }),
                ),
                "ContentUri",
            ),
            (one(connected), "Connectors"),
            (api(json!({ "StageName": "s", "GatewayResponses": { "THROTTLED": { "Body": "" } } })), "Body"),
            (api(json!({ "StageName": "s", "TracingEnabled": true })), "TracingEnabled"),
            (api(json!({ "StageName": "s", "OpenApiVersion": "4.0.0" })), "OpenApiVersion"),
            (api(json!({ "StageName": "s", "DefinitionUri": "s3://b/k", "Cors": "'*'" })), "Cors"),
            (api(json!({ "StageName": "s", "DefinitionUri": "api.yaml" })), "DefinitionUri"),
            (one(json!({ "Type": "AWS::Serverless::HttpApi" })), "AWS::Serverless::HttpApi"),
        ] {
            let refused = transformed(json!({}), resources).unwrap_err().0;
            assert!(refused.contains(named), "{named}: {refused}");
        }
    }
}
