//! The firing of schedules.

use pagoda_base::{Timestamp, ids};
use pagoda_protocol::ApiError;
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::{Commit, Decision, Read, Record, update};

use crate::deliver::{self, Matched};
use crate::event::{self, Parts};
use crate::schedule::Schedule;
use crate::table::{self, Delivery, Place, Rule, TICKS, Tick};
use crate::{Events, Scope, rule};

const TICKS_A_READ: u32 = 200;

/// Sets the rule's next tick anew, counted from now, and takes the old one out.
pub(crate) fn reset(
    commit: Commit,
    place: &Place,
    rule: &mut Rule,
    now: Timestamp,
) -> Result<Commit, ApiError> {
    let commit = match rule.next_seconds.take() {
        Some(due) => commit.delete(table::tick(&tick(place, rule, due))),
        None => commit,
    };
    let schedule = rule.schedule.as_deref().filter(|_| rule.is_enabled).map(Schedule::parse).transpose()?;
    set(commit, place, rule, schedule.and_then(|schedule| schedule.next(now.as_second(), now)))
}

fn set(commit: Commit, place: &Place, rule: &mut Rule, next: Option<i64>) -> Result<Commit, ApiError> {
    rule.next_seconds = next;
    let Some(due) = next else { return Ok(commit) };
    let tick = tick(place, rule, due);
    Ok(TICKS.put(commit, &table::tick(&tick), &tick)?)
}

fn tick(place: &Place, rule: &Rule, due_seconds: i64) -> Tick {
    let Scope { account, region } = place.scope.clone();
    Tick { account, region, bus: place.bus.clone(), rule: rule.name.clone(), due_seconds }
}

impl Events {
    /// Fires all that is due.
    pub(crate) async fn fire(&self) {
        loop {
            match self.fire_some().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // What is due stays, and is fired by the next run.
                    tracing::warn!(%error, "schedules wait");
                    return;
                }
            }
        }
    }

    /// Whether there may be more.
    async fn fire_some(&self) -> Result<bool, ApiError> {
        let now = self.clock.now();
        let (lo, _) = TICKS.key().done().prefix_range();
        let hi = TICKS.key().i64(now.as_second() + 1).done();
        let read = Read::Range { lo, hi, limit: TICKS_A_READ, bytes: RANGE_BYTES_MAX, reverse: false };
        let found = self.store().rows(read).await?;
        for row in &found.rows {
            self.fire_one(&Tick::decode(&row.value)?, now).await?;
        }
        Ok(found.more)
    }

    async fn fire_one(&self, due: &Tick, now: Timestamp) -> Result<(), ApiError> {
        let scope = Scope { account: due.account, region: due.region.clone() };
        let place = Place { scope, bus: due.bus.clone() };
        let taken = Commit::new().delete(table::tick(due));
        let fired = update(self.store(), &table::rule(&place, &due.rule), |found: Option<Rule>| {
            let current = found.filter(|rule| rule.next_seconds == Some(due.due_seconds));
            let Some(mut rule) = current else { return Ok(Decision::keep(false)) };
            let schedule = Schedule::parse(rule.schedule.as_deref().unwrap_or_default())?;
            let next = schedule.next(due.due_seconds, now);
            let commit = set(taken.clone(), &place, &mut rule, next)?;
            let commit = self.told(commit, &place, &rule, due, now)?;
            Ok::<_, ApiError>(Decision::save(rule, true).with(commit))
        })
        .await?;
        if !fired {
            // The rule has another tick by now, or is gone.
            self.store().commit(taken).await?.done()?;
        }
        Ok(())
    }

    /// Adds what the rule's targets are told.
    fn told(
        &self,
        commit: Commit,
        place: &Place,
        rule: &Rule,
        due: &Tick,
        now: Timestamp,
    ) -> Result<Commit, ApiError> {
        let (rule_arn, id) = (rule::arn(place, &rule.name), ids::uuid(&*self.random));
        let parts = Parts {
            id: &id,
            source: "aws.events",
            detail_type: "Scheduled Event",
            time: Timestamp::from_second(due.due_seconds).unwrap_or(now),
            resources: vec![rule_arn.clone()],
            detail: serde_json::json!({}),
        };
        let event = event::new(&place.scope, parts);
        let matched = Matched { scope: &place.scope, rule, rule_arn: &rule_arn, event: &event, now };
        let add = |commit, delivery: &Delivery| deliver::add(commit, delivery, now);
        Ok(deliver::of(self, &matched).iter().try_fold(commit, add)?)
    }
}
