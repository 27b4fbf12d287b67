//! `AWS::Serverless::Api`, explicit or implied by events, becomes an API with its definition, a deployment
//! and a stage.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use super::globals::Globals;
use super::{IMPLICIT_API, Route, Sam, check_properties, refused};
use crate::template::{Checked, Object, object};

const PROPERTIES: [&str; 12] = [
    "Auth",
    "BinaryMediaTypes",
    "Cors",
    "DefinitionBody",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointConfiguration",
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
        let body = definition(name, &properties, &routes)?;

        let mut api = json!({ "Body": body });
        for field in [
            "BinaryMediaTypes",
            "Description",
            "DisableExecuteApiEndpoint",
            "EndpointConfiguration",
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
        if let Some(Value::String(kind)) = properties.get("EndpointConfiguration") {
            api["EndpointConfiguration"] = json!({ "Types": [kind] });
        }
        // A new definition makes a new deployment; the same one keeps its own.
        let hash = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, api["Body"].to_string().as_bytes()));
        let deployment = format!("{name}Deployment{}", &hash[..10]);
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
        self.add(name, "AWS::ApiGateway::RestApi", api, resource);
        let description = json!(format!("RestApi deployment id: {hash}"));
        let deployed = json!({ "RestApiId": { "Ref": name }, "Description": description });
        self.add_beside(deployment.clone(), "AWS::ApiGateway::Deployment", deployed, resource);
        let mut staged = json!({ "RestApiId": { "Ref": name }, "DeploymentId": { "Ref": deployment }, "StageName": stage });
        if let Some(variables) = properties.get("Variables") {
            staged["Variables"] = variables.clone();
        }
        self.add_beside(stage_id, "AWS::ApiGateway::Stage", staged, resource);
        Ok(())
    }
}

/// The OpenAPI definition: the given one, or one made of the routes; with CORS where it is asked for.
fn definition(name: &str, properties: &Object, routes: &[Route]) -> Checked<Value> {
    let auth = auth(name, properties)?;
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
        None => json!({
            "swagger": "2.0",
            "info": { "version": "1.0", "title": properties.get("Name").cloned().unwrap_or(json!({ "Ref": "AWS::StackName" })) },
            "paths": {},
        }),
    };
    if properties.get("DefinitionBody").is_none() {
        for route in routes {
            let verb = if route.verb == "any" { "x-amazon-apigateway-any-method" } else { &route.verb };
            body["paths"][&route.path][verb] = operation(name, route, &auth)?;
        }
    }
    if let Some(cors) = properties.get("Cors") {
        add_cors(name, &mut body, cors, &auth)?;
    }
    if auth.default.is_some() || routes.iter().any(|route| route.authorizer.as_deref() == Some("AWS_IAM")) {
        body["securityDefinitions"]["AWS_IAM"] = json!({
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
        });
    }
    Ok(body)
}

struct Auth {
    default: Option<String>,
    invoke_role: Option<String>,
    to_preflight: bool,
}

fn auth(name: &str, properties: &Object) -> Checked<Auth> {
    let none = json!({});
    let auth = object(properties.get("Auth").unwrap_or(&none), "Auth must be a map")?;
    check_properties(
        name,
        auth,
        &["DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight"],
    )?;
    let text = |field: &str| auth.get(field).and_then(Value::as_str).map(str::to_owned);
    let default = text("DefaultAuthorizer");
    if let Some(other) = default.as_deref().filter(|authorizer| *authorizer != "AWS_IAM") {
        return Err(refused(name, &format!("the authorizer {other} is not available in Pagoda")));
    }
    let to_preflight =
        auth.get("AddDefaultAuthorizerToCorsPreflight").is_none_or(|flag| *flag != json!(false));
    Ok(Auth { default, invoke_role: text("InvokeRole"), to_preflight })
}

fn has_route(body: &Value, route: &Route) -> bool {
    let path = body.get("paths").and_then(|paths| paths.get(&route.path));
    path.is_some_and(|path| {
        path.get(&route.verb).is_some() || path.get("x-amazon-apigateway-any-method").is_some()
    })
}

fn operation(name: &str, route: &Route, auth: &Auth) -> Checked<Value> {
    let uri = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}.Arn}}/invocations",
        route.function
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
        Some(other) => {
            return Err(refused(name, &format!("the authorizer {other} is not available in Pagoda")));
        }
    }
    operation["x-amazon-apigateway-integration"] = integration;
    Ok(operation)
}

/// Adds an `OPTIONS` method, answered by a mock, to every path that has none.
fn add_cors(name: &str, body: &mut Value, cors: &Value, auth: &Auth) -> Checked<()> {
    let text = |field: &str| match cors {
        Value::Object(fields) => fields.get(field).cloned(),
        origin if field == "AllowOrigin" => Some(origin.clone()),
        _ => None,
    };
    if let Value::Object(fields) = cors {
        check_properties(
            name,
            fields,
            &["AllowOrigin", "AllowMethods", "AllowHeaders", "MaxAge", "AllowCredentials"],
        )?;
    }
    let paths = body.get_mut("paths").and_then(Value::as_object_mut);
    for (_, path) in paths.into_iter().flatten() {
        let Some(verbs) = path.as_object_mut() else { continue };
        if verbs.contains_key("options") {
            continue;
        }
        let own = if verbs.contains_key("x-amazon-apigateway-any-method") {
            "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT".to_owned()
        } else {
            let mut own: Vec<String> =
                verbs.keys().map(|verb| verb.to_ascii_uppercase()).chain(["OPTIONS".into()]).collect();
            own.sort_unstable();
            own.join(",")
        };
        let credentials =
            text("AllowCredentials").filter(|flag| *flag == json!(true)).map(|_| json!("'true'"));
        let headers = [
            ("Access-Control-Allow-Origin", text("AllowOrigin")),
            ("Access-Control-Allow-Methods", text("AllowMethods").or(Some(json!(format!("'{own}'"))))),
            ("Access-Control-Allow-Headers", text("AllowHeaders")),
            ("Access-Control-Max-Age", text("MaxAge")),
            ("Access-Control-Allow-Credentials", credentials),
        ];
        let headers: Vec<(&str, Value)> =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let mut options = preflight(&headers);
        if auth.default.is_some() && auth.to_preflight {
            options["security"] = json!([{ "AWS_IAM": [] }]);
        }
        verbs.insert("options".into(), options);
    }
    Ok(())
}

fn preflight(headers: &[(&str, Value)]) -> Value {
    let declared: Object =
        headers.iter().map(|(name, _)| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    let parameters =
        headers.iter().map(|(name, value)| (format!("method.response.header.{name}"), value.clone()));
    let parameters: Object = parameters.collect();
    json!({
        "summary": "CORS support",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": { "application/json": "{\n  \"statusCode\" : 200\n}\n" },
            "responses": {
                "default": {
                    "statusCode": "200",
                    "responseParameters": parameters,
                    "responseTemplates": { "application/json": "{}\n" },
                },
            },
        },
        "responses": { "200": { "description": "Default response for CORS method", "headers": declared } },
    })
}
