//! BatchWriteItem
//!
//! Each item is written whole or not at all; the batch as a whole is no transaction. All requests are
//! checked before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Consistency, Read};

use crate::access::Ask;
use crate::batch_get::distinct;
use crate::generated as g;
use crate::known::Open;
use crate::throughput::Direction;
use crate::value::Item;
use crate::write::Write;
use crate::{DynamoDb, capacity, codec, item, key};

const WRITES_MAX: usize = 25;
/// Bytes that are committed at once, well inside of the store's limit.
const COMMIT_BYTES: usize = 4_000_000;
const TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";

/// What is written to one table.
struct Wanted {
    table: Arc<Open>,
    writes: Vec<SizedWrite>,
}

struct SizedWrite {
    write: Write,
    /// Of the new item.
    size: usize,
}

pub(crate) async fn write(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::BatchWriteItemInput,
) -> Result<g::BatchWriteItemOutput, ApiError> {
    if input.request_items.values().map(Vec::len).sum::<usize>() > WRITES_MAX {
        return Err(ApiError::validation("Too many items requested for the BatchWriteItem call"));
    }
    let mut wanted = Vec::with_capacity(input.request_items.len());
    for (name, requests) in &input.request_items {
        wanted.push(admit(dynamodb, cx, name, requests, input.return_consumed_capacity).await?);
    }
    let mut output =
        g::BatchWriteItemOutput { unprocessed_items: Some(BTreeMap::new()), ..Default::default() };
    let wants_capacity = capacity::is_wanted(input.return_consumed_capacity);
    for Wanted { table, writes } in wanted {
        dynamodb.throughput.admit(&table, Direction::Write, cx.now)?;
        if wants_capacity || table.record.throughput.is_some() {
            let units = units(dynamodb, &writes).await?;
            dynamodb.throughput.spend(&table, Direction::Write, units, cx.now);
            let consumed = capacity::consumed(input.return_consumed_capacity, &table, units);
            if let Some(consumed) = consumed {
                output.consumed_capacity.get_or_insert_default().push(consumed);
            }
        }
        let mut together = Vec::new();
        let mut bytes = 0;
        for SizedWrite { write, size } in writes {
            if bytes + size > COMMIT_BYTES {
                dynamodb.write(&table, std::mem::take(&mut together)).await?;
                bytes = 0;
            }
            bytes += size;
            together.push(write);
        }
        dynamodb.write(&table, together).await?;
    }
    Ok(output)
}

async fn admit(
    dynamodb: &DynamoDb,
    cx: &Context,
    name: &str,
    requests: &[g::WriteRequest],
    return_consumed_capacity: Option<g::ReturnConsumedCapacity>,
) -> Result<Wanted, ApiError> {
    let touched: Vec<&Item> = requests.iter().map(touched).collect::<Result<_, _>>()?;
    let mut attributes: Vec<&str> = touched.iter().flat_map(|item| item.keys()).map(String::as_str).collect();
    attributes.sort_unstable();
    attributes.dedup();
    let ask =
        Ask { action: "dynamodb:BatchWriteItem", attributes, return_consumed_capacity, ..Ask::default() };
    let leading = |table: &Open| key::leading(table, touched.iter().copied());
    let table = dynamodb.admit(cx, name, &ask, leading).await?;
    let writes = requests.iter().map(|request| prepare(&table, request)).collect::<Result<Vec<_>, _>>()?;
    distinct(writes.iter().map(|sized| &sized.write.row))?;
    Ok(Wanted { table, writes })
}

/// The item or key that a request is about.
fn touched(request: &g::WriteRequest) -> Result<&Item, ApiError> {
    match (&request.put_request, &request.delete_request) {
        (Some(put), None) => Ok(&put.item),
        (None, Some(delete)) => Ok(&delete.key),
        _ => Err(ApiError::validation(
            "Supplied WriteRequest is invalid, must contain exactly one of PutRequest and DeleteRequest",
        )),
    }
}

fn prepare(table: &Open, request: &g::WriteRequest) -> Result<SizedWrite, ApiError> {
    match &request.put_request {
        Some(put) => {
            let size = item::check(&put.item, TOO_LARGE)?;
            let write = Write { row: table.row_in(&put.item)?, bytes: Some(codec::encode(&put.item)) };
            Ok(SizedWrite { write, size })
        }
        None => {
            Ok(SizedWrite { write: Write { row: table.row_of(touched(request)?)?, bytes: None }, size: 0 })
        }
    }
}

/// What the writes cost, by the larger of each old and new item.
async fn units(dynamodb: &DynamoDb, writes: &[SizedWrite]) -> Result<f64, ApiError> {
    let reads: Vec<_> = writes.iter().map(|sized| Read::Get(sized.write.row.clone())).collect();
    let found = dynamodb.store().read(&reads, Consistency::Strong).await?;
    let mut units = 0.0;
    for (found, sized) in found.iter().zip(writes) {
        let old = found.rows.first().map_or(Ok(0), |row| codec::size(&row.value))?;
        units += capacity::to_write(old.max(sized.size));
    }
    Ok(units)
}
