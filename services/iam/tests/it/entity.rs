//! Users and roles: made once, found again, kept while something hangs on them.

use pagoda_testkit::World;
use serde_json::json;

use crate::world::{TRUST, allow, iam};

#[tokio::test]
async fn names_are_unique_without_regard_to_case() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    root.must("iam", "CreateUser", json!({ "UserName": "Ann" })).await;
    assert_eq!(root.refused("iam", "CreateUser", json!({ "UserName": "ann" })).await, "EntityAlreadyExists");
    let found = root.must("iam", "GetUser", json!({ "UserName": "ANN" })).await;
    assert_eq!(found["User"]["UserName"], "Ann");
    assert_eq!(root.refused("iam", "GetUser", json!({ "UserName": "bob" })).await, "NoSuchEntity");
}

#[tokio::test]
async fn what_others_hang_on_is_not_deleted() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    let role = json!({ "RoleName": "r", "AssumeRolePolicyDocument": TRUST });
    root.must("iam", "CreateRole", role).await;
    let policy = json!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*") });
    root.must("iam", "PutRolePolicy", policy).await;
    assert_eq!(root.refused("iam", "DeleteRole", json!({ "RoleName": "r" })).await, "DeleteConflict");
    root.must("iam", "DeleteRolePolicy", json!({ "RoleName": "r", "PolicyName": "p" })).await;
    root.must("iam", "DeleteRole", json!({ "RoleName": "r" })).await;
    assert_eq!(root.refused("iam", "GetRole", json!({ "RoleName": "r" })).await, "NoSuchEntity");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    for name in ["c", "a", "b"] {
        root.must("iam", "CreateUser", json!({ "UserName": name, "Path": "/team/" })).await;
    }
    root.must("iam", "CreateUser", json!({ "UserName": "elsewhere" })).await;
    let page = root.must("iam", "ListUsers", json!({ "PathPrefix": "/team/", "MaxItems": 2 })).await;
    assert_eq!((page["Users"].as_array().unwrap().len(), &page["IsTruncated"]), (2, &json!(true)));
    let input = json!({ "PathPrefix": "/team/", "MaxItems": 2, "Marker": page["Marker"] });
    let rest = root.must("iam", "ListUsers", input).await;
    assert_eq!(rest["Users"][0]["UserName"], "c");
    assert_eq!(rest["IsTruncated"], false);
}

#[tokio::test]
async fn a_broken_trust_policy_makes_no_role() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    for bad in
        ["", "{}", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#]
    {
        let input = json!({ "RoleName": "r", "AssumeRolePolicyDocument": bad });
        let code = root.refused("iam", "CreateRole", input).await;
        assert!(code == "MalformedPolicyDocument" || code == "ValidationError", "{code}");
    }
    assert_eq!(root.refused("iam", "GetRole", json!({ "RoleName": "r" })).await, "NoSuchEntity");
}
