//! Amazon CloudWatch Logs: what functions and applications write, kept in the order of its time.
//!
//! Invariants: a batch of events is kept whole or not at all; events belong to one incarnation of their
//! group or stream, so that a name made anew starts empty; what is deleted or past its retention is never
//! shown, and its space is given back in the background.

mod access;
mod event;
mod filter;
pub mod generated;
mod group;
mod pattern;
mod put;
mod retention;
mod stream;
mod sweep;
mod table;
mod tag;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{AccountId, Clock, Random, Region};
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Background, Context, Nudge, Ownership, Service, operations};
use pagoda_store::Store;

/// How often expired and deleted events are cleared away.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// The CloudWatch Logs service.
pub struct Logs {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sweep: Nudge,
}

/// Whose groups are meant.
#[derive(Clone)]
pub(crate) struct Scope {
    account: AccountId,
    region: Region,
}

impl Scope {
    fn of(cx: &Context) -> Self {
        Self { account: cx.account, region: cx.region.clone() }
    }
}

impl Logs {
    /// Logs over `store`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Arc<Self> {
        Arc::new(Self { store, clock, random, sweep: Nudge::default() })
    }

    /// Registers the clearing of what has expired or was deleted.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let logs = Arc::clone(self);
        background.every(SWEEP_PERIOD, self.sweep.clone(), move || {
            let logs = Arc::clone(&logs);
            async move { logs.clear_away().await }
        });
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(Logs {
    CreateLogGroup => group::create, on access::new_group;
    CreateLogStream => stream::create, on access::new_stream;
    DeleteLogGroup => group::delete, on access::group_deleted;
    DeleteLogStream => stream::delete, on access::stream_deleted;
    DeleteRetentionPolicy => retention::delete, on access::retention_deleted;
    DescribeLogGroups => group::describe, on access::groups;
    DescribeLogStreams => stream::describe, on access::streams;
    FilterLogEvents => filter::filter, on access::filtered;
    GetLogEvents => event::get, on access::read;
    ListTagsForResource => tag::list, on access::tags_listed;
    PutLogEvents => put::put, on access::written;
    PutRetentionPolicy => retention::put, on access::retention_put;
    TagResource => tag::add, on access::tagged;
    UntagResource => tag::remove, on access::untagged;
});

#[async_trait]
impl Service for Logs {
    /// A batch of events is at most 1 MiB; its JSON may need a little more.
    const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}
