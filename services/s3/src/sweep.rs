//! Clears away what nobody can see any more. Idempotent; takes no input.

use pagoda_base::SignedDuration;
use pagoda_protocol::ApiError;
use pagoda_store::blob::SHARDS;
use pagoda_store::{Commit, Key, Read, Stored};

use crate::content;
use crate::table::{self, GARBAGE, Garbage, Left, PARTS, USED};
use crate::{S3, error};

/// Rows of garbage read at once.
const ROWS: u32 = 100;

impl S3 {
    /// Removes all garbage that is due, and once after the start what crashes have left.
    pub async fn clear_away(&self) {
        // What fails now is done by the next run; requests never depend on it.
        if let Err(error) = self.clear_garbage().await {
            tracing::warn!(%error, "garbage was not cleared away");
        }
        if !self.orphans_cleared.load(std::sync::atomic::Ordering::Relaxed) {
            match self.clear_orphans().await {
                Ok(()) => self.orphans_cleared.store(true, std::sync::atomic::Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "blobs that nothing names were not cleared away"),
            }
        }
    }

    async fn clear_garbage(&self) -> Result<(), ApiError> {
        let now = self.clock.now();
        let mut after: Option<Key> = None;
        loop {
            let page = GARBAGE.scan(self.store(), &GARBAGE.key().done(), after.as_ref(), ROWS).await?;
            for stored in page.items.iter().filter(|stored| stored.record.due <= now) {
                self.clear(stored).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn clear(&self, garbage: &Stored<Garbage>) -> Result<(), ApiError> {
        match &garbage.record.what {
            Left::Blob(id) => self.blobs.delete(*id).await.map_err(error::of_blob)?,
            Left::Parts { upload, but } => self.clear_parts(upload, but).await?,
            Left::Bucket(incarnation) => self.clear_uploads(incarnation).await?,
        }
        self.store().commit(GARBAGE.remove(Commit::new(), garbage)).await?.done()?;
        Ok(())
    }

    async fn clear_parts(&self, upload: &str, but: &[(i32, i32)]) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let page = PARTS.scan(self.store(), &table::parts(upload), after.as_ref(), ROWS).await?;
            for stored in &page.items {
                let number = content::part_number(&stored.key)?;
                if but.iter().any(|(first, last)| (*first..=*last).contains(&number)) {
                    continue;
                }
                self.blobs.delete(stored.record.blob).await.map_err(error::of_blob)?;
                let commit = PARTS.remove(Commit::new(), stored).delete(table::used(stored.record.blob));
                self.store().commit(commit).await?.done()?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The bucket is gone, so nobody adds to its uploads.
    async fn clear_uploads(&self, incarnation: &str) -> Result<(), ApiError> {
        loop {
            let found = self.store().rows(Read::prefix(&table::uploads(incarnation), ROWS)).await?;
            for row in &found.rows {
                let elements = pagoda_store::tuple::decode(&row.key.bytes).unwrap_or_default();
                if let Some(pagoda_store::tuple::Element::Text(id)) = elements.last() {
                    self.clear_parts(id, &[]).await?;
                    let commit = Commit::new().delete(row.key.clone()).delete(table::changes(id));
                    self.store().commit(commit).await?.done()?;
                }
            }
            if !found.more {
                return Ok(());
            }
        }
    }

    /// Removes blobs from before the start that nothing names: their process ended before its commit.
    async fn clear_orphans(&self) -> Result<(), ApiError> {
        // The kernel's time of a file may lag behind the clock.
        let started = self.started - SignedDuration::from_secs(1);
        for shard in 0..SHARDS {
            for blob in self.blobs.list(shard).await.map_err(error::of_blob)? {
                let is_old = blob.since < started;
                if is_old && USED.get(self.store(), &table::used(blob.id)).await?.is_none() {
                    self.blobs.delete(blob.id).await.map_err(error::of_blob)?;
                }
            }
        }
        Ok(())
    }
}
