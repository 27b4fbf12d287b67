//! Instances that a version keeps, started and through their init code before anybody asks.
//!
//! Invariants: a kept instance ends only with its version, with its credentials, or when fewer are wanted; it
//! serves like any other.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use pagoda_base::ids::RequestId;

use crate::load::Loaded;
use crate::name::{Named, VersionId};
use crate::{Lambda, provisioned};

use super::instance::Instance;
use super::plan;
use super::scheduler::Means;
use super::start::{INIT_TIMEOUT, NotStarted, Purpose, start};

/// What is known of a version's kept instances.
#[derive(Debug, Default)]
pub(crate) struct Provision {
    /// Those that are through their init code.
    pub(crate) alive: usize,
    /// Why there are not more.
    pub(crate) failure: Option<String>,
}

/// The kept instances of a version.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) wanted: usize,
    instances: Vec<Weak<Instance>>,
    failure: Option<String>,
}

impl Kept {
    /// Those that live.
    pub(super) fn alive(&mut self) -> usize {
        let lives = |one: &Weak<Instance>| one.upgrade().is_some_and(|instance| !instance.has_ended());
        self.instances.retain(lives);
        self.instances.len()
    }

    pub(super) fn describe(&mut self) -> Provision {
        Provision { alive: self.alive(), failure: self.failure.clone() }
    }

    /// Whether the instance must not go although it is idle.
    pub(super) fn holds(&self, instance: &Arc<Instance>) -> bool {
        let mut kept = self.instances.iter().take(self.wanted);
        kept.any(|one| std::ptr::eq(one.as_ptr(), Arc::as_ptr(instance)))
    }

    pub(super) fn keep(&mut self, instance: &Arc<Instance>) {
        self.failure = None;
        self.instances.push(Arc::downgrade(instance));
    }

    pub(super) fn fail(&mut self, reason: String) {
        self.failure = Some(reason);
    }
}

/// Starts what is missing. Runs in the background.
pub(crate) async fn provision(lambda: &Lambda) {
    let wanted = match provisioned::wanted(lambda).await {
        Ok(wanted) => wanted,
        Err(error) => {
            tracing::warn!(%error, "what is provisioned could not be read");
            return;
        }
    };
    for (version, missing) in lambda.scheduler.want(wanted) {
        for _ in 0..missing {
            if let Err(reason) = add(lambda, &version).await {
                tracing::warn!(function = %version.function.arn(), version = version.number, reason, "no provisioned instance");
                lambda.scheduler.not_kept(&version, reason);
                break;
            }
        }
    }
}

async fn add(lambda: &Lambda, version: &VersionId) -> Result<(), String> {
    let named = Named { function: version.function.clone(), qualifier: Some(version.number.clone()) };
    let cx = lambda.own_context(&version.function, RequestId::new(&*lambda.ports.random));
    let loaded = lambda.load(&named).await.map_err(|error| error.message)?;
    let Means { ids, memory, slot: _slot } =
        lambda.scheduler.room(&loaded).await.map_err(|error| error.message)?;
    let started = start(lambda, &cx, &loaded, ids, memory, Purpose::Provision).await;
    let instance = started.map_err(|failed| match failed {
        NotStarted::Refused(error) => error.message,
        NotStarted::Failed(failure) => failure.status.to_string(),
    })?;
    initialize(lambda, &loaded, &instance).await?;
    lambda.scheduler.kept(version, &instance);
    lambda.scheduler.park(instance);
    Ok(())
}

async fn initialize(lambda: &Lambda, loaded: &Loaded, instance: &Arc<Instance>) -> Result<(), String> {
    let limit = INIT_TIMEOUT.max(Duration::from_secs(loaded.version.settings.timeout_seconds.into()));
    match tokio::time::timeout(limit, instance.initialized()).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => return Err(String::from_utf8_lossy(&failure.document).into_owned()),
        Err(_) => return Err(format!("Init took longer than {limit:?}")),
    }
    let share = plan::cpu_millis(loaded.version.settings.memory_mb, lambda.config.limits.cpu_millis_min);
    // Where the host cannot limit processors, nothing is lost.
    let _ = instance.sandbox.set_cpu_millis(share);
    Ok(())
}

impl super::Scheduler {
    /// Notes what is wanted; how many instances each version lacks.
    fn want(&self, wanted: HashMap<VersionId, usize>) -> Vec<(VersionId, usize)> {
        let mut book = self.book();
        book.kept.retain(|version, _| wanted.contains_key(version));
        let mut missing = Vec::new();
        for (version, count) in wanted {
            let kept = book.kept.entry(version.clone()).or_default();
            kept.wanted = count;
            missing.push((version, count.saturating_sub(kept.alive())));
        }
        missing
    }

    fn kept(&self, version: &VersionId, instance: &Arc<Instance>) {
        self.book().kept.entry(version.clone()).or_default().keep(instance);
    }

    fn not_kept(&self, version: &VersionId, reason: String) {
        self.book().kept.entry(version.clone()).or_default().fail(reason);
    }

    /// Whether the instance is one of those that its version keeps, and how many those are; nothing where the
    /// version keeps none.
    pub(super) fn keeps(&self, instance: &Arc<Instance>) -> Option<(bool, usize)> {
        let book = self.book();
        let kept = book.kept.get(&instance.version).filter(|kept| kept.wanted > 0)?;
        Some((kept.holds(instance), kept.wanted))
    }

    /// What is known of a version's kept instances.
    pub(crate) fn provision(&self, version: &VersionId) -> Provision {
        self.book().kept.get_mut(version).map(Kept::describe).unwrap_or_default()
    }
}
