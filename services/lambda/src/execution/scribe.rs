//! What a guest writes, in its order, and Lambda's own lines between.
//!
//! Invariants: all that a guest had written when it answered stands before the END line; a guest that writes
//! faster than the logs take waits, and nobody waits for the logs; what is kept in memory is bounded.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::{AccountId, Clock, Region};
use pagoda_service::ports::{LogLine, PutLogEvents};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

use crate::logging::Logging;

use super::record::Record;
use super::subscription::Kind;
use super::telemetry::{self, Telemetry};

/// How long lines wait for others, to be written together.
const LINGER: Duration = Duration::from_millis(50);
/// The largest line; longer ones are cut in pieces.
const LINE_BYTES_MAX: usize = 256 * 1024 - 64;
/// What waits to be written, at most.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
const BATCH_LINES_MAX: usize = 1_000;
const BATCH_BYTES_MAX: usize = 900 * 1024;
/// What `LogType=Tail` shows.
const TAIL_BYTES_MAX: usize = 4 * 1024;
const READ_BYTES: usize = 64 * 1024;

/// Where lines go.
pub(super) struct Destination {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) group: String,
    pub(super) stream: String,
    /// Whether the function's role may write there.
    pub(super) allowed: bool,
}

impl Destination {
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed
    }
}

/// Takes down what one instance writes.
pub(crate) struct Scribe {
    pipes: [Receiver; 2],
    page: Mutex<Page>,
    more: Notify,
    clock: Arc<dyn Clock>,
    logging: Logging,
    telemetry: Arc<Telemetry>,
}

struct Page {
    telemetry: Arc<Telemetry>,
    /// The beginnings of lines, by pipe.
    begun: [Vec<u8>; 2],
    open: [bool; 2],
    lines: Vec<LogLine>,
    bytes: usize,
    lost: u64,
    /// The latest lines of the invocation under way.
    tail: Vec<u8>,
    writes: bool,
    /// The guest has ended.
    closed: bool,
    /// Nobody is left who could say anything.
    left: bool,
}

impl Scribe {
    /// Takes down what comes out of `pipes`. Unless it `writes`, only tails are kept.
    pub(super) fn new(
        pipes: [Receiver; 2],
        clock: Arc<dyn Clock>,
        logging: Logging,
        writes: bool,
    ) -> Arc<Self> {
        let telemetry = Arc::<Telemetry>::default();
        let page = Page {
            telemetry: Arc::clone(&telemetry),
            begun: Default::default(),
            open: [true; 2],
            lines: Vec::new(),
            bytes: 0,
            lost: 0,
            tail: Vec::new(),
            writes,
            closed: false,
            left: false,
        };
        Arc::new(Self { pipes, page: Mutex::new(page), more: Notify::new(), clock, logging, telemetry })
    }

    /// The first record of all, before whatever the guest may have written already.
    pub(super) fn open(&self, record: &Record<'_>) {
        self.add(&mut self.page(), record);
        self.more.notify_one();
    }

    /// Takes down what the guest has written so far, then a record of Lambda's own.
    pub(super) fn say(&self, record: &Record<'_>) {
        let mut page = self.page();
        self.read_both(&mut page);
        self.add(&mut page, record);
        drop(page);
        self.more.notify_one();
    }

    /// The same, as the first of an invocation: its tail begins.
    pub(super) fn begin(&self, record: &Record<'_>) {
        let mut page = self.page();
        self.read_both(&mut page);
        page.tail.clear();
        self.add(&mut page, record);
        drop(page);
        self.more.notify_one();
    }

    /// The same, as the last of an invocation; its tail.
    pub(super) fn end(&self, record: &Record<'_>) -> Bytes {
        let mut page = self.page();
        self.read_both(&mut page);
        self.add(&mut page, record);
        let tail = Bytes::from(std::mem::take(&mut page.tail));
        drop(page);
        self.more.notify_one();
        tail
    }

    fn add(&self, page: &mut Page, record: &Record<'_>) {
        let now = self.clock.now();
        for line in record.lines(self.logging, now) {
            page.add(now, line);
        }
        let events = if self.telemetry.is_wanted() { record.events() } else { Vec::new() };
        for event in events {
            self.telemetry.tell(Kind::Platform, event.json(now));
        }
    }

    /// What is told of the instance beside the log.
    pub(super) fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    /// The guest has ended.
    pub(super) fn close(&self) {
        let mut page = self.page();
        self.read_both(&mut page);
        for pipe in 0..2 {
            let rest = std::mem::take(&mut page.begun[pipe]);
            if !rest.is_empty() {
                page.write(self.clock.now(), text(&rest), self.logging);
            }
        }
        page.closed = true;
        drop(page);
        self.more.notify_one();
    }

