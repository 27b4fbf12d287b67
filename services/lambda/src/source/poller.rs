//! The tasks that follow the streams: one for each lane of each shard of each enabled mapping.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pagoda_base::ids::RequestId;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Key, Watch};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::checkpoint::{self, Checkpoint, Lane};
use super::filter::Filters;
use super::record::{self, MAPPINGS, Mapping, PROCESSED, Processed};
use super::settings::Settings;
use crate::Lambda;
use crate::name::{self, Named};

/// After an error of the store, or of the platform.
const PAUSE: Duration = Duration::from_secs(1);

/// The mappings that are followed, by their UUIDs.
#[derive(Default)]
pub(crate) struct Pollers(Mutex<HashMap<String, Following>>);

/// The tasks of a mapping.
struct Following {
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

/// Why a task does not go on.
pub(super) enum Halt {
    /// It was told to end.
    Stopped,
    /// It goes on with what it has not handled.
    Failed(ApiError),
}

impl From<ApiError> for Halt {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// A mapping as its tasks see it.
struct Active {
    mapping: Mapping,
    /// What was last noted as the result.
    result: Mutex<String>,
}

/// Follows one lane of a shard.
pub(super) struct Runner {
    pub(super) lambda: Arc<Lambda>,
    active: Arc<Active>,
    pub(super) named: Named,
    pub(super) filters: Filters,
    pub(super) shard: String,
    pub(super) lane: Lane,
    pub(super) checkpoint_key: Key,
    hints: Watch,
    stop: watch::Receiver<bool>,
}

impl Pollers {
    fn following(&self) -> MutexGuard<'_, HashMap<String, Following>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lambda {
    /// Follows a mapping as it is now; one that is disabled is not followed any more.
    pub(super) fn follow(&self, cx: &Context, mapping: &Mapping) -> Result<(), ApiError> {
        let (lambda, mapping) = (self.shared()?, mapping.clone());
        let named = name::parse(cx, &mapping.function)?;
        let mut following = self.pollers.following();
        let before = following.remove(&mapping.uuid);
        if let Some(before) = &before {
            before.stop.send_replace(true);
        }
        let (stop, stopped) = watch::channel(false);
        let uuid = mapping.uuid.clone();
        let ended = tokio::spawn(async move {
            if let Some(before) = before {
                // A task that panicked has ended too.
                let _ = before.ended.await;
            }
            if mapping.enabled {
                follow(lambda, mapping, named, stopped).await;
            }
        });
        following.insert(uuid, Following { stop, ended });
        Ok(())
    }

    /// Stops following a mapping that is gone, and removes what its tasks wrote to their end.
    pub(super) fn abandon(&self, uuid: &str) -> Result<(), ApiError> {
        let Some(before) = self.pollers.following().remove(uuid) else { return Ok(()) };
        before.stop.send_replace(true);
        let (lambda, uuid) = (self.shared()?, uuid.to_owned());
        tokio::spawn(async move {
            let _ = before.ended.await;
            let (lo, hi) = checkpoint::all(&uuid).prefix_range();
            let commit = Commit::new().clear_range(lo, hi).delete(record::processed(&uuid));
            if let Err(error) = lambda.store().commit(commit).await {
                tracing::warn!(mapping = uuid, %error, "a mapping's checkpoints could not be removed");
            }
        });
        Ok(())
    }

