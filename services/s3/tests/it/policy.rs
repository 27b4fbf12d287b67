//! Who may: bucket policies and the public access block.

use pagoda_protocol::Body;
use pagoda_service::Caller;

use crate::world::{Answer, OTHER, OWNER, World, root, user};

const PUBLIC_READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}"#;

pub(crate) async fn open_up(world: &World) {
    assert_eq!(world.send("DELETE", "/bucket?publicAccessBlock", &[], "").await.status, 204);
    world.send("PUT", "/bucket?policy", &[], PUBLIC_READ).await.ok();
}

async fn get(world: &World, caller: Caller) -> Answer {
    world.send_as(caller, "GET", "/bucket/k", &[], Body::empty()).await
}

#[tokio::test]
async fn new_buckets_are_closed_to_the_public() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], "x").await.ok();
    get(&world, Caller::anonymous()).await.refused(403, "AccessDenied");
    world.send("PUT", "/bucket?policy", &[], PUBLIC_READ).await.refused(403, "AccessDenied");
    world.send("GET", "/bucket?policy", &[], "").await.refused(404, "NoSuchBucketPolicy");
    open_up(&world).await;
    assert_eq!(get(&world, Caller::anonymous()).await.ok().text(), "x");
    assert_eq!(world.send("GET", "/bucket?policy", &[], "").await.ok().text(), PUBLIC_READ);
    assert_eq!(world.send("GET", "/bucket?policyStatus", &[], "").await.ok().element("IsPublic"), "true");
    let written = world.send_as(Caller::anonymous(), "PUT", "/bucket/k", &[], Body::from("y")).await;
    written.refused(403, "AccessDenied");
    let overridden = "/bucket/k?response-content-type=a/b";
    let refused = world.send_as(Caller::anonymous(), "GET", overridden, &[], Body::empty()).await;
    refused.refused(400, "InvalidRequest");

    let restricted = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    world.send("PUT", "/bucket?publicAccessBlock", &[], restricted).await.ok();
    get(&world, Caller::anonymous()).await.refused(403, "AccessDenied");
    get(&world, user(OTHER, "all")).await.refused(403, "AccessDenied");
    get(&world, user(OWNER, "GetObject")).await.ok();
    let block = world.send("GET", "/bucket?publicAccessBlock", &[], "").await.ok();
    assert_eq!(
        (block.element("RestrictPublicBuckets"), block.element("BlockPublicPolicy")),
        ("true", "false")
    );
    world.send("DELETE", "/bucket?policy", &[], "").await.ok();
    world.send("DELETE", "/bucket?publicAccessBlock", &[], "").await.ok();
    get(&world, Caller::anonymous()).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn other_accounts_come_in_by_policy() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], "x").await.ok();
    get(&world, root(OTHER)).await.refused(403, "AccessDenied");
    let policy = PUBLIC_READ.replace("\"*\",\"Action\"", &format!("{{\"AWS\":\"{OTHER}\"}},\"Action\""));
    world.send("PUT", "/bucket?policy", &[], policy).await.ok();
    get(&world, user(OTHER, "GetObject")).await.ok();
    get(&world, user(OTHER, "PutObject")).await.refused(403, "AccessDenied");
    get(&world, Caller::anonymous()).await.refused(403, "AccessDenied");
    let denied = PUBLIC_READ.replace("Allow", "Deny");
    world.send("PUT", "/bucket?policy", &[], denied).await.ok();
    get(&world, user(OWNER, "all")).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn prefixes_limit_listings() {
    let world = World::with_bucket().await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{{"StringEquals":{{"s3:prefix":"home/"}}}}}}]}}"#
    );
    world.send("PUT", "/bucket?policy", &[], policy).await.ok();
    let list = |uri| world.send_as(root(OTHER), "GET", uri, &[], Body::empty());
    list("/bucket?list-type=2&prefix=home/").await.ok();
    list("/bucket?list-type=2&prefix=").await.refused(403, "AccessDenied");
    list("/bucket").await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn policies_must_be_of_their_bucket() {
    let world = World::with_bucket().await;
    let rows = [
        "",
        "{",
        "[]",
        r#"{"Statement":[]}"#,
        &PUBLIC_READ.replace("bucket/*", "bucket2/*"),
        &PUBLIC_READ.replace("bucket/*", "other"),
        &PUBLIC_READ.replace("s3:GetObject", "sqs:SendMessage"),
        &PUBLIC_READ.replace("Allow", "Permit"),
        &format!("{}{}", " ".repeat(20 * 1024), PUBLIC_READ),
    ];
    for policy in rows {
        let answer = world.send("PUT", "/bucket?policy", &[], policy.to_owned()).await;
        assert_eq!(answer.status, 400, "{policy}: {}", answer.text());
    }
}
