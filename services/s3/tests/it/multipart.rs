//! Multipart uploads.

use bytes::Bytes;
use pagoda_base::SignedDuration;

use crate::world::{Answer, World};

const MIN: usize = 5 * 1024 * 1024;

async fn begin(world: &World, headers: &[(&str, &str)]) -> String {
    world.send("POST", "/bucket/k?uploads", headers, "").await.ok().element("UploadId").to_owned()
}

async fn part(world: &World, id: &str, number: i32, body: &Bytes) -> Answer {
    world.send("PUT", &format!("/bucket/k?partNumber={number}&uploadId={id}"), &[], body.clone()).await
}

async fn complete(world: &World, id: &str, parts: &[(i32, &str)]) -> Answer {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    world.send("POST", &format!("/bucket/k?uploadId={id}"), &[], document).await
}

fn body(size: usize, fill: u8) -> Bytes {
    Bytes::from(vec![fill; size])
}

#[tokio::test]
async fn parts_become_an_object() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], "before").await.ok();
    let id = begin(&world, &[("content-type", "x/y"), ("x-amz-tagging", "a=b")]).await;
    let (first, second, third) = (body(MIN, 1), body(MIN, 2), body(7, 3));
    part(&world, &id, 1, &body(3, 9)).await.ok();
    let one = part(&world, &id, 1, &first).await.ok();
    let two = part(&world, &id, 5, &second).await.ok();
    let three = part(&world, &id, 9, &third).await.ok();
    part(&world, &id, 10, &body(5, 8)).await.ok();
    let listed = world.send("GET", &format!("/bucket/k?uploadId={id}&max-parts=2"), &[], "").await.ok();
    assert_eq!(listed.elements("PartNumber"), ["1", "5"]);
    assert_eq!((listed.element("IsTruncated"), listed.element("NextPartNumberMarker")), ("true", "5"));
    assert_eq!(world.send("GET", "/bucket/k", &[], "").await.text(), "before");

    let etags = [(1, one.header("etag")), (5, two.header("etag")), (9, three.header("etag"))];
    let done = complete(&world, &id, &etags).await.ok();
    assert!(done.element("ETag").ends_with("-3&quot;"), "{}", done.text());
    assert_eq!(done.element("ChecksumType"), "FULL_OBJECT");
    let got = world.send("GET", "/bucket/k", &[("x-amz-checksum-mode", "ENABLED")], "").await.ok();
    let whole = [&first[..], &second, &third].concat();
    assert!(got.body == whole);
    assert_eq!((got.header("content-type"), got.header("x-amz-tagging-count")), ("x/y", "1"));
    let alone = world.send("PUT", "/bucket/alone", &[], whole.clone()).await.ok();
    assert_eq!(got.header("x-amz-checksum-crc64nvme"), alone.header("x-amz-checksum-crc64nvme"));

    let range = format!("bytes={}-{}", MIN - 1, 2 * MIN);
    let got = world.send("GET", "/bucket/k", &[("range", range.as_str())], "").await;
    assert!(got.status == 206 && got.body == whole[MIN - 1..=2 * MIN]);
    let got = world.send("GET", "/bucket/k?partNumber=9", &[], "").await;
    assert_eq!((got.status, &got.body), (206, &third));
    assert_eq!(got.header("x-amz-mp-parts-count"), "3");
    world.send("GET", "/bucket/k?partNumber=2", &[], "").await.refused(416, "InvalidPartNumber");
    complete(&world, &id, &etags).await.ok();

    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 4, "unnamed and replaced parts are gone");
    world.send("DELETE", "/bucket/k", &[], "").await.ok();
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 4, "readers may still be at it");
    world.clock.advance(SignedDuration::from_mins(16));
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 1);
    complete(&world, &id, &etags).await.refused(404, "NoSuchUpload");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let world = World::with_bucket().await;
    let id = begin(&world, &[]).await;
    let small = body(10, 1);
    let one = part(&world, &id, 1, &small).await.ok();
    let two = part(&world, &id, 2, &small).await.ok();
    let (one, two) = (one.header("etag"), two.header("etag"));
    complete(&world, &id, &[(1, one), (2, two)]).await.refused(400, "EntityTooSmall");
    complete(&world, &id, &[(2, two), (1, one)]).await.refused(400, "InvalidPartOrder");
    complete(&world, &id, &[(1, one), (1, one)]).await.refused(400, "InvalidPartOrder");
    complete(&world, &id, &[(1, "\"other\"")]).await.refused(400, "InvalidPart");
    complete(&world, &id, &[(3, one)]).await.refused(400, "InvalidPart");
    complete(&world, &id, &[]).await.refused(400, "MalformedXML");
    complete(&world, "none", &[(1, one)]).await.refused(404, "NoSuchUpload");
    for number in [0, -1, 10_001] {
        part(&world, &id, number, &small).await.refused(400, "InvalidArgument");
    }
    part(&world, "none", 1, &small).await.refused(404, "NoSuchUpload");
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    let uri = format!("/bucket/k?partNumber=1&uploadId={id}");
    world.send("PUT", &uri, &wrong, small.clone()).await.refused(400, "BadDigest");
    world.send("GET", "/bucket/k", &[], "").await.refused(404, "NoSuchKey");

    assert_eq!(world.send("DELETE", &format!("/bucket/k?uploadId={id}"), &[], "").await.status, 204);
    part(&world, &id, 1, &small).await.refused(404, "NoSuchUpload");
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 0);
}

