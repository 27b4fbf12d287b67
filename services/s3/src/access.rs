//! What IAM checks before each operation: the action and the resource it names.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use pagoda_protocol::{ApiError, Operation};
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::source::Source;
use crate::tag;

type Needs = Result<Vec<Access>, ApiError>;

/// The ARN of a bucket.
pub(crate) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// The ARN of an object.
pub(crate) fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// Permission to read an object, at a version where one is named.
pub(crate) fn read(bucket: &str, key: &str, version: Option<&str>) -> Access {
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    Access::new(action, object_arn(bucket, key)).with_some("s3:VersionId", version)
}

/// Permission to delete an object.
pub(crate) fn removed(bucket: &str, key: &str, version: Option<&str>) -> Access {
    let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    Access::new(action, object_arn(bucket, key)).with_some("s3:VersionId", version)
}

/// Inputs whose operation needs one permission on a bucket.
pub(crate) trait OnBucket {
    type Operation: Operation;
    fn bucket(&self) -> &str;
}

/// Inputs whose operation needs one permission on an object.
pub(crate) trait OnObject {
    type Operation: Operation;
    fn place(&self) -> (&str, &str);
    fn version(&self) -> Option<&str>;
}

macro_rules! on_bucket {
    ($($operation:ident: $input:ident),* $(,)?) => {$(
        impl OnBucket for g::$input {
            type Operation = g::$operation;
            fn bucket(&self) -> &str {
                &self.bucket
            }
        }
    )*};
}

macro_rules! on_object {
    ($($operation:ident: $input:ident $(($version:ident))?),* $(,)?) => {$(
        impl OnObject for g::$input {
            type Operation = g::$operation;
            fn place(&self) -> (&str, &str) {
                (&self.bucket, &self.key)
            }
            fn version(&self) -> Option<&str> {
                on_object!(@version self $($version)?)
            }
        }
    )*};
    (@version $self:ident version) => { $self.version_id.as_deref() };
    (@version $self:ident) => { None };
}

on_bucket!(
    DeleteBucket: DeleteBucketRequest,
    DeleteBucketCors: DeleteBucketCorsRequest,
    DeleteBucketPolicy: DeleteBucketPolicyRequest,
    DeleteBucketTagging: DeleteBucketTaggingRequest,
    DeleteBucketWebsite: DeleteBucketWebsiteRequest,
    DeletePublicAccessBlock: DeletePublicAccessBlockRequest,
    GetBucketAcl: GetBucketAclRequest,
    GetBucketCors: GetBucketCorsRequest,
    GetBucketLocation: GetBucketLocationRequest,
    GetBucketNotificationConfiguration: GetBucketNotificationConfigurationRequest,
    GetBucketOwnershipControls: GetBucketOwnershipControlsRequest,
    GetBucketPolicy: GetBucketPolicyRequest,
    GetBucketPolicyStatus: GetBucketPolicyStatusRequest,
    GetBucketTagging: GetBucketTaggingRequest,
    GetBucketVersioning: GetBucketVersioningRequest,
    GetBucketWebsite: GetBucketWebsiteRequest,
    GetPublicAccessBlock: GetPublicAccessBlockRequest,
    HeadBucket: HeadBucketRequest,
    ListMultipartUploads: ListMultipartUploadsRequest,
    PutBucketCors: PutBucketCorsRequest,
    PutBucketNotificationConfiguration: PutBucketNotificationConfigurationRequest,
    PutBucketOwnershipControls: PutBucketOwnershipControlsRequest,
    PutBucketPolicy: PutBucketPolicyRequest,
    PutBucketTagging: PutBucketTaggingRequest,
    PutBucketWebsite: PutBucketWebsiteRequest,
    PutPublicAccessBlock: PutPublicAccessBlockRequest,
);

on_object!(
    AbortMultipartUpload: AbortMultipartUploadRequest,
    CompleteMultipartUpload: CompleteMultipartUploadRequest,
    DeleteObject: DeleteObjectRequest (version),
    DeleteObjectTagging: DeleteObjectTaggingRequest (version),
    GetObject: GetObjectRequest (version),
    GetObjectAcl: GetObjectAclRequest (version),
    GetObjectTagging: GetObjectTaggingRequest (version),
    HeadObject: HeadObjectRequest (version),
    ListParts: ListPartsRequest,
    UploadPart: UploadPartRequest,
);

/// The action of an operation, where it is not the operation's name.
fn action(operation: &'static str, version: bool) -> String {
    let name = match operation {
        "DeleteBucketCors" | "PutBucketCors" => "PutBucketCORS",
        "GetBucketCors" => "GetBucketCORS",
        "DeleteBucketTagging" => "PutBucketTagging",
        "DeletePublicAccessBlock" | "PutPublicAccessBlock" => "PutBucketPublicAccessBlock",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "HeadBucket" => "ListBucket",
        "HeadObject" => "GetObject",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "CompleteMultipartUpload" | "UploadPart" => "PutObject",
        name => name,
    };
    let versioned = match name {
        _ if !version => name.to_owned(),
        "GetObjectTagging" | "DeleteObjectTagging" | "PutObjectTagging" | "GetObjectAcl" => {
            name.replacen("Object", "ObjectVersion", 1)
        }
        name => format!("{name}Version"),
    };
    format!("s3:{versioned}")
}

pub(crate) fn bucket<I: OnBucket>(_cx: &Context, input: &I) -> Needs {
    Ok(vec![Access::new(action(I::Operation::SPEC.name, false), bucket_arn(input.bucket()))])
}

