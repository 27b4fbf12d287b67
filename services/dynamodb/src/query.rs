//! Query

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Condition, Expected, KeyCondition, Projection, Scope};
use crate::generated as g;
use crate::get_item::selected;
use crate::key::Span;
use crate::known::Open;
use crate::page::{Reading, counts_only};
use crate::throughput::Direction;
use crate::value::{AttributeValue, Item};
use crate::{DynamoDb, capacity, key};

pub(crate) async fn query(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::QueryInput,
) -> Result<g::QueryOutput, ApiError> {
    let (filter, projection) = (input.filter_expression.as_deref(), input.projection_expression.as_deref());
    let text = input.key_condition_expression.as_deref();
    let with_values = text.is_some() || filter.is_some();
    let missing = "KeyConditionExpression and FilterExpression are null";
    let expected = Expected { any: with_values || projection.is_some(), with_values, missing };
    let (names, values) = (&input.expression_attribute_names, &input.expression_attribute_values);
    let mut scope = Scope::new(names.as_ref(), values.as_ref(), &expected)?;
    let wanted = KeyCondition::parse(text, &mut scope)?;
    let filter = Condition::parse("FilterExpression", filter, &mut scope)?;
    let projection = Projection::parse(projection, &mut scope)?;
    let count_only = counts_only(input.select, projection.is_some())?;
    let ask = Ask {
        action: "dynamodb:Query",
        attributes: scope.finish()?.into_iter().collect(),
        select: input.select.or(Some(selected(projection.is_some()))),
        return_consumed_capacity: input.return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &Open| {
        let partition = partition_of(&wanted, table).ok().and_then(|(hash, _)| key::as_text(hash));
        partition.into_iter().collect()
    };
    let table = dynamodb.admit(cx, &input.table_name, &ask, leading).await?;
    let (hash, range) = partition_of(&wanted, &table)?;
    for attribute in table.key_attributes() {
        if filter.as_ref().is_some_and(|filter| filter.mentions(&attribute.name)) {
            let message =
                "Filter Expression can only contain non-primary key attributes: Primary key attribute";
            return Err(ApiError::validation(format!("{message}: {}", attribute.name)));
        }
    }
    let reverse = input.scan_index_forward == Some(false);
    let span = table.span(hash, range)?;
    let span = match &input.exclusive_start_key {
        Some(start) => behind(&table, span, start, hash, reverse)?,
        None => span,
    };
    dynamodb.throughput.admit(&table, Direction::Read, cx.now)?;
    let consistent = input.consistent_read == Some(true);
    let limit = input.limit.map(|limit| limit.unsigned_abs() as usize);
    let reading = Reading { span, reverse, consistent, limit, filter, projection, count_only };
    let page = dynamodb.read(&table, &reading).await?;
    let units = capacity::to_read(page.bytes, consistent);
    dynamodb.throughput.spend(&table, Direction::Read, units, cx.now);
    Ok(g::QueryOutput {
        items: (!count_only).then_some(page.items),
        count: Some(i32::try_from(page.count).unwrap_or(i32::MAX)),
        scanned_count: Some(i32::try_from(page.scanned).unwrap_or(i32::MAX)),
        last_evaluated_key: page.last_key,
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
    })
}

type Partition<'a> = (&'a AttributeValue, Option<crate::expression::RangeCondition<'a>>);

fn partition_of<'a>(wanted: &KeyCondition<'a>, table: &Open) -> Result<Partition<'a>, ApiError> {
    let hash = (table.record.hash.name.as_str(), table.record.hash.kind);
    let range = table.record.range.as_ref().map(|range| (range.name.as_str(), range.kind));
    wanted.of_key(hash, range)
}

/// The part of `span` that a page begins with that goes on behind `start`.
fn behind(
    table: &Open,
    span: Span,
    start: &Item,
    hash: &AttributeValue,
    reverse: bool,
) -> Result<Span, ApiError> {
    let refuse = |what: &str| ApiError::validation(format!("The provided starting key is {what}"));
    let row = table
        .row_of(start)
        .map_err(|_| refuse("invalid: The provided key element does not match the schema"))?;
    if start.get(&table.record.hash.name) != Some(hash) {
        return Err(refuse("outside query boundaries based on provided conditions"));
    }
    if row < span.lo || row >= span.hi {
        return Err(refuse("outside query boundaries based on provided conditions"));
    }
    Ok(if reverse { Span { hi: row, ..span } } else { Span { lo: row.successor(), ..span } })
}
