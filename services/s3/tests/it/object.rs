//! Objects: put, got, copied, deleted.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use pagoda_protocol::{ApiError, Body};
use pagoda_service::ports::ReadObject as _;

use crate::world::{OWNER, World, root, user};

fn bytes(count: usize) -> Bytes {
    (0..count).map(|n| ((n * 31) >> 3) as u8).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn what_is_put_is_got() {
    let world = World::with_bucket().await;
    for size in [0, 1, 65_536, 65_537, 1_500_000] {
        let body = bytes(size);
        let put = world.send("PUT", "/bucket/a/b%20c", &[("content-type", "x/y")], body.clone()).await.ok();
        let got = world.send("GET", "/bucket/a/b%20c", &[("x-amz-checksum-mode", "ENABLED")], "").await.ok();
        assert_eq!(got.body, body);
        assert_eq!(got.header("etag"), put.header("etag"));
        assert_eq!(got.header("content-length"), size.to_string());
        assert_eq!(got.header("content-type"), "x/y");
        assert_eq!(got.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(got.header("x-amz-checksum-crc64nvme"), put.header("x-amz-checksum-crc64nvme"));
        let head = world.send("HEAD", "/bucket/a/b%20c", &[], "").await.ok();
        assert_eq!(head.header("content-length"), size.to_string());
    }
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 1, "replaced content is removed");
    assert_eq!(world.send("DELETE", "/bucket/a/b%20c", &[], "").await.status, 204);
    assert_eq!(world.send("DELETE", "/bucket/a/b%20c", &[], "").await.status, 204);
    world.send("GET", "/bucket/a/b%20c", &[], "").await.refused(404, "NoSuchKey");
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 0);
}

#[tokio::test]
async fn headers_are_stored_and_overridden() {
    let world = World::with_bucket().await;
    let sent = [
        ("cache-control", "no-store"),
        ("content-disposition", "inline"),
        ("content-encoding", "aws-chunked,gzip"),
        ("content-language", "de"),
        ("expires", "Thu, 01 Dec 2030 16:00:00 GMT"),
        ("x-amz-meta-name", "value"),
        ("x-amz-website-redirect-location", "/there"),
        ("x-amz-tagging", "a=b&c=d%20e"),
    ];
    world.send("PUT", "/bucket/k", &sent, "x").await.ok();
    let got = world.send("GET", "/bucket/k", &[], "").await.ok();
    for (name, value) in sent {
        let expected = if name == "content-encoding" { "gzip" } else { value };
        if name != "x-amz-tagging" {
            assert_eq!(got.header(name), expected, "{name}");
        }
    }
    assert_eq!(got.header("x-amz-tagging-count"), "2");
    assert_eq!(got.header("content-type"), "binary/octet-stream");
    let uri = "/bucket/k?response-content-type=a/b&response-cache-control=private";
    let got = world.send("GET", uri, &[], "").await.ok();
    assert_eq!((got.header("content-type"), got.header("cache-control")), ("a/b", "private"));
    let long = "v".repeat(2049);
    let refused = world.send("PUT", "/bucket/k", &[("x-amz-meta-a", long.as_str())], "x").await;
    refused.refused(400, "MetadataTooLarge");
}

#[tokio::test]
async fn ranges_are_parts() {
    let world = World::with_bucket().await;
    for size in [100, 600_000] {
        let body = bytes(size);
        world.send("PUT", "/bucket/k", &[], body.clone()).await.ok();
        let got = world.send("GET", "/bucket/k", &[("range", "bytes=10-19")], "").await;
        assert_eq!((got.status, &got.body[..]), (206, &body[10..20]));
        assert_eq!(got.header("content-range"), format!("bytes 10-19/{size}"));
        let got = world.send("GET", "/bucket/k", &[("range", "bytes=-5")], "").await;
        assert_eq!((got.status, &got.body[..]), (206, &body[size - 5..]));
        let head = world.send("HEAD", "/bucket/k", &[("range", "bytes=0-0")], "").await;
        assert_eq!((head.status, head.header("content-length")), (206, "1"));
        let got = world.send("GET", "/bucket/k", &[("range", "bytes=9000000-")], "").await;
        got.refused(416, "InvalidRange");
        assert_eq!(got.element("ActualObjectSize"), size.to_string());
    }
}

