//! CreateBucket HeadBucket DeleteBucket ListBuckets GetBucketLocation GetBucketVersioning

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, KeyBuilder, Outcome, Read, update};

use crate::generated as g;
use crate::table::{self, BUCKETS, Block, Bucket, FENCES, Fence, Garbage, Left, OWNED, Owned};
use crate::{S3, acl, error, fence, name, tag};

/// Buckets of one account.
const BUCKETS_MAX: i32 = 10_000;

pub(crate) async fn create(
    s3: &S3,
    cx: &Context,
    input: g::CreateBucketRequest,
) -> Result<g::CreateBucketOutput, ApiError> {
    name::check_bucket(&input.bucket)?;
    acl::check_new_bucket(&input)?;
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    check_location(cx, configuration.location_constraint.as_deref())?;
    let bucket = Bucket {
        name: input.bucket,
        account: cx.account,
        region: cx.region.clone(),
        created: cx.now,
        incarnation: ids::short_id(20, &*s3.random),
        policy: None,
        website: None,
        cors: None,
        block: Some(Block::ALL),
        tags: tag::of_new(cx, &Default::default(), configuration.tags.unwrap_or_default())?,
        notifications: Vec::new(),
    };
    let key = table::bucket(&bucket.name);
    let commit = BUCKETS.create(Commit::new(), &key, &bucket)?;
    let commit = FENCES.put(commit, &table::fence(&bucket.incarnation), &Fence { closing: false })?;
    let owned = Owned { region: bucket.region.clone(), created: bucket.created };
    let commit = OWNED.put(commit, &table::owned(cx.account, &bucket.name), &owned)?;
    match s3.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => taken(s3, cx, &bucket.name).await?,
        outcome => {
            outcome.done()?;
        }
    }
    let bucket_arn = Some(format!("arn:aws:s3:::{}", bucket.name));
    Ok(g::CreateBucketOutput { location: Some(format!("/{}", bucket.name)), bucket_arn })
}

/// The region must be the one that was asked, where us-east-1 is asked by leaving it out.
fn check_location(cx: &Context, constraint: Option<&str>) -> Result<(), ApiError> {
    let illegal = |given: &str| {
        let message = format!(
            "The {given} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(ApiError::new("IllegalLocationConstraintException", 400, message))
    };
    match (cx.region.as_str(), constraint.filter(|constraint| !constraint.is_empty())) {
        ("us-east-1", Some("us-east-1")) => {
            let message = "The specified location-constraint is not valid";
            Err(ApiError::new("InvalidLocationConstraint", 400, message)
                .with_field("LocationConstraint", "us-east-1"))
        }
        ("us-east-1", None) => Ok(()),
        (_, None) => illegal("unspecified"),
        (region, Some(constraint)) if constraint == region => Ok(()),
        ("eu-west-1", Some("EU")) => Ok(()),
        (_, Some(other)) => illegal(other),
    }
}

/// The name is another's, or the caller's own already; in us-east-1 that is no error.
async fn taken(s3: &S3, cx: &Context, bucket: &str) -> Result<(), ApiError> {
    let found = load(s3, bucket).await?;
    if found.account != cx.account {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the \
                       system. Please select a different name and try again.";
        let error: ApiError = g::BucketAlreadyExists::new(message).into();
        return Err(error.with_field("BucketName", bucket));
    }
    if cx.region.as_str() == "us-east-1" && found.region == cx.region {
        return Ok(());
    }
    let message = "Your previous request to create the named bucket succeeded and you already own it.";
    let error: ApiError = g::BucketAlreadyOwnedByYou::new(message).into();
    Err(error.with_field("BucketName", bucket))
}

/// The bucket, whoever asks.
pub(crate) async fn load(s3: &S3, bucket: &str) -> Result<Bucket, ApiError> {
    name::check_bucket(bucket)?;
    let found = BUCKETS.get(s3.store(), &table::bucket(bucket)).await?;
    Ok(found.ok_or_else(|| error::no_such_bucket(bucket))?.record)
}

/// The bucket that a request names, if it is in the region and of the owner that the request expects.
pub(crate) async fn open(
    s3: &S3,
    cx: &Context,
    bucket: &str,
    expected_owner: Option<&str>,
) -> Result<Bucket, ApiError> {
    let bucket = load(s3, bucket).await?;
    if expected_owner.is_some_and(|owner| owner != bucket.account.as_str()) {
        return Err(error::access_denied());
    }
    // Only a signature names a region.
    if cx.caller.access_key_id.is_some() && cx.region != bucket.region {
        let message = format!(
            "The authorization header is malformed; the region '{}' is wrong; expecting '{}'",
            cx.region, bucket.region
        );
        return Err(ApiError::new("AuthorizationHeaderMalformed", 400, message)
            .with_field("Region", bucket.region.as_str())
            .with_header("x-amz-bucket-region", bucket.region.as_str()));
    }
    Ok(bucket)
}

/// Replaces the configuration of a bucket by what `change` makes of it.
pub(crate) async fn change<T>(
    s3: &S3,
    cx: &Context,
    bucket: &str,
    expected_owner: Option<&str>,
    mut change: impl FnMut(&mut Bucket) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let incarnation = open(s3, cx, bucket, expected_owner).await?.incarnation;
    update(s3.store(), &table::bucket(bucket), |found: Option<Bucket>| {
        let mut found = found
            .filter(|found| found.incarnation == incarnation)
            .ok_or_else(|| error::no_such_bucket(bucket))?;
        let answer = change(&mut found)?;
        Ok(Decision::save(found, answer))
    })
    .await
}

pub(crate) async fn head(
    s3: &S3,
    cx: &Context,
    input: g::HeadBucketRequest,
) -> Result<g::HeadBucketOutput, ApiError> {
    let bucket = open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    Ok(g::HeadBucketOutput {
        bucket_arn: Some(format!("arn:aws:s3:::{}", bucket.name)),
        bucket_region: Some(bucket.region.to_string()),
        access_point_alias: Some(false),
        ..Default::default()
    })
}

pub(crate) async fn delete(s3: &S3, cx: &Context, input: g::DeleteBucketRequest) -> Result<Unit, ApiError> {
    let bucket = open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let commit = fence::close(s3, &bucket).await?;
    let objects = s3.store().rows(Read::prefix(&table::objects(&bucket.incarnation), 1)).await?;
    if !objects.rows.is_empty() {
        return Err(not_empty(&bucket.name));
    }
    let commit =
        commit.delete(table::bucket(&bucket.name)).delete(table::owned(bucket.account, &bucket.name));
    // The fence is the bucket's own, so whoever has it has this incarnation of the bucket.
    let what = Left::Bucket(bucket.incarnation);
    let garbage = Garbage { due: s3.clock.now(), what };
    let commit = crate::table::GARBAGE.put(commit, &table::garbage(&garbage.what), &garbage)?;
    match s3.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => Err(not_empty(&bucket.name)),
        outcome => {
            outcome.done()?;
            s3.sweep.now();
            Ok(Unit)
        }
    }
}

