//! `AWS::Serverless::Function` becomes a function, its role, and the permissions of its events.

use serde_json::{Value, json};

use super::globals::Globals;
use super::policy::Policies;
use super::{IMPLICIT_API, Route, Sam, check_properties, refused};
use crate::template::{Checked, Object, object};

/// Properties that go to the function as they are.
const PASSED: [&str; 14] = [
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "RuntimeManagementConfig",
    "SnapStart",
    "Timeout",
    "VpcConfig",
];
/// Properties that this transform acts on.
const ACTED_ON: [&str; 14] = [
    "AssumeRolePolicyDocument",
    "CodeUri",
    "Events",
    "InlineCode",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "Role",
    "RoleName",
    "RolePath",
    "Runtime",
    "Tags",
    "Tracing",
];

impl Sam {
    pub(crate) fn function(&mut self, name: &str, resource: &Value) -> Checked<()> {
        let properties = Globals::under(&self.globals.function, resource)?;
        let known: Vec<&str> = PASSED.iter().chain(&ACTED_ON).copied().collect();
        check_properties(name, &properties, &known)?;
        let mut function = json!({ "Code": code(name, &properties)? });
        for field in PASSED.iter().chain(&["Runtime", "PackageType"]) {
            if let Some(value) = properties.get(*field) {
                function[*field] = value.clone();
            }
        }
        if let Some(mode) = properties.get("Tracing").filter(|mode| *mode != "Disabled") {
            function["TracingConfig"] = json!({ "Mode": mode });
        }
        function["Tags"] = tags(properties.get("Tags"));
        function["Role"] = match properties.get("Role") {
            Some(role) => role.clone(),
            None => {
                self.role(name, &properties, resource)?;
                json!({ "Fn::GetAtt": [format!("{name}Role"), "Arn"] })
            }
        };
        self.add(name, "AWS::Lambda::Function", function, resource);
        for (event, value) in properties.get("Events").and_then(Value::as_object).into_iter().flatten() {
            self.event(name, event, value, resource)?;
        }
        Ok(())
    }

    fn role(&mut self, name: &str, properties: &Object, resource: &Value) -> Checked<()> {
        let policies = Policies::read(name, properties.get("Policies"))?;
        let mut managed = vec![json!("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")];
        managed.extend(policies.managed);
        managed.dedup();
        let trust = properties.get("AssumeRolePolicyDocument").cloned().unwrap_or_else(|| {
            json!({
                "Version": "2012-10-17",
                "Statement": [{ "Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": { "Service": ["lambda.amazonaws.com"] } }],
            })
        });
        let mut role = json!({
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": managed,
            "Tags": tags(properties.get("Tags").filter(|_| properties.get("PropagateTags") == Some(&json!(true)))),
        });
        if !policies.documents.is_empty() {
            let inline = policies.documents.into_iter().enumerate();
            role["Policies"] = inline
                .map(|(index, document)| json!({ "PolicyName": format!("{name}RolePolicy{index}"), "PolicyDocument": versioned(document) }))
                .collect();
        }
        for (field, target) in
            [("PermissionsBoundary", "PermissionsBoundary"), ("RoleName", "RoleName"), ("RolePath", "Path")]
        {
            if let Some(value) = properties.get(field) {
                role[target] = value.clone();
            }
        }
        self.add_beside(format!("{name}Role"), "AWS::IAM::Role", role, resource);
        Ok(())
    }

    fn event(&mut self, function: &str, event: &str, value: &Value, origin: &Value) -> Checked<()> {
        let kind = value.get("Type").and_then(Value::as_str).unwrap_or_default();
        if kind != "Api" {
            return Err(refused(
                function,
                &format!("Event with id [{event}] is of type {kind}, which is not available in Pagoda"),
            ));
        }
        let none = json!({});
        let properties = object(value.get("Properties").unwrap_or(&none), "Event properties must be a map")?;
        check_properties(
            function,
            properties,
            &["Path", "Method", "RestApiId", "Auth", "RequestParameters"],
        )?;
        let text = |field: &str| properties.get(field).and_then(Value::as_str);
        let (Some(path), Some(verb)) = (text("Path"), text("Method")) else {
            return Err(refused(
                function,
                &format!("Event with id [{event}] is invalid. Event is missing Path or Method"),
            ));
        };
        let api = match properties.get("RestApiId") {
            None => IMPLICIT_API,
            Some(reference) => reference.get("Ref").and_then(Value::as_str).ok_or_else(|| {
                refused(function, &format!("Event with id [{event}]: RestApiId must be a Ref to an AWS::Serverless::Api of the template"))
            })?,
        };
        let (authorizer, invoke_role) = authorization(function, properties.get("Auth"))?;
        self.permission(function, event, api, path, verb, origin);
        self.routes.entry(api.to_owned()).or_default().push(Route {
            path: path.to_owned(),
            verb: verb.to_ascii_lowercase(),
            function: function.to_owned(),
            authorizer,
            invoke_role,
            parameters: parameters(function, properties)?,
        });
        Ok(())
    }

