//! The fence that keeps objects out of a bucket while it is being deleted.
//!
//! Every write into a bucket requires that the fence is as it was read. DeleteBucket first rewrites the
//! fence, so that writes that were decided before do not happen; then looks whether the bucket is empty;
//! then removes it if the fence still is as it was rewritten. A write that finds the fence closing
//! rewrites it too, so one of the two is refused, and no crash leaves a bucket closed.

use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, Stamp};

use crate::S3;
use crate::error;
use crate::table::{self, Bucket, FENCES, Fence};

/// The fence as it was read.
pub(crate) struct Open {
    key: Key,
    stamp: Stamp,
    closing: bool,
}

/// Reads the fence of `bucket`.
pub(crate) async fn read(s3: &S3, bucket: &Bucket) -> Result<Open, ApiError> {
    let key = table::fence(&bucket.incarnation);
    let fence = FENCES.get(s3.store(), &key).await?.ok_or_else(|| error::no_such_bucket(&bucket.name))?;
    Ok(Open { key, stamp: fence.stamp, closing: fence.record.closing })
}

impl Open {
    /// Lets a commit happen only while the bucket takes objects.
    pub(crate) fn guard(&self) -> Result<Commit, ApiError> {
        let commit = Commit::new().at(self.key.clone(), self.stamp);
        if self.closing { Ok(FENCES.put(commit, &self.key, &Fence { closing: false })?) } else { Ok(commit) }
    }
}

/// Closes the fence; the commit that is answered requires that nobody opened it since, and removes it.
pub(crate) async fn close(s3: &S3, bucket: &Bucket) -> Result<Commit, ApiError> {
    let open = read(s3, bucket).await?;
    let closing = FENCES.replace(Commit::new(), &open.key, open.stamp, &Fence { closing: true })?;
    let stamp = match s3.store().commit(closing).await? {
        pagoda_store::Outcome::CheckFailed { .. } => return Err(error::conflict()),
        outcome => outcome.done()?,
    };
    Ok(Commit::new().at(open.key.clone(), stamp).delete(open.key))
}
