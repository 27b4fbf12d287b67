//! TransactGetItems: all items from one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Consistency, Key, Read};

use crate::access::Ask;
use crate::expression::{Expected, Projection, Scope};
use crate::generated as g;
use crate::get_item::selected;
use crate::known::Open;
use crate::throughput::Direction;
use crate::{DynamoDb, capacity, codec, key};

/// All items of an answer together, in bytes.
const BYTES_MAX: usize = 4 * 1024 * 1024;

struct Wanted<'a> {
    table: Arc<Open>,
    row: Key,
    projection: Option<Projection<'a>>,
}

pub(crate) async fn get(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::TransactGetItemsInput,
) -> Result<g::TransactGetItemsOutput, ApiError> {
    let mut wanted = Vec::with_capacity(input.transact_items.len());
    for one in &input.transact_items {
        wanted.push(admit(dynamodb, cx, &one.get).await?);
    }
    let distinct: std::collections::HashSet<_> = wanted.iter().map(|one| &one.row).collect();
    if distinct.len() < wanted.len() {
        let message = "Transaction request cannot include multiple operations on one item";
        return Err(ApiError::validation(message));
    }
    let reads: Vec<_> = wanted.iter().map(|one| Read::Get(one.row.clone())).collect();
    let found = dynamodb.store().read(&reads, Consistency::Strong).await?;
    let mut units: BTreeMap<String, (Arc<Open>, f64)> = BTreeMap::new();
    let (mut responses, mut bytes) = (Vec::with_capacity(wanted.len()), 0);
    for (one, found) in wanted.iter().zip(found) {
        let row = found.rows.into_iter().next();
        let size = row.as_ref().map_or(Ok(0), |row| codec::size(&row.value))?;
        bytes += size;
        let of_table = units.entry(one.table.record.name.clone());
        // A transaction reads everything twice.
        of_table.or_insert_with(|| (Arc::clone(&one.table), 0.0)).1 += 2.0 * capacity::to_read(size, true);
        let item = row.map(|row| codec::decode(&row.value)).transpose()?;
        let item = match &one.projection {
            Some(projection) => item.map(|item| projection.pick(&item)),
            None => item,
        };
        responses.push(g::ItemResponse { item });
    }
    if bytes > BYTES_MAX {
        return Err(ApiError::validation("Transaction request exceeds the maximum size of 4 MB"));
    }
    let mut output = g::TransactGetItemsOutput { responses: Some(responses), consumed_capacity: None };
    for (table, units) in units.values() {
        dynamodb.throughput.spend(table, Direction::Read, *units, cx.now);
        if let Some(consumed) = capacity::consumed(input.return_consumed_capacity, table, *units) {
            output.consumed_capacity.get_or_insert_default().push(consumed);
        }
    }
    Ok(output)
}

async fn admit<'a>(dynamodb: &DynamoDb, cx: &Context, get: &'a g::Get) -> Result<Wanted<'a>, ApiError> {
    let text = get.projection_expression.as_deref();
    let mut scope = Scope::new(get.expression_attribute_names.as_ref(), None, &Expected::projection(text))?;
    let projection = Projection::parse(text, &mut scope)?;
    let mut attributes = scope.finish()?;
    attributes.extend(get.key.keys().map(String::as_str));
    let ask = Ask {
        action: "dynamodb:GetItem",
        attributes: attributes.into_iter().collect(),
        select: Some(selected(projection.is_some())),
        enclosing: Some("TransactGetItems"),
        ..Ask::default()
    };
    let table = dynamodb.admit(cx, &get.table_name, &ask, |table| key::leading(table, [&get.key])).await?;
    let row = table.row_of(&get.key)?;
    dynamodb.throughput.admit(&table, Direction::Read, cx.now)?;
    Ok(Wanted { table, row, projection })
}
