//! Scan

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Condition, Expected, Projection, Scope};
use crate::generated as g;
use crate::get_item::selected;
use crate::key::Span;
use crate::known::Open;
use crate::page::{Reading, counts_only};
use crate::throughput::Direction;
use crate::value::Item;
use crate::{DynamoDb, capacity};

pub(crate) async fn scan(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::ScanInput,
) -> Result<g::ScanOutput, ApiError> {
    let (segment, total) = segment(input.segment, input.total_segments)?;
    let (filter, projection) = (input.filter_expression.as_deref(), input.projection_expression.as_deref());
    let with_values = filter.is_some();
    let any = with_values || projection.is_some();
    let expected = Expected { any, with_values, missing: "FilterExpression is null" };
    let (names, values) = (&input.expression_attribute_names, &input.expression_attribute_values);
    let mut scope = Scope::new(names.as_ref(), values.as_ref(), &expected)?;
    let filter = Condition::parse("FilterExpression", filter, &mut scope)?;
    let projection = Projection::parse(projection, &mut scope)?;
    let count_only = counts_only(input.select, projection.is_some())?;
    let ask = Ask {
        action: "dynamodb:Scan",
        attributes: scope.finish()?.into_iter().collect(),
        select: input.select.or(Some(selected(projection.is_some()))),
        return_consumed_capacity: input.return_consumed_capacity,
        full_scan: true,
        ..Ask::default()
    };
    let table = dynamodb.admit(cx, &input.table_name, &ask, |_| Vec::new()).await?;
    let span = table.segment(segment, total);
    let span = match &input.exclusive_start_key {
        Some(start) => behind(&table, span, start, segment, total)?,
        None => span,
    };
    dynamodb.throughput.admit(&table, Direction::Read, cx.now)?;
    let consistent = input.consistent_read == Some(true);
    let limit = input.limit.map(|limit| limit.unsigned_abs() as usize);
    let reading = Reading { span, reverse: false, consistent, limit, filter, projection, count_only };
    let page = dynamodb.read(&table, &reading).await?;
    let units = capacity::to_read(page.bytes, consistent);
    dynamodb.throughput.spend(&table, Direction::Read, units, cx.now);
    Ok(g::ScanOutput {
        items: (!count_only).then_some(page.items),
        count: Some(i32::try_from(page.count).unwrap_or(i32::MAX)),
        scanned_count: Some(i32::try_from(page.scanned).unwrap_or(i32::MAX)),
        last_evaluated_key: page.last_key,
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
    })
}

/// The segment and the number of segments; without either, the only one of one.
fn segment(segment: Option<i32>, total: Option<i32>) -> Result<(u32, u32), ApiError> {
    match (segment, total) {
        (None, None) => Ok((0, 1)),
        (None, Some(_)) => Err(ApiError::validation(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
             present",
        )),
        (Some(_), None) => Err(ApiError::validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
             present",
        )),
        (Some(segment), Some(total)) if segment >= total => Err(ApiError::validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is \
             not less than TotalSegments: {total}"
        ))),
        (Some(segment), Some(total)) => Ok((segment.unsigned_abs(), total.unsigned_abs())),
    }
}

/// The part of `span` behind `start`.
fn behind(table: &Open, span: Span, start: &Item, segment: u32, total: u32) -> Result<Span, ApiError> {
    let refuse = |what: &str| ApiError::validation(format!("The provided starting key is invalid: {what}"));
    let row =
        table.row_of(start).map_err(|_| refuse("The provided key element does not match the schema"))?;
    if row < span.lo || row >= span.hi {
        return Err(refuse(&format!(
            "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: {total} \
             Segment: {segment}"
        )));
    }
    Ok(Span { lo: row.successor(), ..span })
}
