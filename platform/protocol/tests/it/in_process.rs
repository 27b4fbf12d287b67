//! Calls inside the process: JSON by the model's names, whatever HTTP would do.

use pagoda_protocol::{from_json, to_json};
use serde_json::json;

use crate::sample::Tree;
use crate::{lambda, s3};

#[test]
fn members_have_their_models_names() {
    let input: lambda::AddPermissionRequest = from_json(
        "AddPermission",
        &json!({"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "p"}),
    )
    .unwrap();
    assert_eq!((input.function_name.as_str(), input.principal.as_str()), ("f", "p"));
    let value = to_json(&lambda::InvocationResponse { status_code: Some(200), ..Default::default() });
    assert_eq!(value, json!({"StatusCode": 200}));
    let put: s3::PutBucketPolicyRequest =
        from_json("PutBucketPolicy", &json!({"Bucket": "b", "Policy": "{}"})).unwrap();
    assert_eq!((put.bucket.as_str(), put.policy.as_str()), ("b", "{}"));
}

#[test]
fn scalars_may_be_texts_as_in_templates() {
    let value =
        json!({"Name": "oak", "Count": "3", "Flag": "True", "Share": "0.5", "At": "2015-01-21T19:02:32Z"});
    let tree: Tree = from_json("Plant", &value).unwrap();
    assert_eq!((tree.count, tree.flag, tree.share), (Some(3), Some(true), Some(0.5)));
    assert_eq!(tree.at, Some("2015-01-21T19:02:32Z".parse().unwrap()));
    let error = from_json::<Tree>("Plant", &json!({"Name": 12, "Leaves": 1})).unwrap_err();
    assert_eq!(error.code, "NotImplemented");
    let error = from_json::<Tree>("Plant", &json!({"Name": 1234})).unwrap_err();
    assert!(error.message.contains("Value '1234' at 'name'"), "{}", error.message);
}
