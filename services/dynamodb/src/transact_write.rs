//! TransactWriteItems
//!
//! All items are read at once, every action is decided, and one commit makes all changes if each item and each
//! table still is as it was read. Nobody waits in between, so nothing can be stuck; who finds an item changed
//! again and again is told of a conflict.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::limits::COMMIT_BYTES_MAX;
use pagoda_store::{Check, Commit, Consistency, Outcome, Read, Row};

use crate::generated as g;
use crate::idempotency::Presented;
use crate::known::Open;
use crate::throughput::Direction;
use crate::transact_action::Action;
use crate::value::Item;
use crate::write::{Next, Write};
use crate::{DynamoDb, capacity, codec, stream};

const ATTEMPTS_MAX: u32 = 32;
/// All items of a transaction together, in bytes.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// An item as it was read, and what becomes of it.
struct Decided {
    old: Option<Row>,
    write: Option<Write>,
    /// Of the larger of the old and the new item.
    size: usize,
}

pub(crate) async fn write(
    dynamodb: &DynamoDb,
    cx: &Context,
    mut input: g::TransactWriteItemsInput,
) -> Result<g::TransactWriteItemsOutput, ApiError> {
    let token = input.client_request_token.take();
    let mut actions = Vec::with_capacity(input.transact_items.len());
    for wanted in &input.transact_items {
        actions.push(Action::prepare(dynamodb, cx, wanted).await?);
    }
    let presented = match token.as_deref() {
        Some(token) => match Presented::read(dynamodb, cx, token, &input).await? {
            Some(presented) => Some(presented),
            // It happened before.
            None => return Ok(g::TransactWriteItemsOutput::default()),
        },
        None => None,
    };
    check_rows(&actions)?;
    for action in &actions {
        dynamodb.throughput.admit(&action.table, Direction::Write, cx.now)?;
    }
    let decided = commit(dynamodb, cx, &mut actions, presented.as_ref()).await?;
    let mut units: BTreeMap<String, (Arc<Open>, f64)> = BTreeMap::new();
    for (action, decided) in actions.iter().zip(&decided) {
        let of_table = units.entry(action.table.record.name.clone());
        // A transaction writes everything twice.
        of_table.or_insert_with(|| (Arc::clone(&action.table), 0.0)).1 +=
            2.0 * capacity::to_write(decided.size);
    }
    let mut output = g::TransactWriteItemsOutput::default();
    for (table, units) in units.values() {
        dynamodb.throughput.spend(table, Direction::Write, *units, cx.now);
        if let Some(consumed) = capacity::consumed(input.return_consumed_capacity, table, *units) {
            output.consumed_capacity.get_or_insert_default().push(consumed);
        }
    }
    Ok(output)
}

