//! `Auth.Authorizers` of an API: security schemes of its definition, and API Gateway's permission to invoke
//! the functions behind them.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html>

use serde_json::{Map, Value, json};

use super::{Sam, check_properties, refused};
use crate::template::{Checked, Object, object};

/// Functions that are asked who calls, by the authorizers' names.
#[derive(Default)]
pub(super) struct Authorizers(Vec<Authorizer>);

struct Authorizer {
    name: String,
    function: Value,
    /// Whether API Gateway invokes as a role, and needs no permission of the function's.
    has_role: bool,
    scheme: Value,
}

impl Authorizers {
    pub(super) fn read(api: &str, auth: &Object) -> Checked<Self> {
        let none = json!({});
        let all = object(auth.get("Authorizers").unwrap_or(&none), "Authorizers must be a map")?;
        all.iter().map(|(name, fields)| read(api, name, fields)).collect::<Checked<_>>().map(Self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|authorizer| authorizer.name == name)
    }

    /// Adds the schemes to a definition.
    pub(super) fn describe(&self, body: &mut Value) {
        for Authorizer { name, scheme, .. } in &self.0 {
            match body.get("openapi") {
                Some(_) => body["components"]["securitySchemes"][name] = scheme.clone(),
                None => body["securityDefinitions"][name] = scheme.clone(),
            }
        }
    }

    /// Lets API Gateway invoke the functions.
    pub(super) fn permit(&self, sam: &mut Sam, api: &str, origin: &Value) {
        for Authorizer { name, function, .. } in self.0.iter().filter(|authorizer| !authorizer.has_role) {
            let source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*";
            let permission = json!({
                "Action": "lambda:InvokeFunction",
                "FunctionName": function,
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": { "Fn::Sub": [source, { "__ApiId__": { "Ref": api } }] },
            });
            let id = format!("{api}{name}AuthorizerPermission");
            sam.add_beside(id, "AWS::Lambda::Permission", permission, origin);
        }
    }
}

fn read(api: &str, name: &str, fields: &Value) -> Checked<Authorizer> {
    let fields = object(fields, "An authorizer must be a map")?;
    let known = ["FunctionArn", "FunctionInvokeRole", "FunctionPayloadType", "Identity"];
    check_properties(api, fields, &known)?;
    let function = fields.get("FunctionArn").cloned();
    let function = function.ok_or_else(|| refused(api, &format!("{name} Authorizer has no FunctionArn")))?;
    let is_request = match fields.get("FunctionPayloadType").and_then(Value::as_str) {
        None | Some("TOKEN") => false,
        Some("REQUEST") => true,
        Some(_) => {
            let message =
                format!("{name} Authorizer has invalid 'FunctionPayloadType': must be TOKEN or REQUEST.");
            return Err(refused(api, &message));
        }
    };
    let none = json!({});
    let identity = object(fields.get("Identity").unwrap_or(&none), "Identity must be a map")?;
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations";
    let mut extension = json!({
        "type": if is_request { "request" } else { "token" },
        "authorizerUri": { "Fn::Sub": [uri, { "__FunctionArn__": function }] },
    });
    if let Some(seconds) = identity.get("ReauthorizeEvery") {
        extension["authorizerResultTtlInSeconds"] = seconds.clone();
    }
    let role = fields.get("FunctionInvokeRole").filter(|role| **role != json!("NONE"));
    if let Some(role) = role {
        extension["authorizerCredentials"] = role.clone();
    }
    let mut header = json!("Unused");
    if is_request {
        check_properties(
            api,
            identity,
            &["Context", "Headers", "QueryStrings", "ReauthorizeEvery", "StageVariables"],
        )?;
        extension["identitySource"] = json!(sources(api, name, identity)?);
    } else {
        check_properties(api, identity, &["Header", "ReauthorizeEvery", "ValidationExpression"])?;
        header = identity.get("Header").cloned().unwrap_or_else(|| json!("Authorization"));
        if let Some(expression) = identity.get("ValidationExpression") {
            extension["identityValidationExpression"] = expression.clone();
        }
    }
    let scheme = json!({
        "type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": extension,
    });
    Ok(Authorizer { name: name.to_owned(), function, has_role: role.is_some(), scheme })
}

