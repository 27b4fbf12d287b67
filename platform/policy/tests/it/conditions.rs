//! Condition operators, a row each.

use crate::scene::{OWN, Scene, user};

#[track_caller]
fn check(condition: &str, key: &str, values: &[&str], expected: bool) {
    let statement =
        format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{{condition}}}}}"#);
    Scene::of(user(OWN)).identity(&statement).key(key, values).expect(expected);
}

#[test]
fn strings() {
    check(r#""StringEquals":{"aws:x":"a"}"#, "AWS:X", &["a"], true);
    check(r#""StringEquals":{"aws:x":["b","a"]}"#, "aws:x", &["a"], true);
    check(r#""StringEquals":{"aws:x":"a*"}"#, "aws:x", &["ab"], false);
    check(r#""StringLike":{"aws:x":"a*"}"#, "aws:x", &["ab"], true);
    check(r#""StringNotLike":{"aws:x":"a*"}"#, "aws:x", &["ab"], false);
    check(r#""StringEqualsIgnoreCase":{"aws:x":"A"}"#, "aws:x", &["a"], true);
    check(r#""StringNotEquals":{"aws:x":["a","b"]}"#, "aws:x", &["b"], false);
    check(r#""StringNotEquals":{"aws:x":["a","b"]}"#, "aws:x", &["c"], true);
}

#[test]
fn absent_keys() {
    check(r#""StringEquals":{"aws:x":"a"}"#, "aws:y", &["a"], false);
    check(r#""StringNotEquals":{"aws:x":"a"}"#, "aws:y", &["a"], true);
    check(r#""StringEqualsIfExists":{"aws:x":"a"}"#, "aws:y", &["a"], true);
    check(r#""StringEqualsIfExists":{"aws:x":"a"}"#, "aws:x", &["b"], false);
    check(r#""Null":{"aws:x":"true"}"#, "aws:y", &["a"], true);
    check(r#""Null":{"aws:x":"false"}"#, "aws:x", &["a"], true);
    check(r#""Null":{"aws:x":"true"}"#, "aws:x", &["a"], false);
}

#[test]
fn sets() {
    check(r#""ForAllValues:StringEquals":{"aws:x":["a","b"]}"#, "aws:x", &["a", "b"], true);
    check(r#""ForAllValues:StringEquals":{"aws:x":["a","b"]}"#, "aws:x", &["a", "c"], false);
    check(r#""ForAllValues:StringEquals":{"aws:x":["a","b"]}"#, "aws:y", &["a"], true);
    check(r#""ForAnyValue:StringEquals":{"aws:x":["a","b"]}"#, "aws:x", &["c", "b"], true);
    check(r#""ForAnyValue:StringEquals":{"aws:x":["a","b"]}"#, "aws:x", &["c"], false);
    check(r#""ForAnyValue:StringEquals":{"aws:x":"a"}"#, "aws:y", &["a"], false);
    check(r#""StringEquals":{"aws:x":"a"}"#, "aws:x", &["a", "b"], false);
}

#[test]
fn numbers_dates_flags() {
    check(r#""NumericLessThanEquals":{"s3:max-keys":"10"}"#, "s3:max-keys", &["10"], true);
    check(r#""NumericLessThan":{"s3:max-keys":10}"#, "s3:max-keys", &["10"], false);
    check(r#""NumericEquals":{"s3:max-keys":10}"#, "s3:max-keys", &["ten"], false);
    check(
        r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#,
        "aws:CurrentTime",
        &["2021-01-01T00:00:00Z"],
        true,
    );
    check(
        r#""DateLessThan":{"aws:CurrentTime":"2020-01-01"}"#,
        "aws:CurrentTime",
        &["2021-01-01T00:00:00Z"],
        false,
    );
    check(r#""DateLessThan":{"aws:EpochTime":"100"}"#, "aws:EpochTime", &["99"], true);
    check(r#""Bool":{"aws:SecureTransport":"true"}"#, "aws:SecureTransport", &["true"], true);
    check(r#""Bool":{"aws:SecureTransport":false}"#, "aws:SecureTransport", &["true"], false);
    check(r#""BinaryEquals":{"aws:x":"YQ=="}"#, "aws:x", &["YQ=="], true);
}

#[test]
fn addresses() {
    check(r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "aws:SourceIp", &["203.0.113.9"], true);
    check(r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "aws:SourceIp", &["203.0.114.9"], false);
    check(r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, "aws:SourceIp", &["203.0.114.9"], true);
    check(r#""IpAddress":{"aws:SourceIp":"2001:db8::/32"}"#, "aws:SourceIp", &["2001:db8:1::1"], true);
    check(r#""NotIpAddress":{"aws:SourceIp":"203.0.113.7"}"#, "aws:SourceIp", &["203.0.113.7"], false);
}

#[test]
fn arns() {
    let source = "arn:aws:execute-api:us-east-1:111111111111:abc/prod/GET/x";
    let like = r#""ArnLike":{"aws:SourceArn":"arn:aws:execute-api:*:111111111111:abc/*/GET/*"}"#;
    check(like, "aws:SourceArn", &[source], true);
    check(r#""ArnLike":{"aws:SourceArn":"arn:aws:execute-api:*:abc/*"}"#, "aws:SourceArn", &[source], false);
    check(
        r#""ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:::b"}"#,
        "aws:SourceArn",
        &["arn:aws:s3:::b"],
        false,
    );
}

#[test]
fn variables_in_values() {
    check(r#""StringEquals":{"aws:x":"${aws:x}"}"#, "aws:x", &["a"], true);
    check(r#""StringEquals":{"aws:x":"${aws:y}"}"#, "aws:x", &["a"], false);
    check(r#""StringNotEquals":{"aws:x":"${aws:y}"}"#, "aws:x", &["a"], false);
}
