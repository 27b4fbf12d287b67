//! Events of a function, by their types; and of these the routes of an API, with API Gateway's permission to invoke.

use serde_json::{Value, json};

use super::alias::Target;
use super::rule_event::is_rule;
use super::{IMPLICIT_API, Route, Sam, check_properties, refused};
use crate::template::{Checked, Object, object};

impl Sam {
    /// Takes in an event of a function, which `target` is invoked for.
    pub(crate) fn event(
        &mut self,
        function: &str,
        target: &Target,
        event: &str,
        value: &Value,
        origin: &Value,
    ) -> Checked<()> {
        let kind = value.get("Type").and_then(Value::as_str).unwrap_or_default();
        let none = json!({});
        let properties = object(value.get("Properties").unwrap_or(&none), "Event properties must be a map");
        match kind {
            "Api" => self.route(function, target, event, properties?, origin),
            "DynamoDB" => self.follow(function, target, event, properties?, origin),
            "S3" => self.notified(function, target, event, properties?, origin),
            kind if is_rule(kind) => self.rule(function, target, (event, kind), properties?, origin),
            kind => Err(refused(
                function,
                &format!("Event with id [{event}] is of type {kind}, which is not available in Pagoda"),
            )),
        }
    }

    fn route(
        &mut self,
        function: &str,
        target: &Target,
        event: &str,
        properties: &Object,
        origin: &Value,
    ) -> Checked<()> {
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
        self.permission(function, target, event, api, (path, verb), origin);
        self.routes.entry(api.to_owned()).or_default().push(Route {
            path: path.to_owned(),
            verb: verb.to_ascii_lowercase(),
            target: target.substituted(),
            authorizer,
            invoke_role,
            parameters: parameters(function, properties)?,
        });
        Ok(())
    }

    /// API Gateway may invoke the function, for this path of this API only.
    fn permission(
        &mut self,
        function: &str,
        target: &Target,
        event: &str,
        api: &str,
        (path, verb): (&str, &str),
        origin: &Value,
    ) {
        let verb = if verb.eq_ignore_ascii_case("any") { "*".to_owned() } else { verb.to_ascii_uppercase() };
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "*" } else { part }).collect();
        let source = format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{verb}{}",
            path.join("/")
        );
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": target.reference(),
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
