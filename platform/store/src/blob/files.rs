//! Blobs as files: `DIR/xx/NAME`, where `xx` are the name's first two digits; `DIR/new/` while put.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::{Random, Timestamp};

use super::{Blob, BlobError, BlobId, Body, Got, Listed, Put, SHARDS, Tap, get, put};

/// A folder of blobs.
#[derive(Clone)]
pub struct Files {
    dir: Arc<Path>,
    random: Arc<dyn Random>,
}

impl Files {
    /// Opens or creates the folder, which nobody else may use at the time, and removes what was
    /// half put when the last process ended. Blocks.
    pub fn open(dir: &Path, random: Arc<dyn Random>) -> io::Result<Self> {
        let new = dir.join("new");
        match std::fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&new)?,
        }
        for shard in 0..SHARDS {
            std::fs::create_dir_all(dir.join(shard_name(shard)))?;
        }
        File::open(dir)?.sync_all()?;
        Ok(Self { dir: dir.into(), random })
    }

    pub(super) fn place(&self, id: BlobId) -> PathBuf {
        self.shard_dir(id.shard()).join(id.to_string())
    }

    pub(super) fn shard_dir(&self, shard: u16) -> PathBuf {
        self.dir.join(shard_name(shard))
    }

    pub(super) fn unfinished(&self, id: BlobId) -> PathBuf {
        self.dir.join("new").join(id.to_string())
    }
}

#[async_trait]
impl Blob for Files {
    async fn put(&self, body: Body<'_>, tap: Tap<'_>) -> Result<Put, BlobError> {
        put::put(self, BlobId::new(&*self.random), body, tap).await
    }

    async fn get(&self, id: BlobId, range: Option<Range<u64>>) -> Result<Got, BlobError> {
        get::get(self, id, range).await
    }

    async fn delete(&self, id: BlobId) -> Result<(), BlobError> {
        let path = self.place(id);
        blocking(move || match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()), // not synced: a blob that a crash brings back is an orphan, and swept
        })
        .await
    }

    async fn list(&self, shard: u16) -> Result<Vec<Listed>, BlobError> {
        let dir = self.shard_dir(shard.min(SHARDS - 1));
        blocking(move || {
            let listed = std::fs::read_dir(dir)?.filter_map(|entry| listed(entry).transpose());
            Ok(listed.collect::<io::Result<Vec<_>>>()?)
        })
        .await
    }
}

/// Runs file work where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let ended = |error| BlobError::Io(io::Error::other(error));
    tokio::task::spawn_blocking(work).await.map_err(ended)?
}

fn shard_name(shard: u16) -> String {
    format!("{shard:02x}")
}

fn listed(entry: io::Result<std::fs::DirEntry>) -> io::Result<Option<Listed>> {
    let entry = entry?;
    let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { return Ok(None) };
    let modified = match entry.metadata() {
        Ok(metadata) => metadata.modified()?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None), // deleted meanwhile
        Err(error) => return Err(error),
    };
    let since = Timestamp::try_from(modified).map_err(io::Error::other)?;
    Ok(Some(Listed { id, since }))
}
