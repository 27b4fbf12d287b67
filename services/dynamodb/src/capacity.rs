//! Capacity units: what reads and writes cost, and how answers tell.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use crate::generated as g;
use crate::known::Open;

const READ_UNIT_BYTES: usize = 4096;
const WRITE_UNIT_BYTES: usize = 1024;

/// What reading `bytes` costs; an eventually consistent read half as much.
pub(crate) fn to_read(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(READ_UNIT_BYTES).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

/// What writing costs, where the larger of the old and the new item has `bytes`.
pub(crate) fn to_write(bytes: usize) -> f64 {
    bytes.div_ceil(WRITE_UNIT_BYTES).max(1) as f64
}

/// Whether an answer tells what it cost.
pub(crate) fn is_wanted(wanted: Option<g::ReturnConsumedCapacity>) -> bool {
    matches!(wanted, Some(g::ReturnConsumedCapacity::Total | g::ReturnConsumedCapacity::Indexes))
}

/// The answer's part on what it cost, where the request wants it.
pub(crate) fn consumed(
    wanted: Option<g::ReturnConsumedCapacity>,
    table: &Open,
    units: f64,
) -> Option<g::ConsumedCapacity> {
    let by_index = wanted == Some(g::ReturnConsumedCapacity::Indexes);
    is_wanted(wanted).then(|| g::ConsumedCapacity {
        table_name: Some(table.record.name.clone()),
        capacity_units: Some(units),
        table: by_index.then(|| g::Capacity { capacity_units: Some(units), ..Default::default() }),
        ..Default::default()
    })
}
