//! GetBucketAcl GetObjectAcl GetBucketOwnershipControls PutBucketOwnershipControls
//!
//! Every bucket has the setting BucketOwnerEnforced, AWS's default: access control lists exist only as
//! the owner's full control, and requests that would make others are refused as AWS does then.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use pagoda_base::AccountId;
use pagoda_protocol::checksum::{Algorithm, Checksum};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;

use crate::generated as g;
use crate::{S3, bucket, object};

/// The account as S3 names owners: by a canonical id of 64 hexadecimal digits.
pub(crate) fn owner(account: AccountId) -> g::Owner {
    g::Owner { display_name: None, id: Some(canonical_id(account)) }
}

/// The canonical id of `account`: a digest, so that it is the same everywhere and forever.
pub(crate) fn canonical_id(account: AccountId) -> String {
    let mut digest = Checksum::new(Algorithm::Sha256);
    digest.update(b"pagoda canonical user ");
    digest.update(account.as_str().as_bytes());
    hex::encode(digest.finish())
}

fn full_control(account: AccountId) -> Vec<g::Grant> {
    let grantee =
        g::Grantee { id: Some(canonical_id(account)), r#type: g::Type::CanonicalUser, ..Default::default() };
    vec![g::Grant { grantee: Some(grantee), permission: Some(g::Permission::FullControl) }]
}

pub(crate) async fn of_bucket(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketAclRequest,
) -> Result<g::GetBucketAclOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    Ok(g::GetBucketAclOutput {
        owner: Some(owner(bucket.account)),
        grants: Some(full_control(bucket.account)),
    })
}

pub(crate) async fn of_object(
    s3: &S3,
    cx: &Context,
    input: g::GetObjectAclRequest,
) -> Result<g::GetObjectAclOutput, ApiError> {
    crate::name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    object::require(s3, cx, &bucket, &input.key).await?;
    Ok(g::GetObjectAclOutput {
        owner: Some(owner(bucket.account)),
        grants: Some(full_control(bucket.account)),
        ..Default::default()
    })
}

pub(crate) async fn controls(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketOwnershipControlsRequest,
) -> Result<g::GetBucketOwnershipControlsOutput, ApiError> {
    bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let rule = g::OwnershipControlsRule { object_ownership: g::ObjectOwnership::BucketOwnerEnforced };
    Ok(g::GetBucketOwnershipControlsOutput {
        ownership_controls: Some(g::OwnershipControls { rules: vec![rule] }),
    })
}

pub(crate) async fn put_controls(
    s3: &S3,
    cx: &Context,
    input: g::PutBucketOwnershipControlsRequest,
) -> Result<Unit, ApiError> {
    bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(crate::error::malformed_xml()) };
    enforced("PutBucketOwnershipControls", Some(rule.object_ownership))?;
    Ok(Unit)
}

fn enforced(operation: &str, ownership: Option<g::ObjectOwnership>) -> Result<(), ApiError> {
    match ownership {
        None | Some(g::ObjectOwnership::BucketOwnerEnforced) => Ok(()),
        Some(other) => {
            Err(ApiError::not_implemented(operation, &format!("ObjectOwnership {}", other.as_str())))
        }
    }
}

/// Refuses access control lists on a new bucket.
pub(crate) fn check_new_bucket(input: &g::CreateBucketRequest) -> Result<(), ApiError> {
    enforced("CreateBucket", input.object_ownership)?;
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ];
    let private = matches!(input.acl, None | Some(g::BucketCannedACL::Private));
    if private && grants.iter().all(|grant| grant.is_none()) {
        return Ok(());
    }
    let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    Err(ApiError::new("InvalidBucketAclWithObjectOwnership", 400, message))
}

/// Refuses access control lists on an object, but those that change nothing.
pub(crate) fn check_object(
    acl: Option<g::ObjectCannedACL>,
    grants: [&Option<String>; 4],
) -> Result<(), ApiError> {
    use g::ObjectCannedACL::{BucketOwnerFullControl, Private};
    if matches!(acl, None | Some(Private | BucketOwnerFullControl)) && grants.iter().all(|g| g.is_none()) {
        return Ok(());
    }
    Err(ApiError::new("AccessControlListNotSupported", 400, "The bucket does not allow ACLs"))
}
