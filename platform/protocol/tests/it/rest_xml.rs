//! restXml as S3 speaks it: <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>

use pagoda_protocol::{ApiError, Body, Trace, encode_error};

use crate::s3;
use crate::sample::{answer, fault, input, refusal, text};

const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

#[test]
fn documents_become_inputs() {
    let body = "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key>\
                </Object><Object><Key> c </Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>";
    let delete = input::<s3::DeleteObjects>(&s3::SERVICE, "POST /b?delete=", body).unwrap();
    assert_eq!(delete.bucket, "b");
    let keys: Vec<_> = delete.delete.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["a&b", " c "]);
    assert_eq!(delete.delete.quiet, Some(true));

    let body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag></Part></CompleteMultipartUpload>";
    let complete =
        input::<s3::CompleteMultipartUpload>(&s3::SERVICE, "POST /b/k%2F1/x?uploadId=u", body).unwrap();
    assert_eq!((complete.key.as_str(), complete.upload_id.as_str()), ("k/1/x", "u"));
    let parts = complete.multipart_upload.unwrap().parts.unwrap();
    assert_eq!((parts[0].part_number, parts[0].e_tag.as_deref()), (Some(1), Some("\"e\"")));

    let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    let create = input::<s3::CreateBucket>(&s3::SERVICE, "PUT /b", body).unwrap();
    let location = create.create_bucket_configuration.unwrap().location_constraint.unwrap();
    assert_eq!(location, "eu-west-1");
    assert!(
        input::<s3::CreateBucket>(&s3::SERVICE, "PUT /b/", "").unwrap().create_bucket_configuration.is_none()
    );

    let head = "PUT /b?cors";
    let body = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>\
                <AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
    let cors = input::<s3::PutBucketCors>(&s3::SERVICE, head, body).unwrap();
    assert_eq!(cors.cors_configuration.cors_rules[0].allowed_methods, ["GET", "PUT"]);

    let policy = "{\"Version\":\"2012-10-17\"}";
    assert_eq!(input::<s3::PutBucketPolicy>(&s3::SERVICE, "PUT /b?policy", policy).unwrap().policy, policy);
}

#[test]
fn headers_become_members() {
    let head = "PUT /b/a//b%20c/\nx-amz-meta-One: 1\nx-amz-meta-two: zwei\ncontent-type: text/plain\n\
                x-amz-checksum-crc32: y/Q5Jg==";
    let put = input::<s3::PutObject>(&s3::SERVICE, head, "hello").unwrap();
    assert_eq!(put.key, "a//b c/");
    assert_eq!(
        put.metadata.unwrap().into_iter().collect::<Vec<_>>(),
        [("one".to_owned(), "1".to_owned()), ("two".to_owned(), "zwei".to_owned())]
    );
    assert_eq!(put.content_type.as_deref(), Some("text/plain"));
    assert_eq!(put.body.bytes().unwrap(), "hello");

    let head = "GET /b/k\nif-modified-since: Wed, 21 Jan 2015 19:02:32 GMT\nrange: bytes=0-1";
    let get = input::<s3::GetObject>(&s3::SERVICE, head, "").unwrap();
    assert_eq!(get.if_modified_since, Some("2015-01-21T19:02:32Z".parse().unwrap()));
    let head = "GET /b/k?attributes\nx-amz-object-attributes: ETag, ObjectSize";
    let get = input::<s3::GetObjectAttributes>(&s3::SERVICE, head, "").unwrap();
    assert_eq!(get.object_attributes, [s3::ObjectAttributes::ETag, s3::ObjectAttributes::ObjectSize]);
}

#[test]
fn bad_documents_are_malformed() {
    let malformed =
        "The XML you provided was not well-formed or did not validate against our published schema";
    for body in [
        "<Delete>",
        "x",
        "<Other/>",
        "<Delete><Object/></Delete>",
        "<Delete><Quiet>maybe</Quiet><Object><Key>k</Key></Object></Delete>",
        "<Delete><Object><Key>k</Key></Object><Unknown/></Delete>",
        "<Delete><Object><Key><b/></Key></Object></Delete>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>",
    ] {
        let refused = refusal::<s3::DeleteObjects>(&s3::SERVICE, "POST /b?delete", body);
        assert_eq!(refused, ("MalformedXML".to_owned(), malformed.to_owned()), "{body}");
    }
    let refused = refusal::<s3::DeleteObjects>(&s3::SERVICE, "POST /b?delete", "");
    assert_eq!(refused.0, "MissingRequestBodyError");
    let refused = refusal::<s3::ListObjectsV2>(&s3::SERVICE, "GET /b?list-type=2&max-keys=x", "");
    let message = "Provided max-keys not an integer or within integer range";
    assert_eq!(refused, ("InvalidArgument".to_owned(), message.to_owned()));
}

