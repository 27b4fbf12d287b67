//! Amazon EventBridge: events on buses, rules that match them or keep a schedule, and what they invoke.
//!
//! ```text
//! PutEvents ──► rules of the bus ──┐
//! ticks ──────► rule that is due ──┴─► deliveries, durable ──► Lambda's queue
//! ```
//!
//! Invariants: an event is acknowledged once all its deliveries are durable; a delivery stays until its
//! target has taken it, refused it for good, or its retries are over; a tick, the one that follows it and its
//! deliveries are one commit, so that no tick fires twice.

mod access;
mod bus;
mod deliver;
mod event;
pub mod generated;
mod input;
mod page;
mod pattern;
mod put;
mod rule;
mod schedule;
mod table;
mod tag;
mod target;
mod tick;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{AccountId, Clock, Random, Region};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{InvokeLater, RecordMetric};
use pagoda_service::{Access, Background, Context, Nudge, Ownership, Remembered, Service, operations};
use pagoda_store::Store;

use crate::rule::Rules;
use crate::table::Place;

/// How often schedules and deliveries are looked at.
const TICK_PERIOD: Duration = Duration::from_secs(1);
/// Buses whose rules are kept compiled.
const BUSES_MAX: usize = 1_000;

/// The EventBridge service.
pub struct Events {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    functions: Arc<dyn InvokeLater>,
    metrics: Arc<dyn RecordMetric>,
    rules: Remembered<Place, Rules>,
    deliver: Nudge,
}

/// Whose buses are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    account: AccountId,
    region: Region,
}

impl Scope {
    fn of(cx: &Context) -> Self {
        Self { account: cx.account, region: cx.region.clone() }
    }
}

impl Events {
    /// EventBridge over `store`, which invokes `functions`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        functions: Arc<dyn InvokeLater>,
        metrics: Arc<dyn RecordMetric>,
    ) -> Arc<Self> {
        let (rules, deliver) = (Remembered::new(BUSES_MAX), Nudge::default());
        Arc::new(Self { store, clock, random, functions, metrics, rules, deliver })
    }

    /// Registers the firing of schedules and the delivery of events.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let events = Arc::clone(self);
        background.every(TICK_PERIOD, self.deliver.clone(), move || {
            let events = Arc::clone(&events);
            async move { events.work().await }
        });
    }

    /// Fires what is due, and delivers what waits.
    pub async fn work(&self) {
        self.fire().await;
        self.deliver_all().await;
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(Events {
    CreateEventBus => bus::create, on access::bus_created;
    DeleteEventBus => bus::delete, on access::bus_deleted;
    DeleteRule => rule::delete, on access::rule_deleted;
    DescribeEventBus => bus::describe, on access::bus_described;
    DescribeRule => rule::describe, on access::rule_described;
    DisableRule => rule::disable, on access::rule_disabled;
    EnableRule => rule::enable, on access::rule_enabled;
    ListEventBuses => bus::list, on access::buses_listed;
    ListRuleNamesByTarget => rule::names_by_target, on access::rules_of_target;
    ListRules => rule::list, on access::rules_listed;
    ListTagsForResource => tag::list, on access::tags_listed;
    ListTargetsByRule => target::list, on access::targets_listed;
    PutEvents => put::put, on access::events_put;
    PutRule => rule::put, on access::rule_put;
    PutTargets => target::put, on access::targets_put;
    RemoveTargets => target::remove, on access::targets_removed;
    TagResource => tag::add, on access::tagged;
    TestEventPattern => event::test, on access::pattern_tested;
    UntagResource => tag::remove, on access::untagged;
});

#[async_trait]
impl Service for Events {
    /// The entries of PutEvents are at most 256 KB; their JSON may need more.
    const BODY_BYTES_MAX: usize = 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}
