//! `AWS::Serverless::Api`, explicit or implied by events, becomes an API with its definition, a deployment
//! and a stage.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use super::authorizer::Authorizers;
use super::globals::Globals;
use super::{IMPLICIT_API, Route, Sam, check_properties, cors, gateway_response, refused};
use crate::template::{Checked, Object, object};

const PROPERTIES: [&str; 20] = [
    "AccessLogSetting",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionBody",
    "DefinitionUri",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointConfiguration",
    "GatewayResponses",
    "MethodSettings",
    "MinimumCompressionSize",
    "Name",
    "OpenApiVersion",
    "StageName",
    "Tags",
    "Variables",
];
/// The credentials with which API Gateway invokes as the caller.
const CALLER: &str = "arn:aws:iam::*:user/*";

impl Sam {
    /// The API that events without `RestApiId` share, on the stage `Prod`.
    pub(crate) fn implicit_api(&mut self) -> Checked<()> {
        let api = json!({ "Type": "AWS::Serverless::Api", "Properties": { "StageName": "Prod" } });
        self.api(IMPLICIT_API, &api)
    }

    pub(crate) fn api(&mut self, name: &str, resource: &Value) -> Checked<()> {
        let properties = Globals::under(&self.globals.api, resource)?;
        check_properties(name, &properties, &PROPERTIES)?;
        let routes = self.routes.remove(name).unwrap_or_default();
        let stage = properties
            .get("StageName")
            .cloned()
            .ok_or_else(|| refused(name, "Missing required property 'StageName'."))?;
        let stage_id = match stage.as_str() {
            Some(text) => {
                format!("{name}{}Stage", text.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
            }
            None => format!("{name}Stage"),
        };
        let auth = auth(name, &properties)?;
        auth.authorizers.permit(self, name, resource);
        let api = rest_api(name, &properties, &routes, &auth)?;
        // A new definition makes a new deployment; the same one keeps its own.
        let defined = api.get("Body").or(api.get("BodyS3Location")).unwrap_or(&Value::Null).to_string();
        let hash = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, defined.as_bytes()));
        let deployment = format!("{name}Deployment{}", &hash[..10]);
        let mut staged = json!({ "RestApiId": { "Ref": name }, "DeploymentId": { "Ref": deployment }, "StageName": stage });
        for (field, value) in [
            ("AccessLogSetting", properties.get("AccessLogSetting")),
            ("CacheClusterEnabled", properties.get("CacheClusterEnabled")),
            ("CacheClusterSize", properties.get("CacheClusterSize")),
            ("CanarySetting", properties.get("CanarySetting")),
            ("Variables", properties.get("Variables")),
            ("MethodSettings", properties.get("MethodSettings")),
            ("Tags", api.get("Tags")),
        ] {
            if let Some(value) = value {
                staged[field] = value.clone();
            }
        }
        self.add(name, "AWS::ApiGateway::RestApi", api, resource);
        let description = json!(format!("RestApi deployment id: {hash}"));
        let deployed = json!({ "RestApiId": { "Ref": name }, "Description": description });
        self.add_beside(&deployment, "AWS::ApiGateway::Deployment", deployed, resource);
        self.renamed.insert(format!("{name}.Deployment"), deployment.clone());
        self.renamed.insert(format!("{name}.Stage"), stage_id.clone());
        self.add_beside(stage_id, "AWS::ApiGateway::Stage", staged, resource);
        Ok(())
    }
}

/// The API itself, with its definition.
fn rest_api(name: &str, properties: &Object, routes: &[Route], auth: &Auth) -> Checked<Value> {
    let mut api = match properties.get("DefinitionUri") {
        Some(uri) => json!({ "BodyS3Location": defined_at(name, uri, properties, routes)? }),
        None => json!({ "Body": definition(name, properties, routes, auth)? }),
    };
    for field in [
        "BinaryMediaTypes",
        "Description",
        "DisableExecuteApiEndpoint",
        "EndpointConfiguration",
        "MinimumCompressionSize",
        "Name",
        "Tags",
    ] {
        if let Some(value) = properties.get(field) {
            api[field] = value.clone();
        }
    }
    if let Some(Value::Object(tags)) = properties.get("Tags") {
        api["Tags"] = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    }
    match properties.get("EndpointConfiguration") {
        Some(Value::Object(fields)) if fields.contains_key("Type") => {
            check_properties(name, fields, &["Type"])?;
            api["EndpointConfiguration"] = json!({ "Types": [fields["Type"]] });
        }
        Some(kind @ Value::String(_)) => api["EndpointConfiguration"] = json!({ "Types": [kind] }),
        _ => {}
    }
    Ok(api)
}

/// The place of a definition in S3. What would have to be added to it cannot be.
fn defined_at(name: &str, uri: &Value, properties: &Object, routes: &[Route]) -> Checked<Value> {
    if let Some(field) = ["Auth", "Cors", "DefinitionBody", "GatewayResponses"]
        .iter()
        .find(|field| properties.contains_key(**field))
    {
        return Err(refused(
            name,
            &format!("{field} works only with inline Swagger specified in 'DefinitionBody' property."),
        ));
    }
    if routes.iter().any(|route| route.authorizer.is_some() || !route.parameters.is_empty()) {
        return Err(refused(name, "Auth and RequestParameters of events work only with inline Swagger."));
    }
    let place = uri.as_str().and_then(|uri| uri.strip_prefix("s3://")).and_then(|rest| rest.split_once('/'));
    match (uri, place) {
        (_, Some((bucket, key))) => Ok(json!({ "Bucket": bucket, "Key": key })),
        (Value::Object(fields), None) => {
            check_properties(name, fields, &["Bucket", "Key", "Version"])?;
            Ok(uri.clone())
        }
        _ => Err(refused(
            name,
            "'DefinitionUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.",
        )),
    }
}

