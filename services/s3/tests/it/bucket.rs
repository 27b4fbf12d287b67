//! Buckets and their configuration.

use pagoda_protocol::Body;

use crate::world::{OTHER, World, root};

#[tokio::test]
async fn buckets_are_made_found_and_removed() {
    let world = World::with_bucket().await;
    let head = world.send("HEAD", "/bucket", &[], "").await.ok();
    assert_eq!(head.header("x-amz-bucket-region"), "us-east-1");
    let location = world.send("GET", "/bucket?location", &[], "").await.ok();
    assert!(location.text().contains("<LocationConstraint"), "{}", location.text());
    let listed = world.send("GET", "/", &[], "").await.ok();
    assert_eq!(listed.elements("Name"), ["bucket"]);
    let versioning = world.send("GET", "/bucket?versioning", &[], "").await.ok();
    assert!(!versioning.text().contains("Status"));

    world.send("PUT", "/bucket/k", &[], "x").await.ok();
    world.send("DELETE", "/bucket", &[], "").await.refused(409, "BucketNotEmpty");
    world.send("PUT", "/bucket/l", &[], "x").await.ok();
    world.send("DELETE", "/bucket/k", &[], "").await.ok();
    world.send("DELETE", "/bucket/l", &[], "").await.ok();
    assert_eq!(world.send("DELETE", "/bucket", &[], "").await.status, 204);
    assert_eq!(world.send("HEAD", "/bucket", &[], "").await.status, 404);
    world.send("GET", "/bucket/k", &[], "").await.refused(404, "NoSuchBucket");
    world.send("PUT", "/bucket/k", &[], "x").await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn names_are_unique_over_all_accounts() {
    let world = World::with_bucket().await;
    let taken = world.send_as(root(OTHER), "PUT", "/bucket", &[], Body::empty()).await;
    taken.refused(409, "BucketAlreadyExists");
    assert_eq!(world.send("PUT", "/bucket", &[], "").await.status, 200, "as us-east-1 has it");
    for name in ["/Bucket", "/ab", "/a..b", "/192.168.0.1"] {
        world.send("PUT", name, &[], "").await.refused(400, "InvalidBucketName");
    }
    let constraint = |region: &str| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    let other = world.send("PUT", "/elsewhere", &[], constraint("eu-west-1")).await;
    other.refused(400, "IllegalLocationConstraintException");
    world.send("PUT", "/here", &[], constraint("us-east-1")).await.refused(400, "InvalidLocationConstraint");
    let acl = world.send("PUT", "/open-to-all", &[("x-amz-acl", "public-read")], "").await;
    acl.refused(400, "InvalidBucketAclWithObjectOwnership");
    world.send("PUT", "/bucket", &[], "<nonsense").await.refused(400, "MalformedXML");
}

#[tokio::test]
async fn the_expected_owner_must_be_the_owner() {
    let world = World::with_bucket().await;
    let expecting = |id| [("x-amz-expected-bucket-owner", id)];
    assert_eq!(world.send("HEAD", "/bucket", &expecting("111111111111"), "").await.status, 200);
    assert_eq!(world.send("HEAD", "/bucket", &expecting(OTHER), "").await.status, 403);
    world.send("PUT", "/bucket/k", &expecting(OTHER), "x").await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn configurations_are_kept_as_they_are_put() {
    let world = World::with_bucket().await;
    let rows = [
        (
            "tagging",
            "NoSuchTagSet",
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
            "Key",
            "a",
        ),
        (
            "cors",
            "NoSuchCORSConfiguration",
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
            "AllowedMethod",
            "GET",
        ),
        (
            "website",
            "NoSuchWebsiteConfiguration",
            "<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix></IndexDocument></WebsiteConfiguration>",
            "Suffix",
            "i.html",
        ),
    ];
    for (what, missing, document, element, expected) in rows {
        let uri = format!("/bucket?{what}");
        world.send("GET", &uri, &[], "").await.refused(404, missing);
        world.send("PUT", &uri, &[], document).await.ok();
        assert_eq!(world.send("GET", &uri, &[], "").await.ok().element(element), expected, "{what}");
        assert_eq!(world.send("DELETE", &uri, &[], "").await.status, 204);
        world.send("GET", &uri, &[], "").await.refused(404, missing);
        world.send("PUT", &uri, &[], "<a/>").await.refused(400, "MalformedXML");
    }
}

#[tokio::test]
async fn only_the_owner_controls() {
    let world = World::with_bucket().await;
    let acl = world.send("GET", "/bucket?acl", &[], "").await.ok();
    assert_eq!(acl.element("Permission"), "FULL_CONTROL");
    assert_eq!(acl.element("ID").len(), 64);
    let controls = world.send("GET", "/bucket?ownershipControls", &[], "").await.ok();
    assert_eq!(controls.element("ObjectOwnership"), "BucketOwnerEnforced");
    let put = |value: &str| {
        format!(
            "<OwnershipControls><Rule><ObjectOwnership>{value}</ObjectOwnership></Rule></OwnershipControls>"
        )
    };
    world.send("PUT", "/bucket?ownershipControls", &[], put("BucketOwnerEnforced")).await.ok();
    world
        .send("PUT", "/bucket?ownershipControls", &[], put("ObjectWriter"))
        .await
        .refused(501, "NotImplemented");
    world.send("PUT", "/bucket?versioning", &[], "").await.refused(501, "NotImplemented");
}

#[tokio::test]
async fn a_deleted_bucket_takes_its_uploads_along() {
    let world = World::with_bucket().await;
    let id = world.send("POST", "/bucket/k?uploads", &[], "").await.ok().element("UploadId").to_owned();
    let uri = format!("/bucket/k?partNumber=1&uploadId={id}");
    world.send("PUT", &uri, &[], "part").await.ok();
    assert_eq!(world.blob_count().await, 1);
    world.send("DELETE", "/bucket", &[], "").await.ok();
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 0);
    world.send("PUT", "/bucket", &[], "").await.ok();
    world.send("PUT", &uri, &[], "part").await.refused(404, "NoSuchUpload");
}
