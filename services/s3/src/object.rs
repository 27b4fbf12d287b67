//! Objects as they are found and saved.

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};
use pagoda_store::{Commit, Decision, Outcome, StoreError, Stored, update};

use crate::condition::Writing;
use crate::content::{self, Taken};
use crate::generated::SERVICE;
use crate::outbox::{self, Cause};
use crate::table::{self, Bucket, Content, Headers, OBJECTS, Object, Sum};
use crate::{S3, access, error, fence, name, public};

/// Attempts to write an object that others write as well.
const ATTEMPTS_MAX: u32 = 64;

/// The object, if there is one.
pub(crate) async fn find(s3: &S3, bucket: &Bucket, key: &str) -> Result<Option<Stored<Object>>, ApiError> {
    name::check_key(key)?;
    Ok(OBJECTS.get(s3.store(), &table::object(&bucket.incarnation, key.as_bytes())).await?)
}

/// The object. Whether there is none, only those learn who may list the bucket.
pub(crate) async fn require(s3: &S3, cx: &Context, bucket: &Bucket, key: &str) -> Result<Object, ApiError> {
    match find(s3, bucket, key).await? {
        Some(found) => Ok(found.record),
        None => Err(missing(s3, cx, bucket, key).await?),
    }
}

/// What is answered where there is no object.
async fn missing(s3: &S3, cx: &Context, bucket: &Bucket, key: &str) -> Result<ApiError, ApiError> {
    let listing = Access::new("s3:ListBucket", access::bucket_arn(&bucket.name));
    let may_list = s3.authorizer.decide(cx, &listing, &public::of_bucket(cx, bucket)?).await?.allowed;
    Ok(if may_list { error::no_such_key(key) } else { error::access_denied() })
}

/// Refuses what the caller may not do to a bucket that was read already.
pub(crate) async fn authorize(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    access: &Access,
) -> Result<(), ApiError> {
    s3.authorizer.require(&SERVICE, cx, access, &public::of_bucket(cx, bucket)?).await
}

/// An object to be saved, whose content was taken in.
pub(crate) struct New {
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) sum: Sum,
    pub(crate) headers: Headers,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) taken: Taken,
}

/// Saves an object in place of what is there, if the conditions hold; else lets its content go.
pub(crate) async fn save(
    s3: &S3,
    bucket: &Bucket,
    key: &str,
    new: New,
    condition: &Writing,
    cause: &Cause<'_>,
) -> Result<Object, ApiError> {
    let New { size, etag, sum, headers, tags, taken } = new;
    let modified = to_the_second(s3.clock.now());
    let mut object =
        Object { size, etag, modified, content: Content::Inline(String::new()), sum, headers, tags };
    let saved = replace(s3, bucket, key, condition, cause, |commit| {
        let (content, commit) = taken.keep(s3, commit)?;
        object.content = content;
        Ok((object.clone(), commit))
    })
    .await;
    // Nobody knows whether an unknown commit happened: what it may name must stay.
    if saved.as_ref().is_err_and(|error| !error.status.is_server_error()) {
        content::discard(s3, taken).await;
    }
    saved
}

/// Writes what `make` makes, with what it adds to the commit, in place of what is there.
pub(crate) async fn replace(
    s3: &S3,
    bucket: &Bucket,
    key: &str,
    condition: &Writing,
    cause: &Cause<'_>,
    mut make: impl FnMut(Commit) -> Result<(Object, Commit), ApiError>,
) -> Result<Object, ApiError> {
    let row = table::object(&bucket.incarnation, key.as_bytes());
    let _turn = s3.store().latches().of(&row).await;
    for _ in 0..ATTEMPTS_MAX {
        let commit = fence::read(s3, bucket).await?.guard()?;
        let current = OBJECTS.get(s3.store(), &row).await?;
        condition.check(key, current.as_ref().map(|stored| &stored.record))?;
        let commit = match &current {
            Some(stored) => {
                content::let_go(commit.at(row.clone(), stored.stamp), &stored.record.content, s3.clock.now())?
            }
            None => commit.absent(row.clone()),
        };
        let (object, commit) = make(commit)?;
        let commit = outbox::tell(commit, bucket, cause, key, Some(&object), s3.clock.now())?;
        let commit = OBJECTS.put(commit, &row, &object)?;
        match s3.store().commit(commit).await? {
            Outcome::Done(_) => {
                if current.is_some_and(|stored| !matches!(stored.record.content, Content::Inline(_))) {
                    s3.sweep.now();
                }
                told(s3, bucket);
                return Ok(object);
            }
            Outcome::CheckFailed { .. } | Outcome::Fenced => {}
        }
    }
    Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
}

/// Removes the object, if there is one and the condition holds of it.
pub(crate) async fn remove(
    s3: &S3,
    bucket: &Bucket,
    key: &str,
    if_match: Option<&str>,
    cause: &Cause<'_>,
) -> Result<(), ApiError> {
    name::check_key(key)?;
    let condition = Writing { if_match: if_match.map(str::to_owned), if_none_match: None };
    let row = table::object(&bucket.incarnation, key.as_bytes());
    let now = s3.clock.now();
    update(s3.store(), &row, |current: Option<Object>| {
        condition.check(key, current.as_ref())?;
        match current {
            None => Ok::<_, ApiError>(Decision::keep(())),
            Some(object) => {
                let commit = content::let_go(Commit::new(), &object.content, now)?;
                Ok(Decision::delete(()).with(outbox::tell(commit, bucket, cause, key, None, now)?))
            }
        }
    })
    .await?;
    s3.sweep.now();
    told(s3, bucket);
    Ok(())
}

/// Has told what a change of an object may have put into the outbox.
fn told(s3: &S3, bucket: &Bucket) {
    if !bucket.notifications.is_empty() {
        s3.outbox.now();
    }
}

/// Replaces an object's tags.
pub(crate) async fn set_tags(
    s3: &S3,
    bucket: &Bucket,
    key: &str,
    tags: BTreeMap<String, String>,
    cause: &Cause<'_>,
) -> Result<(), ApiError> {
    name::check_key(key)?;
    let now = s3.clock.now();
    let row = table::object(&bucket.incarnation, key.as_bytes());
    update(s3.store(), &row, |current: Option<Object>| {
        let mut object = current.ok_or_else(|| error::no_such_key(key))?;
        object.tags = tags.clone();
        let commit = outbox::tell(Commit::new(), bucket, cause, key, Some(&object), now)?;
        Ok::<_, ApiError>(Decision::save(object, ()).with(commit))
    })
    .await?;
    told(s3, bucket);
    Ok(())
}

/// HTTP tells times to the second; what was told must compare equal to what is stored.
pub(crate) fn to_the_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
