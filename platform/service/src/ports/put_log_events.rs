//! Lines for CloudWatch Logs, from within the platform.

use async_trait::async_trait;
use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_protocol::ApiError;

/// One line.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// When it was written.
    pub timestamp: Timestamp,
    /// The text, of at most 256 KB.
    pub message: String,
}

/// Keeps log lines.
#[async_trait]
pub trait PutLogEvents: Send + Sync {
    /// Appends `lines`, in order, to a stream; group and stream are made when they do not exist.
    async fn put(
        &self,
        account: AccountId,
        region: &Region,
        group: &str,
        stream: &str,
        lines: Vec<LogLine>,
    ) -> Result<(), ApiError>;
}