/// Refuses keys that no item of the tables has, and two actions on one item.
fn check_rows(actions: &[Action<'_>]) -> Result<(), ApiError> {
    if actions.iter().any(|action| action.row.is_err()) {
        return Err(cancelled(
            actions.iter().map(|action| action.row.as_ref().err().map(|error| reason(error, None))),
        ));
    }
    let mut seen = HashSet::new();
    if !actions.iter().filter_map(|action| action.row.as_ref().ok()).all(|row| seen.insert(row)) {
        let message = "Transaction request cannot include multiple operations on one item";
        return Err(ApiError::validation(message));
    }
    Ok(())
}

async fn commit(
    dynamodb: &DynamoDb,
    cx: &Context,
    actions: &mut [Action<'_>],
    token: Option<&Presented>,
) -> Result<Vec<Decided>, ApiError> {
    let mut conflicting = 0;
    for _ in 0..ATTEMPTS_MAX {
        let decided = decide(actions, read(dynamodb, actions).await?)?;
        // The items' checks come first: the number of one that fails is that of its action.
        let checks = actions.iter().zip(&decided).filter_map(|(action, decided)| {
            let row = action.row.as_ref().ok()?.clone();
            Some(
                decided
                    .old
                    .as_ref()
                    .map_or_else(|| Check::Absent(row.clone()), |old| Check::At(row.clone(), old.stamp)),
            )
        });
        let mut commit = checks.fold(Commit::new(), Commit::check);
        let mut fenced = HashSet::new();
        for (action, decided) in actions.iter().zip(&decided) {
            if fenced.insert(action.table.key.clone()) {
                commit = commit.and(action.table.fence());
            }
            let Some(write) = &decided.write else { continue };
            commit = commit.op(write.op());
            let old = decided.old.as_ref().map(|old| &old.value);
            commit = stream::record(commit, &action.table, old, write.bytes.as_ref(), dynamodb.clock.now())?;
        }
        if let Some(token) = token {
            commit = token.used(commit, cx.now)?;
        }
        if commit.bytes() > COMMIT_BYTES_MAX {
            let message = "The items of the transaction, with what their streams tell of them, exceed 8 MB";
            return Err(ApiError::validation(message));
        }
        let of_token = token.map(|_| commit.checks.len() - 1);
        match dynamodb.store().commit(commit).await? {
            Outcome::CheckFailed { check, .. } if Some(check) == of_token => return Err(in_progress()),
            Outcome::CheckFailed { check, .. } => {
                conflicting = check;
                reopen(dynamodb, actions).await?;
                tokio::task::yield_now().await;
            }
            outcome => return Ok(outcome.done().map(|_| decided)?),
        }
    }
    let conflict = || g::CancellationReason {
        code: Some("TransactionConflict".into()),
        message: Some("Transaction is ongoing for the item".into()),
        item: None,
    };
    Err(cancelled((0..actions.len()).map(|number| (number == conflicting).then(conflict))))
}

/// The same request is carried out at this moment.
fn in_progress() -> ApiError {
    let message = "The transaction with the given request token is already in progress.";
    g::TransactionInProgressException { message: Some(message.into()) }.into()
}

async fn read(dynamodb: &DynamoDb, actions: &[Action<'_>]) -> Result<Vec<Option<Row>>, ApiError> {
    let rows = actions.iter().filter_map(|action| action.row.as_ref().ok());
    let reads: Vec<_> = rows.map(|row| Read::Get(row.clone())).collect();
    let found = dynamodb.store().read(&reads, Consistency::Strong).await?;
    Ok(found.into_iter().map(|mut rows| rows.rows.pop()).collect())
}

/// Decides all actions.
///
/// # Errors
/// `TransactionCanceledException` with the reasons, in the order of the actions.
fn decide(actions: &[Action<'_>], found: Vec<Option<Row>>) -> Result<Vec<Decided>, ApiError> {
    let (mut decided, mut reasons, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (action, old) in actions.iter().zip(found) {
        let item = old.as_ref().map(|old| codec::decode(&old.value)).transpose()?;
        let next = match action.decide(item.as_ref()) {
            Ok(next) => next,
            Err(error) if error.status.is_server_error() => return Err(error),
            Err(error) => {
                let shown = action.on_failure == Some(g::ReturnValuesOnConditionCheckFailure::AllOld);
                reasons.resize(decided.len(), None);
                reasons.push(Some(reason(&error, item.filter(|_| shown))));
                Next::Keep
            }
        };
        let size = |bytes: Option<&Bytes>| bytes.map_or(Ok(0), codec::size);
        let row = action.row.clone()?;
        let write = match next {
            Next::Keep => None,
            Next::Put(bytes) => Some(Write { row, bytes: Some(bytes) }),
            Next::Delete => Some(Write { row, bytes: None }),
        };
        let new = size(write.as_ref().and_then(|write| write.bytes.as_ref()))?;
        bytes += new;
        let size = size(old.as_ref().map(|old| &old.value))?.max(new);
        decided.push(Decided { old, write, size });
    }
    if !reasons.is_empty() {
        reasons.resize(actions.len(), None);
        return Err(cancelled(reasons));
    }
    if bytes > BYTES_MAX {
        return Err(ApiError::validation("Transaction request exceeds the maximum size of 4 MB"));
    }
    Ok(decided)
}

/// The tables as they are now, where one was found changed.
async fn reopen(dynamodb: &DynamoDb, actions: &mut [Action<'_>]) -> Result<(), ApiError> {
    for action in actions {
        action.table = dynamodb.reopen(&action.table).await?;
    }
    Ok(())
}

fn reason(error: &ApiError, item: Option<Item>) -> g::CancellationReason {
    let code = match &*error.code {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        _ => "ValidationError",
    };
    g::CancellationReason { code: Some(code.into()), message: Some(error.message.clone()), item }
}

/// The cancellation; an action without a reason of its own has the reason `None`.
fn cancelled(reasons: impl IntoIterator<Item = Option<g::CancellationReason>>) -> ApiError {
    let none = || g::CancellationReason { code: Some("None".into()), message: None, item: None };
    let reasons: Vec<_> = reasons.into_iter().map(|reason| reason.unwrap_or_else(none)).collect();
    let codes: Vec<_> = reasons.iter().filter_map(|reason| reason.code.as_deref()).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    g::TransactionCanceledException { message: Some(message), cancellation_reasons: Some(reasons) }.into()
}