#[tokio::test]
async fn checksums_are_of_the_kind_asked_for() {
    let world = World::with_bucket().await;
    let (first, second) = (body(MIN, 1), body(9, 2));
    let whole = [&first[..], &second].concat();
    let rows = [
        ("CRC32", "FULL_OBJECT", "x-amz-checksum-crc32"),
        ("CRC32", "COMPOSITE", "x-amz-checksum-crc32"),
        ("CRC32C", "FULL_OBJECT", "x-amz-checksum-crc32c"),
        ("SHA256", "COMPOSITE", "x-amz-checksum-sha256"),
    ];
    for (algorithm, kind, header) in rows {
        let id =
            begin(&world, &[("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)]).await;
        let one = part(&world, &id, 1, &first).await.ok();
        let two = part(&world, &id, 2, &second).await.ok();
        assert!(!one.header(header).is_empty());
        complete(&world, &id, &[(1, one.header("etag")), (2, two.header("etag"))]).await.ok();
        let head = world.send("HEAD", "/bucket/k", &[("x-amz-checksum-mode", "ENABLED")], "").await.ok();
        assert_eq!(head.header("x-amz-checksum-type"), kind);
        if kind == "COMPOSITE" {
            assert!(head.header(header).ends_with("-2"));
        } else {
            let sdk = [("x-amz-sdk-checksum-algorithm", algorithm)];
            let alone = world.send("PUT", "/bucket/alone", &sdk, whole.clone()).await.ok();
            assert_eq!(head.header(header), alone.header(header));
        }
    }
    let refused = [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")];
    world.send("POST", "/bucket/k?uploads", &refused, "").await.refused(400, "InvalidRequest");
}

#[tokio::test]
async fn parts_are_copied() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/source", &[], "0123456789").await.ok();
    let id = begin(&world, &[]).await;
    let uri = format!("/bucket/k?partNumber=1&uploadId={id}");
    let copy = [("x-amz-copy-source", "bucket/source"), ("x-amz-copy-source-range", "bytes=2-4")];
    let copied = world.send("PUT", &uri, &copy, "").await.ok();
    let etag = copied.element("ETag").replace("&quot;", "\"");
    complete(&world, &id, &[(1, &etag)]).await.ok();
    assert_eq!(world.send("GET", "/bucket/k", &[], "").await.text(), "234");
    let id = begin(&world, &[]).await;
    let uri = format!("/bucket/k?partNumber=1&uploadId={id}");
    for range in ["bytes=5-", "bytes=8-10", "bytes=4-2", "0-1"] {
        let copy = [("x-amz-copy-source", "bucket/source"), ("x-amz-copy-source-range", range)];
        world.send("PUT", &uri, &copy, "").await.refused(400, "InvalidArgument");
    }
}

#[tokio::test]
async fn uploads_are_listed() {
    let world = World::with_bucket().await;
    for key in ["a", "d/1", "d/2", "z"] {
        world.clock.advance(SignedDuration::from_secs(1));
        world.send("POST", &format!("/bucket/{key}?uploads"), &[], "").await.ok();
    }
    let second = world.send("POST", "/bucket/a?uploads", &[], "").await.ok();
    let all = world.send("GET", "/bucket?uploads", &[], "").await.ok();
    assert_eq!(all.elements("Key"), ["a", "a", "d/1", "d/2", "z"]);
    assert_eq!(all.elements("UploadId")[1], second.element("UploadId"));
    let rolled = world.send("GET", "/bucket?uploads&delimiter=/", &[], "").await.ok();
    assert_eq!(rolled.elements("Key"), ["a", "a", "z"]);
    assert_eq!(rolled.element("CommonPrefixes"), "<Prefix>d/</Prefix>");
    let page = world.send("GET", "/bucket?uploads&max-uploads=1", &[], "").await.ok();
    assert_eq!((page.elements("Key"), page.element("IsTruncated")), (vec!["a"], "true"));
    let uri = format!(
        "/bucket?uploads&key-marker={}&upload-id-marker={}",
        page.element("NextKeyMarker"),
        page.element("NextUploadIdMarker")
    );
    assert_eq!(world.send("GET", &uri, &[], "").await.ok().elements("Key"), ["a", "d/1", "d/2", "z"]);
    let below = world.send("GET", "/bucket?uploads&prefix=d/", &[], "").await.ok();
    assert_eq!(below.elements("Key"), ["d/1", "d/2"]);
}
