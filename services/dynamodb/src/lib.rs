//! Amazon DynamoDB: tables of items, read and written by key.
//!
//! Invariants: an item is changed by one commit that also checks that its table is still the one it was
//! opened as; a decision on an item's state is committed only if that state still holds; who may touch which
//! items is decided before any item is read, because a handler gets a table from [`DynamoDb::admit`] alone;
//! a table made anew under an old name shares nothing with the old one.

mod access;
mod batch_get;
mod batch_write;
mod capacity;
mod codec;
mod delete_item;
mod expression;
mod feature;
pub mod generated;
mod get_item;
mod idempotency;
mod item;
mod key;
mod known;
pub mod number;
mod page;
mod place;
mod put_item;
mod query;
mod record;
mod scan;
mod stream;
mod sweep;
mod table;
mod tag;
mod throughput;
mod transact_action;
mod transact_get;
mod transact_write;
mod update_item;
mod update_table;
pub mod value;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{Clock, Random};
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Authorizer, Background, Context, Nudge, Ownership, Service, operations};
use pagoda_store::Store;

/// How often deleted tables are cleared away and the others counted. DynamoDB counts every six hours.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

/// The DynamoDB service.
pub struct DynamoDb {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    authorizer: Authorizer,
    known: known::Known,
    throughput: throughput::Buckets,
    sweep: Nudge,
}

impl DynamoDb {
    /// DynamoDB over `store`. The authorizer decides on items, whose keys are part of the question.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        authorizer: Authorizer,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            random,
            authorizer,
            known: known::Known::default(),
            throughput: throughput::Buckets::default(),
            sweep: Nudge::default(),
        })
    }

    /// Registers the clearing of deleted tables and the counting of items.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let dynamodb = Arc::clone(self);
        background.every(SWEEP_PERIOD, self.sweep.clone(), move || {
            let dynamodb = Arc::clone(&dynamodb);
            async move { dynamodb.sweep().await }
        });
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(DynamoDb {
    BatchGetItem => batch_get::get, on access::in_handler;
    BatchWriteItem => batch_write::write, on access::in_handler;
    CreateTable => table::create, on access::new_table;
    DeleteItem => delete_item::delete, on access::in_handler;
    DeleteTable => table::delete, on access::table_deleted;
    DescribeContinuousBackups => feature::continuous_backups, on access::backups_described;
    DescribeEndpoints => feature::endpoints, on access::endpoints;
    DescribeTable => table::describe, on access::table_described;
    DescribeTimeToLive => feature::time_to_live, on access::time_to_live_described;
    GetItem => get_item::get, on access::in_handler;
    ListTables => table::list, on access::tables;
    ListTagsOfResource => tag::list, on access::tags_listed;
    PutItem => put_item::put, on access::in_handler;
    Query => query::query, on access::in_handler;
    Scan => scan::scan, on access::in_handler;
    TagResource => tag::add, on access::tagged;
    TransactGetItems => transact_get::get, on access::in_handler;
    TransactWriteItems => transact_write::write, on access::in_handler;
    UntagResource => tag::remove, on access::untagged;
    UpdateItem => update_item::update, on access::in_handler;
    UpdateTable => update_table::update, on access::table_updated;
});

#[async_trait]
impl Service for DynamoDb {
    /// A batch may write 16 MB, which JSON and base64 make longer.
    const BODY_BYTES_MAX: usize = 24 * 1024 * 1024;

    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(place::owner(cx, &access.resource)))
    }
}
