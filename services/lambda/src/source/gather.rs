//! Takes records out of a shard until a batch is full, or has waited long enough.

use std::time::Duration;

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Position, StreamRecord, StreamRecords};
use tokio::time::Instant;

use super::batch::{Batch, Entry};
use super::checkpoint::Checkpoint;
use super::poller::{Halt, Runner};
use super::record::Start;
use super::window::Window;

/// Records that are read at once.
const PAGE_RECORDS: u32 = 1_000;

/// What was gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) batch: Batch,
    /// The last record that was looked at.
    pub(super) behind: Option<String>,
    /// The window that is open ends.
    pub(super) closes: bool,
    /// Nothing will ever follow.
    pub(super) ended: bool,
}

impl Runner {
    /// Waits until there is a batch, or a window ends.
    pub(super) async fn gather(&mut self, checkpoint: &Checkpoint) -> Result<Gathered, Halt> {
        let mut gathered = Gathered { behind: checkpoint.after.clone(), ..Gathered::default() };
        let mut window = checkpoint.window.clone();
        let mut full_at: Option<Instant> = None;
        loop {
            let page = self.read(gathered.behind.as_deref()).await?;
            for record in page.records {
                if let Next::Stop = self.take(record, &mut gathered, &mut window) {
                    return Ok(gathered);
                }
            }
            if page.more {
                continue;
            }
            if page.ended {
                gathered.ended = true;
                gathered.closes = window.is_some();
                return Ok(gathered);
            }
            if !gathered.batch.entries.is_empty() {
                let wait = Duration::from_secs(self.settings().window_seconds.into());
                let full_at = *full_at.get_or_insert_with(|| Instant::now() + wait);
                if Instant::now() >= full_at {
                    return Ok(gathered);
                }
            }
            let closes_in =
                window.as_ref().map(|window| self.until(window.end(self.settings().tumbling_seconds)));
            if closes_in == Some(Duration::ZERO) {
                gathered.closes = true;
                return Ok(gathered);
            }
            let closes_at = closes_in.map(|wait| Instant::now() + wait);
            self.wait([full_at, closes_at].into_iter().flatten().min()).await?;
        }
    }

    async fn read(&self, after: Option<&str>) -> Result<StreamRecords, ApiError> {
        let position = match (after, &self.mapping().start) {
            (Some(after), _) => Position::After(after.to_owned()),
            (None, Start::Latest(last)) => Position::After(last.clone()),
            (None, Start::Oldest) => Position::Oldest,
        };
        let streams = &self.lambda.ports.streams;
        let source = &self.mapping().source;
        match streams.read(source, &self.shard, &position, PAGE_RECORDS).await {
            Err(error) if error.code == "TrimmedDataAccessException" => {
                tracing::warn!(%source, shard = self.shard, "records grew too old before they were delivered");
                streams.read(source, &self.shard, &Position::Oldest, PAGE_RECORDS).await
            }
            answer => answer,
        }
    }

    fn take(&self, record: StreamRecord, gathered: &mut Gathered, window: &mut Option<Window>) -> Next {
        let (sequence, settings) = (record.sequence.clone(), self.settings());
        if self.lane.takes(record.group) && self.filters.let_through(&record.body) {
            if settings.tumbling_seconds > 0 {
                let own = Window::at(record.created, settings.tumbling_seconds);
                if own.start > window.get_or_insert_with(|| own.clone()).start {
                    gathered.closes = true;
                    return Next::Stop;
                }
            }
            let state = window.as_ref().map_or(0, |window| window.state.to_string().len());
            if gathered.batch.push(Entry::new(record, &self.mapping().source), state).is_err() {
                return Next::Stop;
            }
        }
        gathered.behind = Some(sequence);
        match gathered.batch.entries.len() >= settings.batch_size as usize {
            true => Next::Stop,
            false => Next::More,
        }
    }

    /// How long it is until a second since 1970.
    fn until(&self, second: i64) -> Duration {
        let end = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        Duration::try_from(end.duration_since(self.lambda.ports.clock.now())).unwrap_or(Duration::ZERO)
    }
}

enum Next {
    More,
    Stop,
}
