//! AddPermission RemovePermission GetPolicy: the function's resource policy, a statement at a time.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html>

use std::collections::BTreeMap;

use pagoda_base::{AccountId, ids};
use pagoda_policy::{Document, Kind};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Decision, update};
use serde_json::{Value, json};

use crate::generated as g;
use crate::name;
use crate::table::{self, Function};
use crate::update::check_revision;
use crate::{Lambda, alias};

/// The quota of a function's policy, in bytes.
const POLICY_BYTES_MAX: usize = 20_480;

pub(crate) async fn add(
    lambda: &Lambda,
    cx: &Context,
    input: g::AddPermissionRequest,
) -> Result<g::AddPermissionResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    alias::check_qualifier(lambda, &named).await?;
    let statement = statement(&named.arn(), &input)?;
    change(lambda, &named, input.revision_id.as_deref(), |statements| {
        let id = &input.statement_id;
        if statements.contains_key(id) {
            return Err(exists(id));
        }
        statements.insert(id.clone(), statement.clone());
        check_length(statements)
    })
    .await?;
    Ok(g::AddPermissionResponse { statement: Some(statement) })
}

pub(crate) async fn remove(
    lambda: &Lambda,
    cx: &Context,
    input: g::RemovePermissionRequest,
) -> Result<Unit, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    lambda.load(&named).await?;
    change(lambda, &named, input.revision_id.as_deref(), |statements| {
        let id = &input.statement_id;
        statements.remove(id).map(drop).ok_or_else(|| no_statement(id))
    })
    .await?;
    Ok(Unit)
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetPolicyRequest,
) -> Result<g::GetPolicyResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let loaded = lambda.load(&named).await?;
    let qualifier = named.qualifier.as_deref().unwrap_or_default();
    let policy = loaded.function.record.policies.get(qualifier).ok_or_else(no_policy)?;
    let text = document(&policy.statements).ok_or_else(no_policy)?;
    Ok(g::GetPolicyResponse { policy: Some(text), revision_id: Some(policy.revision.clone()) })
}

/// The answer to a statement id that is taken.
pub(crate) fn exists(id: &str) -> ApiError {
    let message = format!(
        "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
         existing statement."
    );
    g::ResourceConflictException::new(message).into()
}

/// The answer to a statement id that is not there.
pub(crate) fn no_statement(id: &str) -> ApiError {
    g::ResourceNotFoundException::new(format!("Statement {id} is not found in resource policy.")).into()
}

/// The answer where there is no policy.
pub(crate) fn no_policy() -> ApiError {
    g::ResourceNotFoundException::new("The resource you requested does not exist.").into()
}

/// The policy document of these statements; none of none.
pub(crate) fn document(statements: &BTreeMap<String, String>) -> Option<String> {
    if statements.is_empty() {
        return None;
    }
    let statements: Vec<&str> = statements.values().map(String::as_str).collect();
    Some(format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#, statements.join(",")))
}

async fn change(
    lambda: &Lambda,
    named: &name::Named,
    revision: Option<&str>,
    apply: impl Fn(&mut BTreeMap<String, String>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let random = &*lambda.ports.random;
    update(lambda.store(), &table::function(&named.function), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&named.arn()))?;
        let qualifier = named.qualifier.clone().unwrap_or_default();
        let policy = function.policies.entry(qualifier).or_default();
        check_revision(&policy.revision, revision)?;
        apply(&mut policy.statements)?;
        policy.revision = ids::uuid(random);
        function.policies.retain(|_, policy| !policy.statements.is_empty());
        Ok(Decision::save(function, ()))
    })
    .await
}

/// One statement, as AWS writes it, known to be one that the evaluator reads.
fn statement(arn: &str, input: &g::AddPermissionRequest) -> Result<String, ApiError> {
    let (mut conditions, mut equal) = (serde_json::Map::new(), serde_json::Map::new());
    if let Some(account) = &input.source_account {
        equal.insert("AWS:SourceAccount".into(), json!(account));
    }
    if let Some(source) = &input.source_arn {
        conditions.insert("ArnLike".into(), json!({ "AWS:SourceArn": source }));
    }
    if let Some(kind) = &input.function_url_auth_type {
        equal.insert("lambda:FunctionUrlAuthType".into(), json!(kind.as_str()));
    }
    if !equal.is_empty() {
        conditions.insert("StringEquals".into(), Value::Object(equal));
    }
    if let Some(via) = input.invoked_via_function_url {
        conditions.insert("Bool".into(), json!({ "lambda:InvokedViaFunctionUrl": via.to_string() }));
    }
    let mut statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal(&input.principal),
        "Action": input.action,
        "Resource": arn,
    });
    if !conditions.is_empty() {
        statement["Condition"] = Value::Object(conditions);
    }
    check_statement(statement)
}

/// The statement's text, if the evaluator reads it.
pub(crate) fn check_statement(statement: Value) -> Result<String, ApiError> {
    let text = statement.to_string();
    let whole = document(&BTreeMap::from([(String::new(), text.clone())])).unwrap_or_default();
    match Document::parse(&whole, Kind::Resource) {
        Ok(_) => Ok(text),
        Err(_) => {
            let message = "The provided principal was invalid. Please check the principal and try again.";
            Err(g::InvalidParameterValueException::new(message).into())
        }
    }
}

/// A principal as policies write it.
pub(crate) fn principal(text: &str) -> Value {
    match text.parse::<AccountId>() {
        _ if text == "*" => json!("*"),
        Ok(account) => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
        Err(_) if text.starts_with("arn:") => json!({ "AWS": text }),
        Err(_) => json!({ "Service": text }),
    }
}

/// Refuses a policy that is too long.
pub(crate) fn check_length(statements: &BTreeMap<String, String>) -> Result<(), ApiError> {
    match document(statements).map_or(0, |text| text.len()) {
        bytes if bytes > POLICY_BYTES_MAX => {
            let message =
                format!("The final policy size ({bytes}) is bigger than the limit ({POLICY_BYTES_MAX}).");
            Err(g::PolicyLengthExceededException::new(message).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(principal: &str, source_arn: Option<&str>) -> Result<String, String> {
        let input = g::AddPermissionRequest {
            statement_id: "s".into(),
            action: "lambda:InvokeFunction".into(),
            principal: principal.into(),
            source_arn: source_arn.map(Into::into),
            ..Default::default()
        };
        statement("arn:f", &input).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn statements_are_written_as_aws_writes_them() {
        let head = r#"{"Sid":"s","Effect":"Allow","Principal":"#;
        let tail = r#","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f""#;
        let tail = tail.replace("arn:aws:lambda:us-east-1:123456789012:function:f", "arn:f");
        for (given, expected) in [
            ("*", r#""*""#),
            ("123456789012", r#"{"AWS":"arn:aws:iam::123456789012:root"}"#),
            ("arn:aws:iam::123456789012:role/r", r#"{"AWS":"arn:aws:iam::123456789012:role/r"}"#),
            ("apigateway.amazonaws.com", r#"{"Service":"apigateway.amazonaws.com"}"#),
        ] {
            assert_eq!(written(given, None), Ok(format!("{head}{expected}{tail}}}")), "{given}");
        }
        let conditional = written("s3.amazonaws.com", Some("arn:aws:s3:::b")).unwrap();
        assert!(conditional.ends_with(r#""Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}"#));
        for wrong in ["nobody", "arn:aws:iam::1:x", "", "apigateway.amazonaws.com\""] {
            assert_eq!(written(wrong, None), Err("InvalidParameterValueException".into()), "{wrong}");
        }
    }
}