pub(crate) fn object<I: OnObject>(_cx: &Context, input: &I) -> Needs {
    let (bucket, key) = input.place();
    let action = action(I::Operation::SPEC.name, input.version().is_some());
    Ok(vec![Access::new(action, object_arn(bucket, key)).with_some("s3:VersionId", input.version())])
}

pub(crate) fn new_bucket(_cx: &Context, input: &g::CreateBucketRequest) -> Needs {
    let location = input.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint.as_deref());
    let acl = input.acl.map(|acl| acl.as_str());
    let created = Access::new("s3:CreateBucket", bucket_arn(&input.bucket))
        .with_some("s3:locationconstraint", location)
        .with_some("s3:x-amz-acl", acl);
    Ok(vec![created])
}

pub(crate) fn all_buckets(_cx: &Context, _input: &g::ListBucketsRequest) -> Needs {
    Ok(vec![Access::everywhere("s3:ListAllMyBuckets")])
}

/// The keys are authorized one by one while they are deleted.
pub(crate) fn each_by_itself(_cx: &Context, _input: &g::DeleteObjectsRequest) -> Needs {
    Ok(Vec::new())
}

/// Inputs that list objects.
pub(crate) trait Lists {
    fn listed(&self) -> (&str, Option<&str>, Option<&str>, Option<i32>);
}

impl Lists for g::ListObjectsRequest {
    fn listed(&self) -> (&str, Option<&str>, Option<&str>, Option<i32>) {
        (&self.bucket, self.prefix.as_deref(), self.delimiter.as_deref(), self.max_keys)
    }
}

impl Lists for g::ListObjectsV2Request {
    fn listed(&self) -> (&str, Option<&str>, Option<&str>, Option<i32>) {
        (&self.bucket, self.prefix.as_deref(), self.delimiter.as_deref(), self.max_keys)
    }
}

pub(crate) fn listed<I: Lists>(_cx: &Context, input: &I) -> Needs {
    let (bucket, prefix, delimiter, max) = input.listed();
    let access = Access::new("s3:ListBucket", bucket_arn(bucket))
        .with("s3:prefix", prefix.unwrap_or_default())
        .with_some("s3:delimiter", delimiter)
        .with_some("s3:max-keys", max.map(|max| max.to_string()));
    Ok(vec![access])
}

pub(crate) fn attributes(_cx: &Context, input: &g::GetObjectAttributesRequest) -> Needs {
    let version = input.version_id.as_deref();
    let action = if version.is_some() { "s3:GetObjectVersionAttributes" } else { "s3:GetObjectAttributes" };
    let arn = object_arn(&input.bucket, &input.key);
    Ok(vec![read(&input.bucket, &input.key, version), Access::new(action, arn)])
}

/// What all that make an object need: to put it, and to set what the request sets on it.
fn written(
    place: (&str, &str),
    acl: Option<g::ObjectCannedACL>,
    tagging: Option<&str>,
    class: Option<&str>,
) -> Needs {
    let arn = object_arn(place.0, place.1);
    let tags = tag::of_header(tagging)?;
    let put = tag::requested(Access::new("s3:PutObject", &arn), &tags)
        .with_some("s3:x-amz-acl", acl.map(|acl| acl.as_str()))
        .with_some("s3:x-amz-storage-class", class);
    let mut needs = vec![put];
    if acl.is_some() {
        needs.push(Access::new("s3:PutObjectAcl", &arn));
    }
    if !tags.is_empty() {
        needs.push(tag::requested(Access::new("s3:PutObjectTagging", &arn), &tags));
    }
    Ok(needs)
}

pub(crate) fn put(_cx: &Context, input: &g::PutObjectRequest) -> Needs {
    let place = (input.bucket.as_str(), input.key.as_str());
    written(place, input.acl, input.tagging.as_deref(), input.storage_class.as_deref())
}

pub(crate) fn new_upload(_cx: &Context, input: &g::CreateMultipartUploadRequest) -> Needs {
    let place = (input.bucket.as_str(), input.key.as_str());
    written(place, input.acl, input.tagging.as_deref(), input.storage_class.as_deref())
}

pub(crate) fn copied(_cx: &Context, input: &g::CopyObjectRequest) -> Needs {
    let source = Source::parse(&input.copy_source)?;
    let place = (input.bucket.as_str(), input.key.as_str());
    let replaced = input.tagging_directive == Some(g::TaggingDirective::Replace);
    let tagging = input.tagging.as_deref().filter(|_| replaced);
    let mut needs = written(place, input.acl, tagging, input.storage_class.as_deref())?;
    needs[0].keys.set("s3:x-amz-copy-source", source.path());
    if let Some(directive) = input.metadata_directive {
        needs[0].keys.set("s3:x-amz-metadata-directive", directive.as_str());
    }
    needs.push(read(&source.bucket, &source.key, source.version.as_deref()));
    Ok(needs)
}

pub(crate) fn part_copied(_cx: &Context, input: &g::UploadPartCopyRequest) -> Needs {
    let source = Source::parse(&input.copy_source)?;
    let put = Access::new("s3:PutObject", object_arn(&input.bucket, &input.key))
        .with("s3:x-amz-copy-source", source.path());
    Ok(vec![put, read(&source.bucket, &source.key, source.version.as_deref())])
}

pub(crate) fn tagged(_cx: &Context, input: &g::PutObjectTaggingRequest) -> Needs {
    let tags = tag::checked(input.tagging.tag_set.clone(), tag::OBJECT_MAX)?;
    let action = action("PutObjectTagging", input.version_id.is_some());
    let access = Access::new(action, object_arn(&input.bucket, &input.key));
    Ok(vec![tag::requested(access, &tags)])
}