/// The OpenAPI definition: the given one, or one made of the routes; with CORS where it is asked for.
fn definition(name: &str, properties: &Object, routes: &[Route], auth: &Auth) -> Checked<Value> {
    let mut body = match properties.get("DefinitionBody") {
        Some(body) => {
            if let Some(route) = routes.iter().find(|route| !has_route(body, route)) {
                return Err(refused(
                    name,
                    &format!("the DefinitionBody lacks {} {}", route.verb, route.path),
                ));
            }
            body.clone()
        }
        None => empty(name, properties)?,
    };
    if properties.get("DefinitionBody").is_none() {
        let is_third = body.get("openapi").is_some();
        for route in routes {
            let verb = if route.verb == "any" { "x-amazon-apigateway-any-method" } else { &route.verb };
            body["paths"][&route.path][verb] = operation(name, route, auth, is_third)?;
        }
    }
    if let Some(cors) = properties.get("Cors") {
        cors::add(name, &mut body, cors, auth.default.as_deref().filter(|_| auth.to_preflight))?;
    }
    auth.authorizers.describe(&mut body);
    if let Some(responses) = properties.get("GatewayResponses") {
        gateway_response::add(name, &mut body, responses)?;
    }
    let by_default = auth.default.as_deref() == Some("AWS_IAM");
    if by_default || routes.iter().any(|route| route.authorizer.as_deref() == Some("AWS_IAM")) {
        let scheme = json!({
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
        });
        match body.get("openapi") {
            Some(_) => body["components"]["securitySchemes"]["AWS_IAM"] = scheme,
            None => body["securityDefinitions"]["AWS_IAM"] = scheme,
        }
    }
    Ok(body)
}

/// A definition without paths, of the version that `OpenApiVersion` says.
fn empty(name: &str, properties: &Object) -> Checked<Value> {
    let title = properties.get("Name").cloned().unwrap_or(json!({ "Ref": "AWS::StackName" }));
    let mut body = json!({ "info": { "version": "1.0", "title": title }, "paths": {} });
    let version = properties.get("OpenApiVersion").map(|version| match version {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    match version.as_deref() {
        None | Some("2.0") => body["swagger"] = json!("2.0"),
        Some(third) if third.starts_with("3.0") => body["openapi"] = json!(third),
        Some(other) => {
            return Err(refused(
                name,
                &format!("The OpenApiVersion value must be of the format '3.0.0', not {other}."),
            ));
        }
    }
    Ok(body)
}

struct Auth {
    default: Option<String>,
    invoke_role: Option<String>,
    to_preflight: bool,
    authorizers: Authorizers,
}

fn auth(name: &str, properties: &Object) -> Checked<Auth> {
    let none = json!({});
    let auth = object(properties.get("Auth").unwrap_or(&none), "Auth must be a map")?;
    check_properties(
        name,
        auth,
        &["Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight"],
    )?;
    let text = |field: &str| auth.get(field).and_then(Value::as_str).map(str::to_owned);
    let default = text("DefaultAuthorizer");
    let authorizers = Authorizers::read(name, auth)?;
    let unknown = |authorizer: &&str| *authorizer != "AWS_IAM" && !authorizers.has(authorizer);
    if let Some(other) = default.as_deref().filter(unknown) {
        return Err(refused(name, &format!("the authorizer {other} is not available in Pagoda")));
    }
    let to_preflight =
        auth.get("AddDefaultAuthorizerToCorsPreflight").is_none_or(|flag| *flag != json!(false));
    Ok(Auth { default, invoke_role: text("InvokeRole"), to_preflight, authorizers })
}

fn has_route(body: &Value, route: &Route) -> bool {
    let path = body.get("paths").and_then(|paths| paths.get(&route.path));
    path.is_some_and(|path| {
        path.get(&route.verb).is_some() || path.get("x-amazon-apigateway-any-method").is_some()
    })
}

fn described((place, name, required): &(&str, String, bool), is_third: bool) -> Value {
    let mut parameter = json!({ "in": place, "name": name, "required": required });
    match is_third {
        true => parameter["schema"] = json!({ "type": "string" }),
        false => parameter["type"] = json!("string"),
    }
    parameter
}

fn operation(name: &str, route: &Route, auth: &Auth, is_third: bool) -> Checked<Value> {
    let uri = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{}/invocations",
        route.target
    );
    let mut integration = json!({ "httpMethod": "POST", "type": "aws_proxy", "uri": { "Fn::Sub": uri } });
    let mut operation = json!({ "responses": {} });
    match route.authorizer.as_deref().or(auth.default.as_deref()) {
        None | Some("NONE") => {}
        Some("AWS_IAM") => {
            operation["security"] = json!([{ "AWS_IAM": [] }]);
            match route.invoke_role.as_deref().or(auth.invoke_role.as_deref()).unwrap_or("CALLER_CREDENTIALS")
            {
                "CALLER_CREDENTIALS" => integration["credentials"] = json!(CALLER),
                "NONE" => {}
                role => integration["credentials"] = json!(role),
            }
        }
        Some(other) if auth.authorizers.has(other) => operation["security"] = json!([{ other: [] }]),
        Some(other) => {
            return Err(refused(name, &format!("the authorizer {other} is not available in Pagoda")));
        }
    }
    operation["x-amazon-apigateway-integration"] = integration;
    if !route.parameters.is_empty() {
        let parameters = route.parameters.iter();
        operation["parameters"] = parameters.map(|parameter| described(parameter, is_third)).collect();
    }
    Ok(operation)
}