fn sources(api: &str, name: &str, identity: &Map<String, Value>) -> Checked<String> {
    let places = [
        ("Headers", "method.request.header."),
        ("QueryStrings", "method.request.querystring."),
        ("StageVariables", "stageVariables."),
        ("Context", "context."),
    ];
    let mut sources = Vec::new();
    for (field, prefix) in places {
        let named = identity.get(field).and_then(Value::as_array).into_iter().flatten();
        sources.extend(named.filter_map(Value::as_str).map(|one| format!("{prefix}{one}")));
    }
    if sources.is_empty() && identity.get("ReauthorizeEvery") != Some(&json!(0)) {
        return Err(refused(
            api,
            &format!(
                "{name} Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context."
            ),
        ));
    }
    Ok(sources.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transformed(auth: Value, event: Value) -> Checked<Value> {
        let mut event = event;
        (event["Path"], event["Method"], event["RestApiId"]) =
            (json!("/a"), json!("get"), json!({ "Ref": "A" }));
        let function = json!({
            "CodeUri": "s3://b/k", "Handler": "a.h", "Runtime": "python3.12",
            "Events": { "E": { "Type": "Api", "Properties": event } },
        });
        super::super::transform(&json!({ "Transform": super::super::TRANSFORM, "Resources": {
            "A": { "Type": "AWS::Serverless::Api", "Properties": { "StageName": "s", "Cors": "'*'", "Auth": auth } },
            "F": { "Type": "AWS::Serverless::Function", "Properties": function },
        } }))
    }

    #[test]
    fn authorizers_are_schemes_with_a_permission() {
        let arn = json!({ "Fn::GetAtt": ["G", "Arn"] });
        let token = json!({ "FunctionArn": arn, "Identity": { "Header": "X", "ValidationExpression": "a+", "ReauthorizeEvery": 9 } });
        let request = json!({ "FunctionArn": arn, "FunctionPayloadType": "REQUEST", "FunctionInvokeRole": "arn:r",
            "Identity": { "Headers": ["H"], "QueryStrings": ["q"], "StageVariables": ["v"], "Context": ["stage"] } });
        let auth = json!({ "DefaultAuthorizer": "T", "Authorizers": { "T": token, "R": request } });
        let made = transformed(auth, json!({ "Auth": { "Authorizer": "R" } })).unwrap();
        let body = &made["Resources"]["A"]["Properties"]["Body"];
        let sources =
            "method.request.header.H, method.request.querystring.q, stageVariables.v, context.stage";
        for (pointer, expected) in [
            ("/paths/~1a/get/security", json!([{ "R": [] }])),
            ("/paths/~1a/options/security", json!([{ "T": [] }])),
            ("/securityDefinitions/T/name", json!("X")),
            ("/securityDefinitions/T/x-amazon-apigateway-authorizer/type", json!("token")),
            (
                "/securityDefinitions/T/x-amazon-apigateway-authorizer/identityValidationExpression",
                json!("a+"),
            ),
            ("/securityDefinitions/T/x-amazon-apigateway-authorizer/authorizerResultTtlInSeconds", json!(9)),
            ("/securityDefinitions/R/name", json!("Unused")),
            ("/securityDefinitions/R/x-amazon-apigateway-authorizer/identitySource", json!(sources)),
            ("/securityDefinitions/R/x-amazon-apigateway-authorizer/authorizerCredentials", json!("arn:r")),
        ] {
            assert_eq!(body.pointer(pointer), Some(&expected), "{pointer}");
        }
        assert_eq!(body.pointer("/securityDefinitions/AWS_IAM"), None);
        let permission = &made["Resources"]["ATAuthorizerPermission"]["Properties"];
        assert_eq!(permission["FunctionName"], arn);
        assert!(permission["SourceArn"]["Fn::Sub"][0].as_str().unwrap().ends_with("/authorizers/*"));
        assert_eq!(made["Resources"].get("ARAuthorizerPermission"), None);
    }

    #[test]
    fn what_is_no_authorizer_is_refused() {
        for (authorizer, named) in [
            (json!({}), "FunctionArn"),
            (json!({ "UserPoolArn": "p" }), "UserPoolArn"),
            (json!({ "FunctionArn": "f", "FunctionPayloadType": "x" }), "FunctionPayloadType"),
            (json!({ "FunctionArn": "f", "FunctionPayloadType": "REQUEST" }), "Identity"),
            (json!({ "FunctionArn": "f", "Identity": { "Headers": ["h"] } }), "Headers"),
        ] {
            let refused =
                transformed(json!({ "Authorizers": { "T": authorizer } }), json!({})).unwrap_err().0;
            assert!(refused.contains(named), "{named}: {refused}");
        }
        assert!(transformed(json!({ "DefaultAuthorizer": "T" }), json!({})).is_err());
    }
}
