//! awsJson 1.0 and 1.1: <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use pagoda_protocol::ApiError;

use crate::logs;
use crate::sample::{FOREST, Plant, Rest, Tree, answer, fault, input, refusal};

const PLANT: &str = "POST /\nx-amz-target: Forest_20120810.Plant\ncontent-type: application/x-amz-json-1.0";

fn tree(body: &str) -> Tree {
    input::<Plant>(&FOREST, PLANT, body).unwrap()
}

#[test]
fn documents_become_inputs() {
    let named = || Tree { name: "oak".into(), ..Tree::default() };
    let rows = [
        (r#"{"Name":"oak"}"#, named()),
        (r#" { "Name" : "elm" , "Name":"oak", "Count":null, "__type":"x" } "#, named()),
        (
            r#"{"Name":"oak","Colors":["RED","BLUE"]}"#,
            Tree { colors: Some(vec!["RED".into(), "BLUE".into()]), ..named() },
        ),
        (r#"{"Count":1e0,"Name":"oak"}"#, Tree { count: Some(1), ..named() }),
        (r#"{"Name":"o\u0061k","Data":"aGVsbG8="}"#, Tree { data: Some("hello".into()), ..named() }),
        (
            r#"{"Name":"oak","At":1421866952.062}"#,
            Tree { at: Some("2015-01-21T19:02:32.062Z".parse().unwrap()), ..named() },
        ),
        (
            r#"{"Name":"oak","Share":-0.5,"Flag":true}"#,
            Tree { share: Some(-0.5), flag: Some(true), ..named() },
        ),
        (r#"{"Name":"oak","Share":"Infinity"}"#, Tree { share: Some(f64::INFINITY), ..named() }),
        (
            r#"{"Name":"oak","Any":{"a":[1,null]}}"#,
            Tree { any: Some(serde_json::json!({"a": [1, null]})), ..named() },
        ),
        (r#"{"Name":"oak","Children":[{"Name":"oak"}]}"#, Tree { children: Some(vec![named()]), ..named() }),
        (
            r#"{"Name":"oak","ByName":{"oak":{"Name":"oak"},"elm":null}}"#,
            Tree { by_name: Some([("oak".to_owned(), named())].into()), ..named() },
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(tree(body), expected, "{body}");
    }
    input::<Rest>(&FOREST, &PLANT.replace("Plant", "Rest"), "").unwrap();
    input::<Rest>(&FOREST, &PLANT.replace("Plant", "Rest"), "{}").unwrap();
}

#[test]
fn broken_constraints_are_told_all_at_once() {
    let rows = [
        (
            "{}",
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        (
            r#"{"Name":"A"}"#,
            "2 validation errors detected: Value 'A' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [a-z]+; Value 'A' at 'name' failed to satisfy constraint: Member must have length greater \
             than or equal to 3",
        ),
        (
            r#"{"Name":"oak","Count":11}"#,
            "1 validation error detected: Value '11' at 'count' failed to satisfy constraint: Member must have value less \
             than or equal to 10",
        ),
        (
            r#"{"Name":"oak","Colors":["RED","GREEN","RED"]}"#,
            "2 validation errors detected: Value '[GREEN]' at 'colors' failed to satisfy constraint: Member must satisfy \
             constraint: [Member must satisfy enum value set: [RED, BLUE]]; Value at 'colors' failed to satisfy constraint: \
             Member must have length less than or equal to 2",
        ),
        (
            r#"{"Name":"oak","Children":[{"Name":"oak"},{"Count":0,"Name":"oak"}]}"#,
            "1 validation error detected: Value '0' at 'children.2.member.count' failed to satisfy constraint: Member must \
             have value greater than or equal to 1",
        ),
        (
            r#"{"Name":"oak","ByName":{"oak":{}}}"#,
            "1 validation error detected: Value null at 'byName.oak.member.name' failed to satisfy constraint: Member must \
             not be null",
        ),
        (
            r#"{"Name":"oak","ByName":{"X":{"Name":"oak"}}}"#,
            "1 validation error detected: Value at 'byName' failed to satisfy constraint: Map keys must satisfy constraint: \
             [Member must have length less than or equal to 8, Member must have length greater than or equal to 3, Member \
             must satisfy regular expression pattern: [a-z]+]",
        ),
        (
            r#"{"Name":"oak","Secret":"hunter2"}"#,
            "1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must have length greater \
             than or equal to 8",
        ),
        (
            r#"{"Name":"oak","Children":[null]}"#,
            "1 validation error detected: Value null at 'children.1.member' failed to satisfy constraint: Member must not be \
             null",
        ),
    ];
    for (body, message) in rows {
        let expected = ("ValidationException".to_owned(), message.to_owned());
        assert_eq!(refusal::<Plant>(&FOREST, PLANT, body), expected, "{body}");
    }
}

#[test]
fn wrong_types_and_wrong_json_are_told_apart_from_constraints() {
    let rows = [
        (r#"{"Name":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"Name":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"Name":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"Name":[]}"#, "Start of list found where not expected"),
        (r#"{"Count":"1"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"Count":1.5}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Count":2147483648}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Flag":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"Colors":"RED"}"#, "STRING_VALUE can not be converted to a List"),
        (r#"{"Colors":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"Data":"%"}"#, "Invalid Base64 in a blob"),
        (r#"{"Name":"oak""#, "The request body is not valid JSON"),
        (r#"{"Name":"oak"} x"#, "The request body is not valid JSON"),
        ("[]", "Start of list found where not expected"),
        ("\"a\"", "STRING_VALUE can not be converted to a Structure or Map"),
    ];
    for (body, message) in rows {
        let expected = ("SerializationException".to_owned(), message.to_owned());
        assert_eq!(refusal::<Plant>(&FOREST, PLANT, body), expected, "{body}");
    }
    let deep = format!("{}{}", r#"{"Name":"oak","Children":["#.repeat(100), "]}".repeat(100));
    assert_eq!(refusal::<Plant>(&FOREST, PLANT, &deep).0, "SerializationException");
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    let rows = [
        (r#"{"Name":"oak","Leaves":3}"#, "The parameter Leaves of Plant is not available in Pagoda"),
        (
            r#"{"Name":"oak","Children":[{"Leaves":[]}]}"#,
            "The parameter Children.1.member.Leaves of Plant is not available in Pagoda",
        ),
    ];
    for (body, message) in rows {
        assert_eq!(refusal::<Plant>(&FOREST, PLANT, body), ("NotImplemented".to_owned(), message.to_owned()));
    }
}

#[test]
fn outputs_become_documents() {
    let output = Tree {
        name: "a\"\\\n\u{1}é".into(),
        colors: Some(vec![]),
        count: Some(-1),
        children: Some(vec![Tree::default()]),
        by_name: Some([("k".to_owned(), Tree::default())].into()),
        data: Some("hello".into()),
        at: Some("2015-01-21T19:02:32.062Z".parse().unwrap()),
        share: Some(1e21),
        flag: Some(false),
        any: Some(serde_json::json!({"z": 1, "a": null})),
        ..Tree::default()
    };
    let body = "{\"Name\":\"a\\\"\\\\\\n\\u0001é\",\"Colors\":[],\"Count\":-1,\"Children\":[{\"Name\":\"\"}],\"ByName\":\
                {\"k\":{\"Name\":\"\"}},\"Data\":\"aGVsbG8=\",\"At\":1421866952.062,\"Share\":1e21,\"Flag\":false,\"Any\":\
                {\"z\":1,\"a\":null}}";
    let head = "200\ncontent-type: application/x-amz-json-1.0\nx-amzn-requestid: R\n\n";
    assert_eq!(answer::<Plant>(&FOREST, output), format!("{head}{body}"));
    assert_eq!(answer::<Rest>(&FOREST, pagoda_protocol::Unit), head);
}

#[test]
fn errors_carry_their_type() {
    let head = "400\ncontent-type: application/x-amz-json-1.0\nx-amzn-requestid: R\n\n";
    let rows = [
        (
            ApiError::new("ResourceNotFoundException", 400, "no \"table\""),
            r#"{"__type":"com.amazonaws.forest.v20120810#ResourceNotFoundException","message":"no \"table\""}"#,
        ),
        (
            ApiError::validation("v"),
            r##"{"__type":"com.amazon.coral.validate#ValidationException","message":"v"}"##,
        ),
        (
            ApiError::new("UnknownOperationException", 400, ""),
            r##"{"__type":"com.amazon.coral.service#UnknownOperationException"}"##,
        ),
    ];
    for (error, body) in rows {
        assert_eq!(fault(&FOREST, &error), format!("{head}{body}"));
    }
    let modelled = logs::ResourceNotFoundException::new("gone").into();
    assert_eq!(
        fault(&logs::SERVICE, &modelled),
        "400\ncontent-type: application/x-amz-json-1.1\nx-amzn-requestid: R\n\n{\"__type\":\"ResourceNotFoundException\",\
         \"message\":\"gone\"}"
    );
}

#[test]
fn a_real_service_reads_its_requests() {
    let head = "POST /\nx-amz-target: Logs_20140328.PutLogEvents";
    let body = r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#;
    let input = input::<logs::PutLogEvents>(&logs::SERVICE, head, body).unwrap();
    assert_eq!((input.log_group_name.as_str(), input.log_events[0].timestamp), ("g", 1));
    let (code, message) = refusal::<logs::PutLogEvents>(
        &logs::SERVICE,
        head,
        r#"{"logGroupName":"g","logStreamName":"s","logEvents":[]}"#,
    );
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(
        message,
        "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater \
         than or equal to 1"
    );
}
