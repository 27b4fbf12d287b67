//! Resource policies, and who may invoke through the port.

use bytes::Bytes;
use libtest_mimic::Trial;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Invocation, InvokeFunction, Invoked};
use pagoda_service::{Access, Caller, Context, Service};
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("statements_come_and_go", statements_come_and_go),
        trial("a_service_invokes_what_the_policy_allows", a_service_invokes_what_the_policy_allows),
        trial("ownership_tells_the_policy", ownership_tells_the_policy),
    ]
}

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const API: &str = "arn:aws:execute-api:us-east-1:123456789012:api1/*/GET/entries";

fn statement(id: &str) -> Value {
    json!({
        "FunctionName": "f", "StatementId": id, "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com", "SourceArn": API,
    })
}

async fn scene() -> Scene {
    let scene = Scene::new();
    scene.create("f", python("def handler(e, c):\n    return e\n"), json!({})).await.unwrap();
    scene
}

async fn statements_come_and_go() {
    let scene = scene().await;
    let none = scene.call("GetPolicy", json!({"FunctionName": "f"})).await.unwrap_err();
    assert_eq!(none.message, "The resource you requested does not exist.");
    let added = scene.call("AddPermission", statement("s")).await.unwrap();
    let expected = json!({
        "Sid": "s", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": ARN, "Condition": {"ArnLike": {"AWS:SourceArn": API}},
    });
    let parse = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    assert_eq!(parse(&added["Statement"]), expected);
    let policy = scene.call("GetPolicy", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(
        parse(&policy["Policy"]),
        json!({"Version": "2012-10-17", "Id": "default", "Statement": [expected]})
    );
    let twice = scene.call("AddPermission", statement("s")).await.unwrap_err();
    assert_eq!(twice.code, "ResourceConflictException");
    let mut stale = statement("t");
    stale["RevisionId"] = json!("another");
    assert_eq!(scene.call("AddPermission", stale).await.unwrap_err().code, "PreconditionFailedException");
    for (member, value) in [("EventSourceToken", "x"), ("PrincipalOrgID", "o-1234567890")] {
        let mut input = statement("t");
        input[member] = json!(value);
        let refused = scene.call("AddPermission", input).await.unwrap_err();
        assert!(refused.status.as_u16() == 501 && refused.message.contains(member), "{refused}");
    }
    let remove = json!({"FunctionName": "f", "StatementId": "s"});
    scene.call("RemovePermission", remove.clone()).await.unwrap();
    assert_eq!(scene.call("RemovePermission", remove).await.unwrap_err().status.as_u16(), 404);
    let mut long = statement("t");
    for number in 0..200 {
        long["StatementId"] = json!(format!("s{number}"));
        if let Err(refused) = scene.call("AddPermission", long.clone()).await {
            assert_eq!(refused.code, "PolicyLengthExceededException");
            return;
        }
    }
    panic!("a policy has its limit");
}

async fn invoke(scene: &Scene, caller: Caller, source: Option<&str>) -> Result<Invoked, ApiError> {
    let cx = Context { caller, ..scene.cx() };
    let invocation = Invocation {
        function_arn: ARN.into(),
        payload: Bytes::from_static(b"[1]"),
        source_arn: source.map(Into::into),
    };
    InvokeFunction::invoke(&*scene.lambda, &cx, invocation).await
}

async fn a_service_invokes_what_the_policy_allows() {
    let scene = scene().await;
    let gateway = || Caller::service("apigateway.amazonaws.com");
    let source = "arn:aws:execute-api:us-east-1:123456789012:api1/prod/GET/entries";
    let denied = invoke(&scene, gateway(), Some(source)).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    scene.call("AddPermission", statement("s")).await.unwrap();
    let invoked = invoke(&scene, gateway(), Some(source)).await.unwrap();
    assert_eq!((&invoked.payload[..], invoked.function_error), (&b"[1]"[..], None));
    let other = "arn:aws:execute-api:us-east-1:123456789012:api2/prod/GET/entries";
    for (caller, source) in [
        (gateway(), Some(other)),
        (gateway(), None),
        (Caller::service("s3.amazonaws.com"), Some(source)),
        (Caller::anonymous(), Some(source)),
    ] {
        assert_eq!(invoke(&scene, caller, source).await.unwrap_err().code, "AccessDeniedException");
    }
    assert!(invoke(&scene, scene.cx().caller, None).await.is_ok(), "a user by its own policy");
}

async fn ownership_tells_the_policy() {
    let scene = scene().await;
    scene.call("AddPermission", statement("s")).await.unwrap();
    let cx = scene.cx();
    let of = async |arn: &str| {
        scene.lambda.ownership(&cx, &Access::new("lambda:InvokeFunction", arn)).await.unwrap()
    };
    assert!(of(ARN).await.policy.is_some());
    assert!(of("arn:aws:lambda:us-east-1:123456789012:function:gone").await.policy.is_none());
    assert_eq!(of("arn:aws:lambda:us-east-1:210987654321:function:f").await.owner.as_str(), "210987654321");
    assert_eq!(of("arn:aws:iam::210987654321:role/r").await.owner, cx.account);
}
