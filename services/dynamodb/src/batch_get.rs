//! BatchGetItem
//!
//! All keys of a table are read from one snapshot. What would make the answer larger than 16 MB is handed
//! back as unprocessed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Consistency, Key, Read, Row};

use crate::access::Ask;
use crate::expression::{Expected, Projection, Scope};
use crate::generated as g;
use crate::get_item::selected;
use crate::known::Open;
use crate::throughput::Direction;
use crate::value::Item;
use crate::{DynamoDb, capacity, codec, key};

const KEYS_MAX: usize = 100;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is read of one table.
struct Wanted<'a> {
    request: &'a g::KeysAndAttributes,
    table: Arc<Open>,
    rows: Vec<Key>,
    projection: Option<Projection<'a>>,
}

/// What was read of one table.
struct Answer {
    items: Vec<Item>,
    /// The keys from here on were not.
    processed: usize,
    units: f64,
}

pub(crate) async fn get(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::BatchGetItemInput,
) -> Result<g::BatchGetItemOutput, ApiError> {
    if input.request_items.values().map(|request| request.keys.len()).sum::<usize>() > KEYS_MAX {
        return Err(ApiError::validation("Too many items requested for the BatchGetItem call"));
    }
    let mut wanted = Vec::with_capacity(input.request_items.len());
    for (name, request) in &input.request_items {
        wanted.push((name, admit(dynamodb, cx, name, request, input.return_consumed_capacity).await?));
    }
    let mut output = g::BatchGetItemOutput { responses: Some(BTreeMap::new()), ..Default::default() };
    let mut unprocessed = BTreeMap::new();
    let mut budget = BYTES_MAX;
    for (name, wanted) in wanted {
        dynamodb.throughput.admit(&wanted.table, Direction::Read, cx.now)?;
        let answer = read(dynamodb, &wanted, &mut budget).await?;
        dynamodb.throughput.spend(&wanted.table, Direction::Read, answer.units, cx.now);
        let left = &wanted.request.keys[answer.processed..];
        if !left.is_empty() {
            unprocessed
                .insert(name.clone(), g::KeysAndAttributes { keys: left.to_vec(), ..wanted.request.clone() });
        }
        if let Some(consumed) =
            capacity::consumed(input.return_consumed_capacity, &wanted.table, answer.units)
        {
            output.consumed_capacity.get_or_insert_default().push(consumed);
        }
        output.responses.get_or_insert_default().insert(name.clone(), answer.items);
    }
    output.unprocessed_keys = Some(unprocessed);
    Ok(output)
}

async fn admit<'a>(
    dynamodb: &DynamoDb,
    cx: &Context,
    name: &str,
    request: &'a g::KeysAndAttributes,
    return_consumed_capacity: Option<g::ReturnConsumedCapacity>,
) -> Result<Wanted<'a>, ApiError> {
    let text = request.projection_expression.as_deref();
    let mut scope =
        Scope::new(request.expression_attribute_names.as_ref(), None, &Expected::projection(text))?;
    let projection = Projection::parse(text, &mut scope)?;
    let mut attributes = scope.finish()?;
    attributes.extend(request.keys.iter().flat_map(Item::keys).map(String::as_str));
    let ask = Ask {
        action: "dynamodb:BatchGetItem",
        attributes: attributes.into_iter().collect(),
        select: Some(selected(projection.is_some())),
        return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &Open| key::leading(table, &request.keys);
    let table = dynamodb.admit(cx, name, &ask, leading).await?;
    let rows = request.keys.iter().map(|key| table.row_of(key)).collect::<Result<Vec<_>, _>>()?;
    distinct(rows.iter())?;
    Ok(Wanted { request, table, rows, projection })
}

/// Refuses a batch that names an item twice.
pub(crate) fn distinct<'k>(rows: impl ExactSizeIterator<Item = &'k Key>) -> Result<(), ApiError> {
    let count = rows.len();
    if rows.collect::<BTreeSet<_>>().len() < count {
        return Err(ApiError::validation("Provided list of item keys contains duplicates"));
    }
    Ok(())
}

async fn read(dynamodb: &DynamoDb, wanted: &Wanted<'_>, budget: &mut usize) -> Result<Answer, ApiError> {
    let consistent = wanted.request.consistent_read == Some(true);
    let consistency = if consistent { Consistency::Strong } else { Consistency::Eventual };
    let reads: Vec<_> = wanted.rows.iter().map(|row| Read::Get(row.clone())).collect();
    let found = dynamodb.store().read(&reads, consistency).await?;
    let mut answer = Answer { items: Vec::new(), processed: 0, units: 0.0 };
    for mut found in found {
        let row: Option<Row> = found.rows.pop();
        let size = row.as_ref().map_or(Ok(0), |row| codec::size(&row.value))?;
        if size > *budget {
            break;
        }
        *budget -= size;
        answer.processed += 1;
        answer.units += capacity::to_read(size, consistent);
        if let Some(row) = row {
            let item = codec::decode(&row.value)?;
            answer.items.push(match &wanted.projection {
                Some(projection) => projection.pick(&item),
                None => item,
            });
        }
    }
    Ok(answer)
}
