//! Policy documents of each kind, and decisions by them.

use std::sync::Arc;

use pagoda_policy::{Document, Keys, Kind, Named, Policies, Principal, Request, decide};

use super::{Target, texts};

pub(crate) const TARGET: Target = Target {
    name: "policy",
    seeds: || {
        texts(&[
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": ["s3:Get*", "s3:?"],
                "Resource": "arn:aws:s3:::b/${aws:username}/*", "Condition": {"StringLike": {"aws:PrincipalTag/a":
                ["x*"]}, "NumericLessThanIfExists": {"s3:max-keys": "5"}}}]}"#,
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "NotAction": "*", "NotResource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "DateLessThan": {"aws:CurrentTime":
                "2030-01-01T00:00:00Z"}, "Null": {"aws:TokenIssueTime": "true"}}}}"#,
        ])
    },
    words: &[
        "\"Effect\"",
        "\"Allow\"",
        "\"Principal\": {\"AWS\": \"*\"}",
        "${",
        "}",
        "*",
        "?",
        "ForAllValues:",
        "::",
    ],
    run: |_, input| Box::pin(async move { read(&String::from_utf8_lossy(input)) }),
};

fn read(text: &str) -> Result<(), String> {
    Document::parse(text, Kind::Resource).ok();
    Document::parse(text, Kind::Trust).ok();
    let document = Document::parse(text, Kind::Identity).map_err(|malformed| malformed.to_string())?;
    let account = "123456789012".parse().map_err(|_| "twelve digits are an account")?;
    let principal = Principal::User { account, arn: "arn:aws:iam::123456789012:user/ada".into() };
    let mut keys = Keys::default();
    keys.set("aws:SourceIp", "10.1.2.3");
    keys.set("aws:username", "ada");
    keys.set("aws:PrincipalTag/a", "xyz");
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::b/ada/key",
        owner: account,
        keys: &keys,
    };
    let identity = [Named { name: "policy".into(), document: Arc::new(document) }];
    let policies = Policies {
        identity: &identity,
        boundary: None,
        session: &[],
        resource: None,
        resource_must_allow: false,
        guardrails: &[],
    };
    decide(&request, &policies);
    Ok(())
}
