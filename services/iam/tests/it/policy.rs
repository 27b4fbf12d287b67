//! What policies allow is allowed at once, and what they no longer allow is refused at once.

use pagoda_testkit::World;
use serde_json::json;

use crate::world::{allow, iam, statement, user};

#[tokio::test]
async fn a_user_may_what_its_policies_allow() {
    let world = World::new();
    let (service, root) = iam(&world);
    let ann = root.by(user(&service, &root, "ann").await);
    assert_eq!(ann.refused("iam", "ListUsers", json!({})).await, "AccessDenied");
    let policy =
        json!({ "UserName": "ann", "PolicyName": "p", "PolicyDocument": allow("iam:ListUsers", "*") });
    root.must("iam", "PutUserPolicy", policy).await;
    ann.must("iam", "ListUsers", json!({})).await;
    assert_eq!(ann.refused("iam", "ListRoles", json!({})).await, "AccessDenied");
    root.must("iam", "DeleteUserPolicy", json!({ "UserName": "ann", "PolicyName": "p" })).await;
    assert_eq!(ann.refused("iam", "ListUsers", json!({})).await, "AccessDenied");
}

#[tokio::test]
async fn a_resource_is_known_by_its_path_though_a_request_gives_only_its_name() {
    let world = World::new();
    let (service, root) = iam(&world);
    root.must("iam", "CreateUser", json!({ "UserName": "bob", "Path": "/secret/" })).await;
    let ann = root.by(user(&service, &root, "ann").await);
    for (name, document) in [
        ("all", allow("iam:*", "*")),
        ("but", statement("Deny", "iam:GetUser", "arn:aws:iam::*:user/secret/*")),
    ] {
        let input = json!({ "UserName": "ann", "PolicyName": name, "PolicyDocument": document });
        root.must("iam", "PutUserPolicy", input).await;
    }
    ann.must("iam", "GetUser", json!({ "UserName": "ann" })).await;
    assert_eq!(ann.refused("iam", "GetUser", json!({ "UserName": "bob" })).await, "AccessDenied");
}

#[tokio::test]
async fn managed_policies_count_their_attachments_and_follow_their_default_version() {
    let world = World::new();
    let (service, root) = iam(&world);
    let ann = root.by(user(&service, &root, "ann").await);
    let input = json!({ "PolicyName": "m", "PolicyDocument": allow("iam:ListUsers", "*") });
    let made = root.must("iam", "CreatePolicy", input).await;
    let arn = made["Policy"]["Arn"].as_str().unwrap();
    let pair = json!({ "UserName": "ann", "PolicyArn": arn });
    root.must("iam", "AttachUserPolicy", pair.clone()).await;
    root.must("iam", "AttachUserPolicy", pair.clone()).await;
    ann.must("iam", "ListUsers", json!({})).await;
    let policy = root.must("iam", "GetPolicy", json!({ "PolicyArn": arn })).await;
    assert_eq!(policy["Policy"]["AttachmentCount"], 1);
    assert_eq!(root.refused("iam", "DeletePolicy", json!({ "PolicyArn": arn })).await, "DeleteConflict");

    let version =
        json!({ "PolicyArn": arn, "PolicyDocument": allow("iam:ListRoles", "*"), "SetAsDefault": true });
    root.must("iam", "CreatePolicyVersion", version).await;
    ann.must("iam", "ListRoles", json!({})).await;
    assert_eq!(ann.refused("iam", "ListUsers", json!({})).await, "AccessDenied");

    root.must("iam", "DetachUserPolicy", pair).await;
    root.must("iam", "DeletePolicyVersion", json!({ "PolicyArn": arn, "VersionId": "v1" })).await;
    root.must("iam", "DeletePolicy", json!({ "PolicyArn": arn })).await;
}

#[tokio::test]
async fn a_boundary_limits_what_policies_allow() {
    let world = World::new();
    let (service, root) = iam(&world);
    let input = json!({ "PolicyName": "b", "PolicyDocument": allow("iam:ListRoles", "*") });
    let boundary = root.must("iam", "CreatePolicy", input).await["Policy"]["Arn"].clone();
    let input = json!({ "UserName": "ann", "PermissionsBoundary": boundary });
    root.must("iam", "CreateUser", input).await;
    let key = root.must("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await;
    let id = key["AccessKey"]["AccessKeyId"].as_str().unwrap();
    use pagoda_service::ports::FindCredential as _;
    let ann = root.by(service.find(id, None).await.unwrap().caller);
    let all = json!({ "UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" });
    root.must("iam", "AttachUserPolicy", all).await;
    ann.must("iam", "ListRoles", json!({})).await;
    assert_eq!(ann.refused("iam", "ListUsers", json!({})).await, "AccessDenied");
}

#[tokio::test]
async fn quotas_hold() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    root.must("iam", "CreateUser", json!({ "UserName": "ann" })).await;
    let long = allow("s3:*", &format!("arn:aws:s3:::{}", "b".repeat(2_100)));
    let input = json!({ "UserName": "ann", "PolicyName": "p", "PolicyDocument": long });
    assert_eq!(root.refused("iam", "PutUserPolicy", input).await, "LimitExceeded");
    root.must("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await;
    root.must("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await;
    assert_eq!(root.refused("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await, "LimitExceeded");
}
