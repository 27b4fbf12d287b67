//! Hands a batch to the function, until all of it is handled or given up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::ids::RequestId;
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::ports::Invoked;

use super::batch::{Entry, event, failed_from};
use super::checkpoint::Checkpoint;
use super::destination::{Condition, GivenUp};
use super::poller::{Halt, Runner};
use super::window::Window;
use crate::execution::{Job, run};
use crate::metric::Metric;

/// How long a batch waits before it is tried again, at first and at most.
const DELAY_MIN: Duration = Duration::from_millis(200);
const DELAY_MAX: Duration = Duration::from_secs(30);

/// A failed try, as it is told where the records end.
pub(super) struct Tried {
    pub(super) request_id: String,
    pub(super) invoked: Invoked,
}

/// Part of a batch.
struct Part {
    entries: Vec<Entry>,
    /// How often it was tried.
    tries: u32,
}

impl Runner {
    /// Delivers the records in their order; the checkpoint follows each part that is done.
    pub(super) async fn deliver(
        &mut self,
        entries: Vec<Entry>,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Halt> {
        let mut parts = vec![Part { entries, tries: 0 }];
        while let Some(part) = parts.pop() {
            let last = part.entries.last().map(|entry| entry.record.sequence.clone());
            let rest = self.deliver_part(part, checkpoint).await?;
            if rest.is_empty() {
                self.save(last, checkpoint).await?;
            }
            parts.extend(rest);
        }
        Ok(())
    }

    /// Tries a part until it is done; what is left of it when it was cut, the first half last.
    async fn deliver_part(&mut self, mut part: Part, checkpoint: &mut Checkpoint) -> Result<Vec<Part>, Halt> {
        let mut delay = DELAY_MIN;
        let mut tried: Option<Tried> = None;
        loop {
            let expired = self.expired(&part.entries);
            if expired > 0 {
                let old: Vec<_> = part.entries.drain(..expired).collect();
                self.give_up(Condition::RecordAgeExceeded, &old, part.tries, tried.as_ref()).await?;
                self.save(old.last().map(|entry| entry.record.sequence.clone()), checkpoint).await?;
            }
            if part.entries.is_empty() {
                return Ok(Vec::new());
            }
            let Some(answer) = self.attempt(&part.entries, checkpoint, false, &mut delay).await? else {
                continue;
            };
            part.tries += 1;
            let Some(at) = self.failed(&answer.invoked, &part.entries, checkpoint) else {
                self.note("OK").await;
                return Ok(Vec::new());
            };
            self.note("PROBLEM: Function call failed").await;
            if at > 0 {
                let done: Vec<_> = part.entries.drain(..at).collect();
                self.save(done.last().map(|entry| entry.record.sequence.clone()), checkpoint).await?;
                (part.tries, delay) = (0, DELAY_MIN);
            }
            if self.settings().bisect && part.entries.len() > 1 {
                let second = part.entries.split_off(part.entries.len() / 2);
                return Ok(vec![
                    Part { entries: second, tries: 0 },
                    Part { entries: part.entries, tries: 0 },
                ]);
            }
            if self.settings().retries.is_some_and(|retries| part.tries > retries) {
                let condition = Condition::RetryAttemptsExhausted;
                self.give_up(condition, &part.entries, part.tries, Some(&answer)).await?;
                return Ok(Vec::new());
            }
            tried = Some(answer);
            self.pause(&mut delay).await?;
        }
    }

    /// Ends the window that is open: the function gets its state once more, without records.
    pub(super) async fn close_window(&mut self, checkpoint: &mut Checkpoint) -> Result<(), Halt> {
        let (mut delay, mut tries) = (DELAY_MIN, 0);
        while checkpoint.window.is_some() {
            let Some(answer) = self.attempt(&[], checkpoint, true, &mut delay).await? else { continue };
            tries += 1;
            let failed = answer.invoked.function_error.is_some();
            if failed && self.settings().retries.is_none_or(|retries| tries <= retries) {
                self.note("PROBLEM: Function call failed").await;
                self.pause(&mut delay).await?;
                continue;
            }
            checkpoint.window = None;
            self.save(checkpoint.after.clone(), checkpoint).await?;
        }
        Ok(())
    }

    /// Invokes once; nothing, after a pause, when the function could not be reached.
    async fn attempt(
        &mut self,
        entries: &[Entry],
        checkpoint: &mut Checkpoint,
        is_final: bool,
        delay: &mut Duration,
    ) -> Result<Option<Tried>, Halt> {
        let seconds = self.settings().tumbling_seconds;
        if let (true, None, Some(first)) = (seconds > 0, &checkpoint.window, entries.first()) {
            checkpoint.window = Some(Window::at(first.record.created, seconds));
        }
        let more = checkpoint.window.as_ref().filter(|_| seconds > 0).map(|window| {
            let mut more = window.describe(seconds, is_final);
            more.insert("shardId".into(), self.shard.clone().into());
            more.insert("eventSourceARN".into(), self.mapping().source.clone().into());
            more
        });
        let newest = entries.last().map(|entry| entry.record.created);
        match self.invoke(event(entries, more).into(), newest).await {
            _ if self.lambda.scheduler.is_closed() => Err(Halt::Stopped),
            Ok(tried) => Ok(Some(tried)),
            Err(error) => {
                self.note(&format!("PROBLEM: {}", error.message)).await;
                self.pause(delay).await?;
                Ok(None)
            }
        }
    }

    async fn invoke(&self, payload: Bytes, newest: Option<Timestamp>) -> Result<Tried, ApiError> {
        let lambda = &self.lambda;
        let request_id = RequestId::new(&*lambda.ports.random);
        let cx = lambda.own_context(&self.named.function, request_id);
        let loaded = lambda.load(&self.named).await?;
        lambda.check_stream(&cx, &loaded, &self.mapping().source).await?;
        let function_arn = self.named.arn();
        if let Some(newest) = newest {
            let age = cx.now.duration_since(newest).as_secs_f64().max(0.0) * 1_000.0;
            lambda.metrics.of(&loaded, &function_arn).record(Metric::IteratorAge, age);
        }
        let job = Job { loaded, function_arn, payload, client_context: None, pieces: None };
        let invoked = run(Arc::clone(lambda), &cx, job).await?;
        Ok(Tried { request_id: request_id.to_string(), invoked })
    }

    /// From which record on the function has failed.
    fn failed(&self, invoked: &Invoked, entries: &[Entry], checkpoint: &mut Checkpoint) -> Option<usize> {
        if invoked.function_error.is_some() {
            return Some(0);
        }
        let failed = self.settings().partial.then(|| failed_from(&invoked.payload, entries)).flatten();
        if let (None, Some(window)) = (failed, &mut checkpoint.window) {
            window.answered(&invoked.payload);
        }
        failed
    }

    /// How many records in front are too old.
    fn expired(&self, entries: &[Entry]) -> usize {
        let Some(seconds) = self.settings().age_seconds else { return 0 };
        let oldest = self.lambda.ports.clock.now() - SignedDuration::from_secs(seconds.into());
        entries.iter().take_while(|entry| entry.record.created < oldest).count()
    }

    async fn give_up(
        &mut self,
        condition: Condition,
        entries: &[Entry],
        tries: u32,
        tried: Option<&Tried>,
    ) -> Result<(), Halt> {
        let given_up = GivenUp { condition, entries, tries, tried };
        let mut delay = DELAY_MIN;
        while let Err(error) = self.tell(&given_up).await {
            if !error.status.is_server_error() {
                // As with AWS, there is nowhere else to go.
                tracing::warn!(mapping = self.mapping().uuid, %error, "the destination took no record");
                return Ok(());
            }
            self.pause(&mut delay).await?;
        }
        Ok(())
    }

    async fn pause(&mut self, delay: &mut Duration) -> Result<(), Halt> {
        let now = *delay;
        *delay = (now * 2).min(DELAY_MAX);
        self.sleep(now).await
    }

    async fn save(&self, after: Option<String>, checkpoint: &mut Checkpoint) -> Result<(), ApiError> {
        checkpoint.after = after.or_else(|| checkpoint.after.take());
        self.lambda.save_checkpoint(&self.checkpoint_key, checkpoint).await
    }
}