    /// Follows all mappings that an earlier process left.
    pub(crate) async fn resume_mappings(&self) -> Result<(), ApiError> {
        for mapping in
            MAPPINGS.all(self.store(), &MAPPINGS.key().done()).await?.into_iter().filter(|it| it.enabled)
        {
            let Some(id) = name::function_of(&mapping.function) else { continue };
            let cx = self.own_context(&id, RequestId::new(&*self.ports.random));
            self.follow(&cx, &mapping)?;
        }
        Ok(())
    }
}

/// Runs the tasks of a mapping until all have ended.
async fn follow(lambda: Arc<Lambda>, mapping: Mapping, named: Named, mut stop: watch::Receiver<bool>) {
    let active = Arc::new(Active { mapping, result: Mutex::default() });
    let runners = loop {
        match runners(&lambda, &active, &named, &stop).await {
            Ok(runners) => break runners,
            Err(error) => {
                tracing::warn!(mapping = active.mapping.uuid, %error, "a stream could not be described")
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = lambda.scheduler.closing() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    };
    let mut tasks = JoinSet::new();
    for (runner, checkpoint) in runners {
        tasks.spawn(runner.run(checkpoint));
    }
    while tasks.join_next().await.is_some() {}
}

async fn runners(
    lambda: &Arc<Lambda>,
    active: &Arc<Active>,
    named: &Named,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<(Runner, Checkpoint)>, ApiError> {
    let Mapping { uuid, source, settings, .. } = &active.mapping;
    let Some(stream) = lambda.ports.streams.stream(source).await? else { return Ok(Vec::new()) };
    let mut runners = Vec::new();
    for shard in stream.shards {
        let of = settings.parallelization;
        let checkpoints = lambda.checkpoints(uuid, &shard.id, of).await?;
        for (number, checkpoint) in (0..of).zip(checkpoints) {
            let lane = Lane { number, of };
            let runner = Runner {
                lambda: Arc::clone(lambda),
                active: Arc::clone(active),
                named: named.clone(),
                filters: Filters::new(&settings.filters),
                checkpoint_key: checkpoint::key(uuid, &shard.id, lane),
                // Watched before the first read, so that no hint is missed.
                hints: lambda.ports.streams.watch(source, &shard.id),
                shard: shard.id.clone(),
                lane,
                stop: stop.clone(),
            };
            runners.push((runner, checkpoint));
        }
    }
    Ok(runners)
}

impl Runner {
    async fn run(mut self, mut checkpoint: Checkpoint) {
        loop {
            match self.turn(&mut checkpoint).await {
                Ok(Turn::More) => {}
                Ok(Turn::Ended) | Err(Halt::Stopped) => return,
                Err(Halt::Failed(error)) => {
                    tracing::warn!(mapping = self.mapping().uuid, %error, "a stream could not be followed");
                    if self.sleep(PAUSE).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn turn(&mut self, checkpoint: &mut Checkpoint) -> Result<Turn, Halt> {
        let gathered = self.gather(checkpoint).await?;
        if !gathered.batch.entries.is_empty() {
            self.deliver(gathered.batch.entries, checkpoint).await?;
        }
        checkpoint.after = gathered.behind;
        if gathered.closes || checkpoint.window.as_ref().is_some_and(|window| window.full) {
            self.close_window(checkpoint).await?;
        }
        Ok(if gathered.ended { Turn::Ended } else { Turn::More })
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.active.mapping
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.active.mapping.settings
    }

    /// Waits for a hint, or until `deadline`.
    pub(super) async fn wait(&mut self, deadline: Option<Instant>) -> Result<(), Halt> {
        let deadline = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => Err(Halt::Stopped),
            () = self.lambda.scheduler.closing() => Err(Halt::Stopped),
            () = self.hints.changed() => Ok(()),
            () = deadline => Ok(()),
        }
    }

    pub(super) async fn sleep(&mut self, time: Duration) -> Result<(), Halt> {
        tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => Err(Halt::Stopped),
            () = self.lambda.scheduler.closing() => Err(Halt::Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// Keeps what came of the last batch, if it is news.
    pub(super) async fn note(&self, result: &str) {
        {
            let mut known = self.active.result.lock().unwrap_or_else(PoisonError::into_inner);
            if *known == result {
                return;
            }
            *known = result.to_owned();
        }
        let key = record::processed(&self.mapping().uuid);
        let noted = PROCESSED.put(Commit::new(), &key, &Processed { result: result.to_owned() });
        let Ok(commit) = noted else { return };
        if let Err(error) = self.lambda.store().commit(commit).await {
            tracing::warn!(mapping = self.mapping().uuid, %error, "the last result could not be noted");
        }
    }
}

enum Turn {
    More,
    Ended,
}
