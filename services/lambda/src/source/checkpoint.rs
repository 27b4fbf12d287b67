//! How far each lane of a shard has come.

use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, KeyBuilder, Record, Space, Table};
use serde::{Deserialize, Serialize};

use super::window::Window;
use crate::Lambda;

/// What has been handled, and what the function keeps of the window that is open.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The last sequence number that was handled; nothing at the mapping's start.
    pub(super) after: Option<String>,
    pub(super) window: Option<Window>,
}

const CHECKPOINTS: Table<Checkpoint> = Table::new(Space::Meta);

impl Record for Checkpoint {
    const KIND: &str = "lambda.event-source-checkpoint";
    const VERSION: u8 = 1;
}

/// One of the equal parts into which the keys of a shard are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) number: u32,
    pub(super) of: u32,
}

impl Lane {
    /// Whether records of this group go through it.
    pub(super) fn takes(self, group: u32) -> bool {
        group % self.of == self.number
    }
}

/// The prefix of a mapping's checkpoints.
pub(super) fn all(uuid: &str) -> Key {
    CHECKPOINTS.key().text(uuid).done()
}

fn of_shard(uuid: &str, shard: &str) -> Key {
    KeyBuilder::under(&all(uuid)).text(shard).done()
}

pub(super) fn key(uuid: &str, shard: &str, lane: Lane) -> Key {
    KeyBuilder::under(&of_shard(uuid, shard)).u64(lane.of.into()).u64(lane.number.into()).done()
}

impl Lambda {
    /// The checkpoints of a shard's lanes. Where it was divided otherwise before, all begin with what the slowest
    /// had not handled.
    pub(super) async fn checkpoints(
        &self,
        uuid: &str,
        shard: &str,
        of: u32,
    ) -> Result<Vec<Checkpoint>, ApiError> {
        let known = CHECKPOINTS.all_stored(self.store(), &of_shard(uuid, shard)).await?;
        let lanes: Vec<_> = (0..of).map(|number| key(uuid, shard, Lane { number, of })).collect();
        let (kept, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|stored| lanes.contains(&stored.key));
        if others.is_empty() {
            let of_lane = |key: &Key| kept.iter().find(|stored| stored.key == *key);
            let found = lanes.iter().map(|key| of_lane(key).map(|stored| stored.record.clone()));
            return Ok(found.map(Option::unwrap_or_default).collect());
        }
        let slowest = others.iter().chain(&kept).map(|stored| &stored.record.after).min().cloned().flatten();
        let begin = Checkpoint { after: slowest, window: None };
        let mut commit = Commit::new();
        for stored in others {
            commit = commit.delete(stored.key);
        }
        for key in &lanes {
            commit = CHECKPOINTS.put(commit, key, &begin)?;
        }
        self.store().commit(commit).await?.done()?;
        Ok(vec![begin; lanes.len()])
    }

    pub(super) async fn save_checkpoint(&self, key: &Key, checkpoint: &Checkpoint) -> Result<(), ApiError> {
        self.store().commit(CHECKPOINTS.put(Commit::new(), key, checkpoint)?).await?.done()?;
        Ok(())
    }
}
