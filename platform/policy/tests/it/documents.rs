//! Documents that AWS would not store.

use pagoda_policy::{Document, Kind};

#[track_caller]
fn refused(kind: Kind, text: &str, message: &str) {
    let found = Document::parse(text, kind).err().map(|e| e.to_string());
    assert_eq!(found.as_deref(), Some(message), "{text}");
}

#[test]
fn identity_documents() {
    let check = |text, message| refused(Kind::Identity, text, message);
    check("", "This policy contains invalid Json");
    check("{", "This policy contains invalid Json");
    check("[]", "Syntax errors in policy.");
    check("{}", "Syntax errors in policy.");
    check(r#"{"Version":"2012-10-17","Statement":[],"Statement":[]}"#, "This policy contains invalid Json");
    check(r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors in policy.");
    check(
        r#"{"Version":"2013-01-01","Statement":[]}"#,
        "Policy document must be version 2012-10-17 or greater.",
    );
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"X":1}"#,
        "Syntax errors in policy.",
    );
    check(r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, "Policy statement must contain resources.");
    check(r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, "Policy statement must contain actions.");
    check(r#"{"Statement":{"Action":"*","Resource":"*"}}"#, "Missing required field Effect");
    check(r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, "Invalid effect: allow");
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}"#,
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    );
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}"#,
        "Resource bucket must be in ARN format or \"*\".",
    );
    check(
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#,
        "Policy document should not specify a principal.",
    );
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{"aws:x":"1"}}}}"#,
        "Invalid Condition type : Equals",
    );
    let twice = r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    check(twice, "Statement IDs (SID) in a single policy must be unique.");
}

#[test]
fn resource_and_trust_documents() {
    let statement = |principal: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"s3:*","Resource":"*"}}}}"#
        )
    };
    refused(Kind::Resource, &statement(r#"{"AWS":"ann"}"#), "Invalid principal in policy: \"AWS\":\"ann\"");
    refused(Kind::Resource, &statement("5"), "Invalid principal in policy");
    refused(
        Kind::Resource,
        &statement(r#"{"Service":"x"}"#),
        "Invalid principal in policy: \"Service\":\"x\"",
    );
    refused(
        Kind::Resource,
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
        "Missing required field Principal",
    );
    refused(
        Kind::Trust,
        &statement(r#"{"Service":"lambda.amazonaws.com"}"#),
        "Has prohibited field Resource",
    );
}

#[test]
fn nesting_is_bounded() {
    let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(Kind::Identity, &text, "The policy is too long.");
    let text = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    refused(Kind::Identity, &text, "This policy contains invalid Json");
}