#[test]
fn outputs_become_documents() {
    let output = s3::ListObjectsV2Output {
        name: Some("b".into()),
        key_count: Some(1),
        is_truncated: Some(false),
        contents: Some(vec![s3::Object {
            key: Some("a<b".into()),
            last_modified: Some("2009-10-12T17:50:30Z".parse().unwrap()),
            size: Some(5),
            ..Default::default()
        }]),
        common_prefixes: Some(vec![s3::CommonPrefix { prefix: Some("p/".into()) }]),
        ..Default::default()
    };
    let expected = format!(
        "200\ncontent-type: application/xml\nx-amz-id-2: H\nx-amz-request-id: R\n\n<?xml version=\"1.0\" \
         encoding=\"UTF-8\"?>\n<ListBucketResult {NAMESPACE}><IsTruncated>false</IsTruncated><Contents><Key>a&lt;b</Key>\
         <LastModified>2009-10-12T17:50:30.000Z</LastModified><Size>5</Size></Contents><Name>b</Name><CommonPrefixes>\
         <Prefix>p/</Prefix></CommonPrefixes><KeyCount>1</KeyCount></ListBucketResult>"
    );
    assert_eq!(answer::<s3::ListObjectsV2>(&s3::SERVICE, output), expected);
}

#[test]
fn oddities_of_s3_are_kept() {
    let location = s3::GetBucketLocationOutput { location_constraint: Some("eu-west-1".into()) };
    let ends = [
        (
            answer::<s3::GetBucketLocation>(&s3::SERVICE, location),
            "<LocationConstraint NS>eu-west-1</LocationConstraint>",
        ),
        (
            answer::<s3::GetBucketLocation>(&s3::SERVICE, Default::default()),
            "<LocationConstraint NS></LocationConstraint>",
        ),
        (
            answer::<s3::GetBucketPolicy>(
                &s3::SERVICE,
                s3::GetBucketPolicyOutput { policy: Some("{\"a\":1}".into()) },
            ),
            "\n\n{\"a\":1}",
        ),
        (
            answer::<s3::ListBuckets>(
                &s3::SERVICE,
                s3::ListBucketsOutput {
                    buckets: Some(vec![s3::Bucket { name: Some("b".into()), ..Default::default() }]),
                    ..Default::default()
                },
            ),
            "<ListAllMyBucketsResult NS><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>",
        ),
        (
            answer::<s3::CopyObject>(
                &s3::SERVICE,
                s3::CopyObjectOutput {
                    copy_object_result: Some(s3::CopyObjectResult {
                        e_tag: Some("e".into()),
                        ..Default::default()
                    }),
                    ..Default::default()
                },
            ),
            "<CopyObjectResult NS><ETag>e</ETag></CopyObjectResult>",
        ),
        (
            answer::<s3::GetObjectAcl>(
                &s3::SERVICE,
                s3::GetObjectAclOutput {
                    grants: Some(vec![s3::Grant {
                        grantee: Some(s3::Grantee {
                            id: Some("i".into()),
                            r#type: s3::Type::CanonicalUser,
                            ..Default::default()
                        }),
                        permission: Some(s3::Permission::FullControl),
                    }]),
                    ..Default::default()
                },
            ),
            "<AccessControlPolicy NS><AccessControlList><Grant><Grantee \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>i</ID></Grantee>\
             <Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
        ),
    ];
    for (actual, end) in ends {
        let end = end.replace("NS", NAMESPACE);
        assert!(actual.ends_with(&end), "{actual}\ndoes not end with {end}");
    }
    let deleted = answer::<s3::DeleteObject>(&s3::SERVICE, Default::default());
    assert_eq!(deleted, "204\nx-amz-id-2: H\nx-amz-request-id: R\n\n");
}

#[test]
fn objects_stream_with_their_headers() {
    let output = s3::GetObjectOutput {
        body: Body::from("hello"),
        content_length: Some(5),
        content_type: Some("text/plain".into()),
        e_tag: Some("\"e\"".into()),
        last_modified: Some("2009-10-12T17:50:30Z".parse().unwrap()),
        metadata: Some([("one".to_owned(), "1".to_owned())].into()),
        ..Default::default()
    };
    assert_eq!(
        answer::<s3::GetObject>(&s3::SERVICE, output),
        "200\ncontent-length: 5\ncontent-type: text/plain\netag: \"e\"\nlast-modified: Mon, 12 Oct 2009 17:50:30 GMT\n\
         x-amz-id-2: H\nx-amz-meta-one: 1\nx-amz-request-id: R\n\nhello"
    );
}

#[test]
fn errors_are_documents_without_namespace() {
    let error = ApiError::new("NoSuchKey", 404, "The specified key does not exist.").with_field("Key", "k");
    assert_eq!(
        fault(&s3::SERVICE, &error),
        "404\ncontent-type: application/xml\nx-amz-id-2: H\nx-amz-request-id: R\n\n<?xml version=\"1.0\" \
         encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>k</Key>\
         <Resource>/b/k</Resource><RequestId>R</RequestId><HostId>H</HostId></Error>"
    );
    let head = Trace { request_id: "R", host_id: "H", resource: "/b/k", head: true };
    let silent = text(encode_error(&s3::SERVICE, s3::SERVICE.protocols[0], &error, &head));
    assert!(silent.starts_with("404") && silent.ends_with("\n\n"), "{silent}");
    let not_modified = ApiError::new("NotModified", 304, "");
    assert!(fault(&s3::SERVICE, &not_modified).ends_with("\n\n"));
}
