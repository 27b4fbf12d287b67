//! Which metrics there are, by name and dimensions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_base::{AccountId, Region};
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, Store};
use serde::{Deserialize, Serialize};

use crate::generated as g;
use crate::table::{self, SERIES, Series};

/// How many metrics the platform keeps, all accounts together: 100,000 are 4 MB in memory, and each has at
/// most 50,000 points.
pub(crate) const SERIES_MAX: usize = 100_000;
const HOUR_SECONDS: i64 = 3_600;

/// A metric's place in keys: the first half of the SHA-256 of all that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SeriesId(pub(crate) [u8; 16]);

/// The metrics that have a record, and the hour that it tells.
#[derive(Default)]
pub(crate) struct Known {
    seen: Mutex<HashMap<SeriesId, i64>>,
    read: tokio::sync::OnceCell<()>,
}

impl Series {
    /// The metric with these dimensions, in whatever order they come.
    pub(crate) fn new(namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> Self {
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions, seen_seconds: 0 }
    }

    /// As requests name it.
    pub(crate) fn named(namespace: &str, name: &str, dimensions: Option<Vec<g::Dimension>>) -> Self {
        let dimensions = dimensions.unwrap_or_default().into_iter().map(|d| (d.name, d.value)).collect();
        Self::new(namespace, name, dimensions)
    }

    /// Its id in an account.
    pub(crate) fn id(&self, account: AccountId, region: &Region) -> SeriesId {
        let mut text = Vec::new();
        let pairs = self.dimensions.iter().flat_map(|(name, value)| [name.as_str(), value]);
        for part in [account.as_str(), region.as_str(), &self.namespace, &self.name].into_iter().chain(pairs)
        {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        let hash = digest(&SHA256, &text);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_ref()[..16]);
        SeriesId(id)
    }
}

impl Known {
    /// Adds to `commit` what makes the series known, if it is not yet or has not been seen in this hour.
    ///
    /// # Errors
    /// `LimitExceeded` when there are too many metrics.
    pub(crate) async fn note(
        &self,
        store: &dyn Store,
        commit: Commit,
        owner: (AccountId, &Region),
        series: &Series,
        now: i64,
    ) -> Result<(Commit, SeriesId), ApiError> {
        self.read.get_or_try_init(|| self.fill(store)).await?;
        let id = series.id(owner.0, owner.1);
        let hour = now - now.rem_euclid(HOUR_SECONDS);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(&id) {
            Some(known) if *known >= hour => return Ok((commit, id)),
            None if seen.len() >= SERIES_MAX => return Err(too_many()),
            _ => {}
        }
        seen.insert(id, hour);
        let record = Series { seen_seconds: hour, ..series.clone() };
        Ok((SERIES.put(commit, &table::series(owner.0, owner.1, series, &id), &record)?, id))
    }

    /// Forgets that the series has a record.
    pub(crate) fn forget(&self, id: &SeriesId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    async fn fill(&self, store: &dyn Store) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let page = SERIES.scan(store, &SERIES.key().done(), after.as_ref(), 1_000).await?;
            for stored in &page.items {
                if let Some(id) = id_in(&stored.key) {
                    let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.insert(id, stored.record.seen_seconds);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// The id at the end of a series' key.
pub(crate) fn id_in(key: &Key) -> Option<SeriesId> {
    use pagoda_store::tuple::{Element, decode};
    match decode(&key.bytes).ok()?.last()? {
        Element::Bytes(bytes) => Some(SeriesId(bytes.as_slice().try_into().ok()?)),
        _ => None,
    }
}

fn too_many() -> ApiError {
    let message = format!("The platform keeps at most {SERIES_MAX} metrics");
    ApiError::new("LimitExceeded", 400, message)
}
