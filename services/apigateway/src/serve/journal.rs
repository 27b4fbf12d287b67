//! Lines that wait to be written to logs: nobody waits for them, and what waits is bounded.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pagoda_base::{AccountId, Region};
use pagoda_service::Nudge;
use pagoda_service::ports::{LogLine, PutLogEvents};

/// How long a line waits at most, if writing takes no longer.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// Lines that wait; those that come when there are so many are lost, and counted.
const WAITING_MAX: usize = 20_000;
const BATCH_LINES_MAX: usize = 1_000;

/// A stream of a log group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Stream {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) group: String,
    pub(crate) name: String,
}

/// The lines of all stages.
#[derive(Default)]
pub(crate) struct Journal {
    waiting: Mutex<Waiting>,
    nudge: Nudge,
}

#[derive(Default)]
struct Waiting {
    lines: HashMap<Stream, Vec<LogLine>>,
    count: usize,
    lost: usize,
}

impl Journal {
    /// Adds lines to a stream.
    pub(crate) fn add(&self, stream: &Stream, lines: impl IntoIterator<Item = LogLine>) {
        let mut waiting = self.lock();
        let was_empty = waiting.count == 0;
        for line in lines {
            if waiting.count >= WAITING_MAX {
                waiting.lost += 1;
                continue;
            }
            waiting.count += 1;
            match waiting.lines.get_mut(stream) {
                Some(lines) => lines.push(line),
                None => drop(waiting.lines.insert(stream.clone(), vec![line])),
            }
        }
        drop(waiting);
        if was_empty {
            self.nudge.now();
        }
    }

    /// Wakes whoever writes.
    pub(crate) fn nudge(&self) -> Nudge {
        self.nudge.clone()
    }

    /// Writes what waits.
    pub(crate) async fn write(&self, logs: &dyn PutLogEvents) {
        let Waiting { lines, lost, .. } = std::mem::take(&mut *self.lock());
        if lost > 0 {
            tracing::warn!(lost, "the logs took lines more slowly than requests came");
        }
        for (stream, lines) in lines {
            let mut lines = lines.into_iter().peekable();
            while lines.peek().is_some() {
                let batch: Vec<_> = lines.by_ref().take(BATCH_LINES_MAX).collect();
                let Stream { account, region, group, name } = &stream;
                if let Err(error) = logs.put(*account, region, group, name, batch).await {
                    tracing::warn!(%error, group, "lines of requests were not written");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A thread that has panicked in between has lost a line at most.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
