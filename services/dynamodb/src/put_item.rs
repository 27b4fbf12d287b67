//! PutItem

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Condition, Scope};
use crate::generated as g;
use crate::throughput::Direction;
use crate::value::item_size;
use crate::write::{Next, Write};
use crate::{DynamoDb, capacity, codec, item, key};

const TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";

pub(crate) async fn put(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::PutItemInput,
) -> Result<g::PutItemOutput, ApiError> {
    let wants_old = wants_old(input.return_values)?;
    let expected = item::only_condition(input.condition_expression.as_deref());
    let (names, values) = (&input.expression_attribute_names, &input.expression_attribute_values);
    let mut scope = Scope::new(names.as_ref(), values.as_ref(), &expected)?;
    let text = input.condition_expression.as_deref();
    let condition = Condition::parse("ConditionExpression", text, &mut scope)?;
    let size = item::check(&input.item, TOO_LARGE)?;
    let mut attributes = scope.finish()?;
    attributes.extend(input.item.keys().map(String::as_str));
    let ask = Ask {
        action: "dynamodb:PutItem",
        attributes: attributes.into_iter().collect(),
        return_values: input.return_values,
        return_consumed_capacity: input.return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &_| key::leading(table, [&input.item]);
    let table = dynamodb.admit(cx, &input.table_name, &ask, leading).await?;
    let row = table.row_in(&input.item)?;
    dynamodb.throughput.admit(&table, Direction::Write, cx.now)?;
    let bytes = codec::encode(&input.item);
    let wants_capacity = capacity::is_wanted(input.return_consumed_capacity);
    if condition.is_none() && !wants_old && !wants_capacity && table.record.throughput.is_none() {
        dynamodb.write(&table, vec![Write { row, bytes: Some(bytes) }]).await?;
        return Ok(g::PutItemOutput::default());
    }
    let on_failure = input.return_values_on_condition_check_failure;
    let old = dynamodb
        .change(&table, &row, |old| {
            item::require(condition.as_ref(), old.as_ref(), on_failure)?;
            Ok((Next::Put(bytes.clone()), old))
        })
        .await
        .inspect_err(|_| dynamodb.throughput.spend(&table, Direction::Write, 1.0, cx.now))?;
    let units = capacity::to_write(size.max(old.as_ref().map_or(0, item_size)));
    dynamodb.throughput.spend(&table, Direction::Write, units, cx.now);
    Ok(g::PutItemOutput {
        attributes: old.filter(|_| wants_old),
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
        item_collection_metrics: None,
    })
}

/// Whether the item as it was is to be answered; PutItem and DeleteItem have no other choice.
pub(crate) fn wants_old(wanted: Option<g::ReturnValue>) -> Result<bool, ApiError> {
    match wanted {
        None | Some(g::ReturnValue::None) => Ok(false),
        Some(g::ReturnValue::AllOld) => Ok(true),
        Some(_) => Err(ApiError::validation("Return values set to invalid value")),
    }
}