#[tokio::test]
async fn conditions_hold_or_refuse() {
    let world = World::with_bucket().await;
    let etag = world.send("PUT", "/bucket/k", &[], "x").await.ok().header("etag").to_owned();
    let (now, later, before) =
        ("Thu, 01 Jan 2026 00:00:00 GMT", "Fri, 02 Jan 2026 00:00:00 GMT", "Wed, 31 Dec 2025 00:00:00 GMT");
    let rows: [(&[(&str, &str)], u16); 10] = [
        (&[("if-match", &etag)], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-none-match", &etag)], 304),
        (&[("if-none-match", "\"other\"")], 200),
        (&[("if-modified-since", now)], 304),
        (&[("if-modified-since", before)], 200),
        (&[("if-unmodified-since", before)], 412),
        (&[("if-unmodified-since", later)], 200),
        (&[("if-match", &etag), ("if-unmodified-since", before)], 200),
        (&[("if-none-match", "\"other\""), ("if-modified-since", later)], 200),
    ];
    for (headers, expected) in rows {
        for method in ["GET", "HEAD"] {
            assert_eq!(world.send(method, "/bucket/k", headers, "").await.status, expected, "{headers:?}");
        }
    }
    let exists = world.send("PUT", "/bucket/k", &[("if-none-match", "*")], "y").await;
    exists.refused(412, "PreconditionFailed");
    assert_eq!(exists.element("Condition"), "If-None-Match");
    world
        .send("PUT", "/bucket/k", &[("if-match", "\"other\"")], "y")
        .await
        .refused(412, "PreconditionFailed");
    world.send("PUT", "/bucket/n", &[("if-match", "\"other\"")], "y").await.refused(404, "NoSuchKey");
    world.send("PUT", "/bucket/k", &[("if-match", &etag)], "y").await.ok();
    world.send("PUT", "/bucket/n", &[("if-none-match", "*")], "y").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_put_if_none_is_there_one_wins() {
    let world = std::sync::Arc::new(World::with_bucket().await);
    for size in [10, 70_000] {
        let uri = format!("/bucket/{size}");
        let puts = (0..100).map(|n: usize| {
            let (world, uri) = (world.clone(), uri.clone());
            tokio::spawn(async move {
                let body = Bytes::from(vec![n as u8; size]);
                (n, world.send("PUT", &uri, &[("if-none-match", "*")], body).await.status)
            })
        });
        let mut winners = Vec::new();
        for put in puts.collect::<Vec<_>>() {
            match put.await.unwrap() {
                (n, 200) => winners.push(n as u8),
                (_, status) => assert_eq!(status, 412),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(world.send("GET", &uri, &[], "").await.body[..], vec![winners[0]; size]);
    }
    world.s3.clear_away().await;
    assert_eq!(world.blob_count().await, 1, "losers leave nothing");
}

#[tokio::test]
async fn digests_are_checked() {
    let world = World::with_bucket().await;
    let rows = [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", 200, ""),
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCA==", 400, "BadDigest"),
        ("content-md5", "short", 400, "InvalidDigest"),
        ("x-amz-checksum-crc32", "y/Q5Jg==", 200, ""),
        ("x-amz-checksum-crc32", "y/Q5JQ==", 400, "BadDigest"),
        ("x-amz-checksum-crc32", "y/Q5", 400, "InvalidRequest"),
        ("x-amz-checksum-crc32c", "4waSgw==", 200, ""),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=", 200, ""),
        ("x-amz-checksum-sha1", "98O8HYCOBHMqfFQQSZZ3jXQSVvM=", 400, "BadDigest"),
        ("x-amz-checksum-xxhash3", "AAAA", 501, "NotImplemented"),
        ("x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"),
        ("x-amz-storage-class", "GLACIER", 501, "NotImplemented"),
        ("x-amz-storage-class", "NOTHING", 400, "InvalidStorageClass"),
        ("x-amz-acl", "private", 200, ""),
        ("x-amz-acl", "public-read", 400, "AccessControlListNotSupported"),
    ];
    for (name, value, status, code) in rows {
        let answer = world.send("PUT", "/bucket/k", &[(name, value)], "123456789").await;
        assert_eq!(
            (answer.status, answer.element("Code")),
            (status, code),
            "{name}: {value} {}",
            answer.text()
        );
        if status == 200 && name.starts_with("x-amz-checksum") {
            let got = world.send("HEAD", "/bucket/k", &[("x-amz-checksum-mode", "ENABLED")], "").await;
            assert_eq!(got.header(name), value);
        }
    }
    let big = Bytes::from(vec![0; 70_000]);
    let refused = world.send("PUT", "/bucket/big", &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCA==")], big).await;
    refused.refused(400, "BadDigest");
    assert_eq!(world.blob_count().await, 0, "nothing remains of a refused body");
}

#[tokio::test]
async fn odd_keys_are_plain_data() {
    let world = World::with_bucket().await;
    let longest = "k".repeat(1024);
    let keys = ["..", "../../etc/passwd", "a//b", "/", "%00", "%F0%9F%A6%80", "a%0Ab", ".", &longest];
    for key in keys {
        world.send("PUT", &format!("/bucket/{key}"), &[], key.to_owned()).await.ok();
    }
    for key in keys {
        assert_eq!(world.send("GET", &format!("/bucket/{key}"), &[], "").await.ok().text(), key);
    }
    let listed = world.send("GET", "/bucket?list-type=2&encoding-type=url", &[], "").await.ok();
    assert_eq!(listed.elements("Key").len(), keys.len());
    assert!(listed.elements("Key").contains(&"%00"));
    let too_long = format!("/bucket/{longest}k");
    for method in ["PUT", "GET", "DELETE"] {
        world.send(method, &too_long, &[], "").await.refused(400, "KeyTooLongError");
    }
    world.send("GET", "/bucket/%ff", &[], "").await.refused(400, "InvalidURI");
    assert_eq!(world.dir.path().read_dir().unwrap().count(), 257, "shards and nothing else");
}

#[tokio::test]
async fn a_missing_key_is_a_secret() {
    let world = World::with_bucket().await;
    let get = |caller| world.send_as(caller, "GET", "/bucket/none", &[], Body::empty());
    get(user(OWNER, "all")).await.refused(404, "NoSuchKey");
    get(user(OWNER, "GetObject")).await.refused(403, "AccessDenied");
    get(user(OWNER, "PutObject")).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn copies_are_of_their_own() {
    let world = World::with_bucket().await;
    let headers = [("content-type", "x/y"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "t=1")];
    for size in [10, 100_000] {
        let body = bytes(size);
        let etag =
            world.send("PUT", "/bucket/from", &headers, body.clone()).await.ok().header("etag").to_owned();
        let from = [("x-amz-copy-source", "/bucket/from")];
        let copied = world.send("PUT", "/bucket/to", &from, "").await.ok();
        assert_eq!(copied.element("ETag"), etag.replace('"', "&quot;"));
        world.send("DELETE", "/bucket/from", &[], "").await.ok();
        let got = world.send("GET", "/bucket/to", &[], "").await.ok();
        assert_eq!(got.body, body);
        assert_eq!((got.header("content-type"), got.header("x-amz-meta-a")), ("x/y", "b"));
        assert_eq!(got.header("x-amz-tagging-count"), "1");
    }
    let itself = [("x-amz-copy-source", "bucket/to")];
    world.send("PUT", "/bucket/to", &itself, "").await.refused(400, "InvalidRequest");
    let replaced = [
        ("x-amz-copy-source", "bucket/to"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("content-type", "n/m"),
    ];
    world.send("PUT", "/bucket/to", &replaced, "").await.ok();
    let got = world.send("GET", "/bucket/to", &[], "").await.ok();
    assert_eq!((got.header("content-type"), got.header("x-amz-meta-a")), ("n/m", ""));
    let conditional = [("x-amz-copy-source", "bucket/to"), ("x-amz-copy-source-if-match", "\"no\"")];
    world.send("PUT", "/bucket/two", &conditional, "").await.refused(412, "PreconditionFailed");
    let missing = [("x-amz-copy-source", "bucket/missing")];
    world.send("PUT", "/bucket/two", &missing, "").await.refused(404, "NoSuchKey");
    let writer = world.send_as(user(OWNER, "PutObject"), "PUT", "/bucket/two", &itself, Body::empty()).await;
    writer.refused(403, "AccessDenied");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let world = World::with_bucket().await;
    for key in ["a", "b", "c"] {
        world.send("PUT", &format!("/bucket/{key}"), &[], "x").await.ok();
    }
    let document = |quiet: bool| {
        format!(
            "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Quiet>{quiet}</Quiet></Delete>"
        )
    };
    let deleted = world.send("POST", "/bucket?delete", &[], document(false)).await.ok();
    assert_eq!(deleted.elements("Key"), ["a", "none"]);
    assert!(world.send("POST", "/bucket?delete", &[], document(true)).await.ok().elements("Key").is_empty());
    let reader = user(OWNER, "GetObject");
    let refused = world.send_as(reader, "POST", "/bucket?delete", &[], Body::from(document(true))).await.ok();
    assert_eq!(refused.elements("Code"), ["AccessDenied", "AccessDenied"]);
    assert_eq!(world.send("GET", "/bucket?list-type=2", &[], "").await.elements("Key"), ["b", "c"]);
    world.send("POST", "/bucket?delete", &[], "<Delete></Delete>").await.refused(400, "MalformedXML");
}

#[tokio::test]
async fn tags_are_replaced_as_a_whole() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[("x-amz-tagging", "a=1")], "x").await.ok();
    let tagging = |count: usize| {
        let tags: String =
            (0..count).map(|n| format!("<Tag><Key>k{n}</Key><Value>v</Value></Tag>")).collect();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    world.send("PUT", "/bucket/k?tagging", &[], tagging(2)).await.ok();
    let got = world.send("GET", "/bucket/k?tagging", &[], "").await.ok();
    assert_eq!(got.elements("Key"), ["k0", "k1"]);
    world.send("PUT", "/bucket/k?tagging", &[], tagging(11)).await.refused(400, "BadRequest");
    assert_eq!(world.send("DELETE", "/bucket/k?tagging", &[], "").await.status, 204);
    assert!(world.send("GET", "/bucket/k?tagging", &[], "").await.ok().elements("Key").is_empty());
    world.send("PUT", "/bucket/none?tagging", &[], tagging(1)).await.refused(404, "NoSuchKey");
    assert_eq!(world.send("GET", "/bucket/k", &[], "").await.ok().text(), "x");
}

/// A body that is made as it is read.
fn pieces(count: usize) -> Body {
    const PIECE: usize = 64 * 1024;
    let frames = stream::iter(0..count)
        .map(|n| Ok::<_, ApiError>(Frame::data(Bytes::from(vec![(n % 251) as u8; PIECE]))));
    Body::stream(StreamBody::new(frames), Some((count * PIECE) as u64))
}

#[tokio::test]
async fn large_bodies_stream() {
    let world = World::with_bucket().await;
    const PIECES: usize = 1024;
    let put = world.send_as(root(OWNER), "PUT", "/bucket/k", &[], pieces(PIECES)).await;
    assert_eq!(put.status, 200);
    let mut body = world.open(root(OWNER), "GET", "/bucket/k", &[], Body::empty()).await.into_body();
    let mut size = 0;
    while let Some(piece) = body.chunk().await {
        let piece = piece.unwrap();
        assert!(piece.len() <= 512 * 1024, "no more than a chunk is ever in memory");
        assert!(piece.iter().zip(size..).all(|(&byte, at)| byte == (at / 65_536 % 251) as u8));
        size += piece.len();
    }
    assert_eq!(size, PIECES * 64 * 1024);
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], "before").await.ok();
    for length in [50, 200_000] {
        let frames: Vec<Result<Frame<Bytes>, ApiError>> = vec![
            Ok(Frame::data(Bytes::from(vec![1; 20]))),
            Err(ApiError::new("IncompleteBody", 400, "The request body terminated unexpectedly")),
        ];
        let body = Body::stream(StreamBody::new(stream::iter(frames)), Some(length));
        let answer = world.send_as(root(OWNER), "PUT", "/bucket/k", &[], body).await;
        answer.refused(400, "IncompleteBody");
        let short = StreamBody::new(stream::iter([Ok(Frame::data(Bytes::from_static(b"short")))]));
        let answer =
            world.send_as(root(OWNER), "PUT", "/bucket/k", &[], Body::stream(short, Some(length))).await;
        answer.refused(400, "IncompleteBody");
    }
    let endless = StreamBody::new(stream::iter([Ok(Frame::data(Bytes::from_static(b"x")))]));
    let answer = world.send_as(root(OWNER), "PUT", "/bucket/k", &[], Body::stream(endless, None)).await;
    answer.refused(411, "MissingContentLength");
    let huge = StreamBody::new(stream::iter([Ok(Frame::data(Bytes::from_static(b"x")))]));
    let answer =
        world.send_as(root(OWNER), "PUT", "/bucket/k", &[], Body::stream(huge, Some((5 << 30) + 1))).await;
    answer.refused(400, "EntityTooLarge");
    assert_eq!(world.send("GET", "/bucket/k", &[], "").await.text(), "before");
    assert_eq!(world.blob_count().await, 0);
}

#[tokio::test]
async fn what_a_crash_left_over_is_removed() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], bytes(70_000)).await.ok();
    let body = stream::iter([Ok(bytes(70_000))]).boxed();
    pagoda_store::Blob::put(&world.blobs, body, &mut |_| {}).await.unwrap();
    assert_eq!(world.blob_count().await, 2);
    world.restarted().clear_away().await;
    assert_eq!(world.blob_count().await, 1);
    assert_eq!(world.send("GET", "/bucket/k", &[], "").await.ok().body, bytes(70_000));
}

#[tokio::test]
async fn other_services_read_as_their_caller() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[], "code").await.ok();
    let read = |action| {
        let cx = world.context(user(OWNER, action));
        let s3 = world.s3.clone();
        async move { s3.read(&cx, "bucket", "k", None).await }
    };
    let (length, body) = read("GetObject").await.unwrap();
    assert_eq!((length, &body.collect(100).await.unwrap()[..]), (4, &b"code"[..]));
    assert_eq!(read("PutObject").await.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn attributes_are_told_as_asked() {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket/k", &[("x-amz-checksum-crc32", "y/Q5Jg==")], "123456789").await.ok();
    let wanted = [("x-amz-object-attributes", "ETag,Checksum,ObjectSize,StorageClass")];
    let got = world.send("GET", "/bucket/k?attributes", &wanted, "").await.ok();
    assert_eq!(got.element("ETag"), "25f9e794323b453885f5181f1b624d0b");
    assert_eq!((got.element("ChecksumCRC32"), got.element("ObjectSize")), ("y/Q5Jg==", "9"));
    assert_eq!(got.element("StorageClass"), "STANDARD");
}