    /// The instance is gone, and with it those who reported on it.
    pub(super) fn leave(&self) {
        self.page().left = true;
        self.more.notify_one();
    }

    /// Reads past tokio, which only knows what its poller has seen already. What it finds empty is empty.
    fn read_both(&self, page: &mut Page) {
        for pipe in 0..2 {
            self.read(page, pipe, |pipe, chunk| Ok(rustix::io::read(pipe, chunk)?));
        }
    }

    fn read(&self, page: &mut Page, pipe: usize, read: impl Fn(&Receiver, &mut [u8]) -> io::Result<usize>) {
        let mut chunk = [0; READ_BYTES];
        while page.open[pipe] && page.bytes <= WAITING_BYTES_MAX {
            match read(&self.pipes[pipe], &mut chunk) {
                Ok(0) => page.open[pipe] = false,
                Ok(length) => {
                    page.take_down(pipe, chunk.get(..length).unwrap_or_default(), &*self.clock, self.logging)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => page.open[pipe] = false,
            }
        }
    }

    /// Waits until there is something to write, and whether that is all there will be.
    async fn something(&self) -> bool {
        loop {
            let (open, waiting, over) = {
                let page = self.page();
                (page.open, !page.lines.is_empty(), page.closed && page.left)
            };
            if waiting || over {
                return over;
            }
            tokio::select! {
                _ = self.pipes[0].readable(), if open[0] => self.read_ready(0),
                _ = self.pipes[1].readable(), if open[1] => self.read_ready(1),
                () = self.more.notified() => {}
            }
        }
    }

    fn read_ready(&self, pipe: usize) {
        self.read(&mut self.page(), pipe, |pipe, chunk| pipe.try_read(chunk));
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn take_down(&mut self, pipe: usize, bytes: &[u8], clock: &dyn Clock, logging: Logging) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (piece, ends) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            self.begun[pipe].extend_from_slice(piece);
            while self.begun[pipe].len() > LINE_BYTES_MAX {
                let part: Vec<u8> = self.begun[pipe].drain(..LINE_BYTES_MAX).collect();
                self.write(clock.now(), text(&part), logging);
            }
            if ends {
                let line = std::mem::take(&mut self.begun[pipe]);
                self.write(clock.now(), text(&line), logging);
            }
        }
    }

    /// Adds a line of the guest's, if it is one that the log keeps.
    fn write(&mut self, timestamp: pagoda_base::Timestamp, message: String, logging: Logging) {
        if logging.keeps(&message) {
            if self.telemetry.is_wanted() {
                let record = logging.record(&message);
                self.telemetry.tell(Kind::Function, telemetry::event("function", record, timestamp));
            }
            self.add(timestamp, message);
        }
    }

    fn add(&mut self, timestamp: pagoda_base::Timestamp, message: String) {
        self.tail.extend_from_slice(message.as_bytes());
        self.tail.push(b'\n');
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..surplus);
        if !self.writes {
            return;
        }
        if self.bytes > WAITING_BYTES_MAX {
            self.lost += 1;
            return;
        }
        self.bytes += message.len();
        self.lines.push(LogLine { timestamp, message });
    }
}

/// Writes a scribe's lines until the last.
pub(super) async fn keep(scribe: Arc<Scribe>, to: Destination, logs: Arc<dyn PutLogEvents>) {
    loop {
        let last = scribe.something().await;
        if !last {
            tokio::time::sleep(LINGER).await;
        }
        let (lines, lost) = {
            let mut page = scribe.page();
            page.bytes = 0;
            (std::mem::take(&mut page.lines), std::mem::take(&mut page.lost))
        };
        if lost > 0 {
            tracing::warn!(group = %to.group, lost, "log lines came faster than they could be written");
        }
        for batch in batches(lines) {
            let put = logs.put(to.account, &to.region, &to.group, &to.stream, batch).await;
            if let Err(error) = put {
                tracing::warn!(group = %to.group, stream = %to.stream, %error, "log lines were not written");
            }
        }
        if last && scribe.page().lines.is_empty() {
            return;
        }
    }
}

fn batches(lines: Vec<LogLine>) -> Vec<Vec<LogLine>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for line in lines {
        if !batch.is_empty()
            && (batch.len() >= BATCH_LINES_MAX || bytes + line.message.len() > BATCH_BYTES_MAX)
        {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += line.message.len();
        batch.push(line);
    }
    batches.extend(Some(batch).filter(|batch| !batch.is_empty()));
    batches
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