    /// API Gateway may invoke the function, for this path of this API only.
    fn permission(&mut self, function: &str, event: &str, api: &str, path: &str, verb: &str, origin: &Value) {
        let verb = if verb.eq_ignore_ascii_case("any") { "*".to_owned() } else { verb.to_ascii_uppercase() };
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "*" } else { part }).collect();
        let source = format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{verb}{}",
            path.join("/")
        );
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": { "Ref": function },
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": { "Fn::Sub": [source, { "__ApiId__": { "Ref": api }, "__Stage__": "*" }] },
        });
        let stage = if api == IMPLICIT_API { "Prod" } else { "" };
        self.add_beside(
            format!("{function}{event}Permission{stage}"),
            "AWS::Lambda::Permission",
            permission,
            origin,
        );
    }
}

/// The tags that SAM sets, and the given ones.
fn tags(given: Option<&Value>) -> Value {
    let given = given.and_then(Value::as_object).into_iter().flatten();
    let own = ("lambda:createdBy".to_owned(), json!("SAM"));
    let tags = [(&own.0, &own.1)].into_iter().chain(given);
    tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// `method.request.{header|querystring|path}.{name}` of an event, as OpenAPI has it: where, name, and whether
/// it is required.
fn parameters(function: &str, event: &Object) -> Checked<Vec<(&'static str, String, bool)>> {
    let invalid =
        |what: &str| refused(function, &format!("Invalid value for 'RequestParameters' property. {what}"));
    let mut read = Vec::new();
    for entry in event.get("RequestParameters").and_then(Value::as_array).into_iter().flatten() {
        let (name, settings) = match entry {
            Value::String(name) => (name.as_str(), Object::new()),
            Value::Object(fields) if fields.len() == 1 => {
                let (name, settings) = fields.iter().next().ok_or_else(|| invalid("Keys are missing"))?;
                (name.as_str(), object(settings, "RequestParameters must have settings in a map")?.clone())
            }
            _ => {
                return Err(invalid(
                    "Keys must be in the format 'method.request.[querystring|path|header].{value}'",
                ));
            }
        };
        check_properties(function, &settings, &["Required", "Caching"])?;
        if settings.get("Caching").is_some_and(|caching| *caching != json!(false)) {
            return Err(refused(function, "Caching of RequestParameters is not available in Pagoda"));
        }
        let known = [("header", "header"), ("querystring", "query"), ("path", "path")];
        let place = name.strip_prefix("method.request.").and_then(|rest| rest.split_once('.'));
        let found = place.and_then(|(place, name)| Some((known.iter().find(|one| one.0 == place)?.1, name)));
        let (place, name) = found.ok_or_else(|| {
            invalid("Keys must be in the format 'method.request.[querystring|path|header].{value}'")
        })?;
        // A part of the path is always there.
        let required = place == "path" || settings.get("Required") == Some(&json!(true));
        read.push((place, name.to_owned(), required));
    }
    Ok(read)
}

fn authorization(function: &str, auth: Option<&Value>) -> Checked<(Option<String>, Option<String>)> {
    let Some(auth) = auth else { return Ok((None, None)) };
    let auth = object(auth, "Auth must be a map")?;
    check_properties(function, auth, &["Authorizer", "InvokeRole"])?;
    let text = |field: &str| auth.get(field).and_then(Value::as_str).map(str::to_owned);
    Ok((text("Authorizer"), text("InvokeRole")))
}

/// `CodeUri` as packaged (`s3://bucket/key`, or its parts), or code in the template itself.
fn code(name: &str, properties: &Object) -> Checked<Value> {
    match (properties.get("CodeUri"), properties.get("InlineCode")) {
        (_, Some(code)) => Ok(json!({ "ZipFile": code })),
        (Some(Value::String(uri)), None) => {
            let place = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = place.ok_or_else(|| {
                refused(name, "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.")
            })?;
            Ok(json!({ "S3Bucket": bucket, "S3Key": key }))
        }
        (Some(Value::Object(place)), None) => {
            check_properties(name, place, &["Bucket", "Key", "Version"])?;
            let mut code = json!({});
            for (field, target) in [("Bucket", "S3Bucket"), ("Key", "S3Key"), ("Version", "S3ObjectVersion")]
            {
                if let Some(value) = place.get(field) {
                    code[target] = value.clone();
                }
            }
            Ok(code)
        }
        _ => Err(refused(name, "Missing required property 'CodeUri'.")),
    }
}

fn versioned(mut document: Value) -> Value {
    if document.get("Version").is_none() {
        document["Version"] = json!("2012-10-17");
    }
    document
}