fn not_empty(bucket: &str) -> ApiError {
    ApiError::new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty")
        .with_field("BucketName", bucket)
}

pub(crate) async fn list(
    s3: &S3,
    cx: &Context,
    input: g::ListBucketsRequest,
) -> Result<g::ListBucketsOutput, ApiError> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let max = input.max_buckets.unwrap_or(BUCKETS_MAX) as usize;
    let all = table::owned_by(cx.account);
    let after = input.continuation_token.as_deref().map(|token| KeyBuilder::under(&all).text(token).done());
    let page = OWNED.scan(s3.store(), &all, after.as_ref(), BUCKETS_MAX as u32).await?;
    let mut buckets = Vec::new();
    let mut more = None;
    for stored in page.items {
        let name = key_text(&stored.key)?;
        let region = stored.record.region.as_str();
        if !name.starts_with(prefix) || input.bucket_region.as_deref().is_some_and(|wanted| wanted != region)
        {
            continue;
        }
        if buckets.len() == max {
            more = buckets.last().and_then(|bucket: &g::Bucket| bucket.name.clone());
            break;
        }
        buckets.push(g::Bucket {
            bucket_arn: Some(format!("arn:aws:s3:::{name}")),
            name: Some(name),
            creation_date: Some(stored.record.created),
            bucket_region: Some(region.to_owned()),
        });
    }
    Ok(g::ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(acl::owner(cx.account)),
        continuation_token: more,
        prefix: input.prefix,
    })
}

/// The last element of a key.
fn key_text(key: &pagoda_store::Key) -> Result<String, ApiError> {
    match pagoda_store::tuple::decode(&key.bytes).ok().and_then(|mut elements| elements.pop()) {
        Some(pagoda_store::tuple::Element::Text(text)) => Ok(text),
        _ => Err(ApiError::internal()),
    }
}

pub(crate) async fn location(
    s3: &S3,
    _cx: &Context,
    input: g::GetBucketLocationRequest,
) -> Result<g::GetBucketLocationOutput, ApiError> {
    // SDKs ask for the location to learn the region that they must sign for, so any region may ask.
    let bucket = load(s3, &input.bucket).await?;
    if input.expected_bucket_owner.is_some_and(|owner| owner != bucket.account.as_str()) {
        return Err(error::access_denied());
    }
    let constraint = if bucket.region.as_str() == "us-east-1" { "" } else { bucket.region.as_str() };
    Ok(g::GetBucketLocationOutput { location_constraint: Some(constraint.to_owned()) })
}

/// Never enabled: objects have no versions.
pub(crate) async fn versioning(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketVersioningRequest,
) -> Result<g::GetBucketVersioningOutput, ApiError> {
    open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    Ok(g::GetBucketVersioningOutput::default())
}

impl Block {
    /// What new buckets have.
    pub(crate) const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

impl Bucket {
    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name)
    }

    /// A configuration that is stored as the model has it.
    pub(crate) fn stored<C: pagoda_protocol::Shape>(
        value: Option<&serde_json::Value>,
    ) -> Result<Option<C>, ApiError> {
        value.map(|value| pagoda_protocol::from_json("GetBucketConfiguration", value)).transpose()
    }
}
