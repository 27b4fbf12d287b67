//! Which operation a request leads to.

use pagoda_protocol::{ServiceSpec, Target, route};

use crate::sample::parts;
use crate::{iam, lambda, logs, s3};

fn target(service: &'static ServiceSpec, head: &str, body: &str) -> String {
    match route(service, &parts(head), body.as_bytes()) {
        Ok(routed) => match routed.target {
            Target::Operation(spec) => spec.name.to_owned(),
            Target::Unavailable(name) => format!("({name})"),
        },
        Err(error) => format!("{} {}", error.status.as_u16(), error.code),
    }
}

#[test]
fn requests_lead_to_operations_of_s3() {
    let rows = [
        ("GET /", "ListBuckets"),
        ("GET /b", "ListObjects"),
        ("GET /b/?prefix=a", "ListObjects"),
        ("GET /b?list-type=2", "ListObjectsV2"),
        ("GET /b?list-type=1", "ListObjects"),
        ("GET /b?uploads", "ListMultipartUploads"),
        ("GET /b?policy", "GetBucketPolicy"),
        ("GET /b?policy=", "GetBucketPolicy"),
        ("GET /b?policyStatus", "GetBucketPolicyStatus"),
        ("GET /b?location", "GetBucketLocation"),
        ("PUT /b", "CreateBucket"),
        ("DELETE /b", "DeleteBucket"),
        ("HEAD /b", "HeadBucket"),
        ("POST /b?delete", "DeleteObjects"),
        ("GET /b/k", "GetObject"),
        ("GET /b/k/?versionId=1", "GetObject"),
        ("GET /b//", "GetObject"),
        ("GET /b/k?uploadId=1", "ListParts"),
        ("GET /b/k?tagging", "GetObjectTagging"),
        ("GET /b/k?acl", "GetObjectAcl"),
        ("GET /b/k?attributes\nx-amz-object-attributes: ETag", "GetObjectAttributes"),
        ("HEAD /b/k", "HeadObject"),
        ("PUT /b/k", "PutObject"),
        ("PUT /b/k\nx-amz-copy-source: /a/b", "CopyObject"),
        ("PUT /b/k?partNumber=1&uploadId=2", "UploadPart"),
        ("PUT /b/k?partNumber=1&uploadId=2\nx-amz-copy-source: /a/b", "UploadPartCopy"),
        ("PUT /b/k?tagging", "PutObjectTagging"),
        ("DELETE /b/k", "DeleteObject"),
        ("DELETE /b/k?uploadId=1", "AbortMultipartUpload"),
        ("POST /b/k?uploads", "CreateMultipartUpload"),
        ("POST /b/k?uploadId=1", "CompleteMultipartUpload"),
        ("GET /b?versions", "(ListObjectVersions)"),
        ("PUT /b?lifecycle", "(PutBucketLifecycleConfiguration)"),
        ("POST /b/k?select&select-type=2", "(SelectObjectContent)"),
        ("PATCH /b/k", "405 MethodNotAllowed"),
        ("GET /b/%FF", "400 InvalidURI"),
    ];
    for (head, expected) in rows {
        assert_eq!(target(&s3::SERVICE, head, ""), expected, "{head}");
    }
}

#[test]
fn keys_are_taken_as_they_are() {
    let rows = [("/b/a/b", "a/b"), ("/b//a//", "/a//"), ("/b/a%2Fb%20+c%25", "a/b +c%"), ("/b/../x", "../x")];
    for (path, key) in rows {
        let routed = route(&s3::SERVICE, &parts(&format!("GET {path}")), b"").unwrap();
        assert_eq!(routed.labels, [("Bucket", "b".to_owned()), ("Key", key.to_owned())], "{path}");
    }
}

#[test]
fn requests_lead_to_operations_of_the_other_protocols() {
    let rows: [(&'static ServiceSpec, &str, &str, &str); 11] = [
        (&lambda::SERVICE, "GET /2015-03-31/functions", "", "ListFunctions"),
        (&lambda::SERVICE, "GET /2015-03-31/functions/", "", "ListFunctions"),
        (&lambda::SERVICE, "GET /2015-03-31/functions/f", "", "GetFunction"),
        (&lambda::SERVICE, "POST /2015-03-31/functions/f/invocations", "", "Invoke"),
        (&lambda::SERVICE, "GET /2020-04-22/code-signing-configs", "", "(ListCodeSigningConfigs)"),
        (&lambda::SERVICE, "GET /nothing", "", "404 UnknownOperationException"),
        (&iam::SERVICE, "POST /", "Action=GetUser&Version=2010-05-08", "GetUser"),
        (&iam::SERVICE, "POST /", "Action=CreateGroup", "(CreateGroup)"),
        (&logs::SERVICE, "POST /\nx-amz-target: Logs_20140328.GetLogEvents", "", "GetLogEvents"),
        (&logs::SERVICE, "POST /\nx-amz-target: Logs_20140328.StartQuery", "", "(StartQuery)"),
        (&logs::SERVICE, "POST /\nx-amz-target: Other.GetLogEvents", "", "400 UnknownOperationException"),
    ];
    for (service, head, body, expected) in rows {
        assert_eq!(target(service, head, body), expected, "{head} {body}");
    }
}
