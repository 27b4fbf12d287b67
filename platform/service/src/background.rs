//! Background work: takes no input, is idempotent, and runs on a timer and on a nudge.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// All background work of a running platform.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Wakes a task ahead of its timer. Nudges that arrive while it runs make it run once more.
#[derive(Clone, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Wakes the task.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

impl Default for Background {
    fn default() -> Self {
        Self { stop: watch::Sender::new(false), tasks: JoinSet::new() }
    }
}

impl Background {
    /// Runs `work` every `period` and on every nudge, until the platform stops.
    pub fn every<F, W>(&mut self, period: Duration, nudge: Nudge, work: W)
    where
        W: Fn() -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let mut stop = self.stop.subscribe();
        self.tasks.spawn(async move {
            let mut timer = tokio::time::interval(period);
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = stop.wait_for(|stopping| *stopping) => return,
                    _ = timer.tick() => {}
                    () = nudge.0.notified() => {}
                }
                work().await;
            }
        });
    }

    /// Lets what runs finish, and ends.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
