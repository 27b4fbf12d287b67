//! The cache cluster of a stage: whether it has one, and how much it holds.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html>

use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::edit::bad_request;
use crate::generated as g;

/// A stage's cluster. One that is not enabled remembers its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) enabled: bool,
    pub(crate) size: Size,
}

/// The sizes that there are, in tenths of a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size(u16);

/// As operations name them.
const SIZES: [(&str, Size); 8] = [
    ("0.5", Size(5)),
    ("1.6", Size(16)),
    ("6.1", Size(61)),
    ("13.5", Size(135)),
    ("28.4", Size(284)),
    ("58.2", Size(582)),
    ("118", Size(1180)),
    ("237", Size(2370)),
];

impl Size {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let found = SIZES.iter().find(|(name, _)| *name == text);
        found.map(|(_, size)| *size).ok_or_else(|| {
            bad_request(format!(
                "Invalid cache cluster size {text}, must be one of 0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118, 237"
            ))
        })
    }

    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.0) * 100_000_000
    }

    fn describe(self) -> Option<g::CacheClusterSize> {
        SIZES.iter().find(|(_, size)| *size == self).and_then(|(name, _)| name.parse().ok())
    }
}

/// The cluster as operations leave it that say so much of it. The smallest size is that of a cluster of which
/// nothing else was ever said.
pub(crate) fn changed(
    present: Option<Cluster>,
    enabled: Option<bool>,
    size: Option<&str>,
) -> Result<Option<Cluster>, ApiError> {
    if enabled.is_none() && size.is_none() {
        return Ok(present);
    }
    let size = size.map(Size::parse).transpose()?;
    Ok(Some(Cluster {
        enabled: enabled.or(present.map(|cluster| cluster.enabled)).unwrap_or(false),
        size: size.or(present.map(|cluster| cluster.size)).unwrap_or(SIZES[0].1),
    }))
}

/// Puts the cluster into a stage's description. It is there as soon as it is asked for.
pub(crate) fn describe(cluster: Option<Cluster>, stage: &mut g::Stage) {
    let enabled = cluster.is_some_and(|cluster| cluster.enabled);
    let status = if enabled { g::CacheClusterStatus::Available } else { g::CacheClusterStatus::NotAvailable };
    stage.cache_cluster_enabled = Some(enabled);
    stage.cache_cluster_size = cluster.and_then(|cluster| cluster.size.describe());
    stage.cache_cluster_status = Some(status);
}
