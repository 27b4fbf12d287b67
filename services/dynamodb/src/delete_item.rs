//! DeleteItem

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Condition, Scope};
use crate::generated as g;
use crate::put_item::wants_old;
use crate::throughput::Direction;
use crate::value::item_size;
use crate::write::{Next, Write};
use crate::{DynamoDb, capacity, item, key};

pub(crate) async fn delete(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::DeleteItemInput,
) -> Result<g::DeleteItemOutput, ApiError> {
    let wants_old = wants_old(input.return_values)?;
    let text = input.condition_expression.as_deref();
    let expected = item::only_condition(text);
    let (names, values) = (&input.expression_attribute_names, &input.expression_attribute_values);
    let mut scope = Scope::new(names.as_ref(), values.as_ref(), &expected)?;
    let condition = Condition::parse("ConditionExpression", text, &mut scope)?;
    let mut attributes = scope.finish()?;
    attributes.extend(input.key.keys().map(String::as_str));
    let ask = Ask {
        action: "dynamodb:DeleteItem",
        attributes: attributes.into_iter().collect(),
        return_values: input.return_values,
        return_consumed_capacity: input.return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &_| key::leading(table, [&input.key]);
    let table = dynamodb.admit(cx, &input.table_name, &ask, leading).await?;
    let row = table.row_of(&input.key)?;
    dynamodb.throughput.admit(&table, Direction::Write, cx.now)?;
    let wants_capacity = capacity::is_wanted(input.return_consumed_capacity);
    if condition.is_none() && !wants_old && !wants_capacity && table.record.throughput.is_none() {
        dynamodb.write(&table, vec![Write { row, bytes: None }]).await?;
        return Ok(g::DeleteItemOutput::default());
    }
    let on_failure = input.return_values_on_condition_check_failure;
    let old = dynamodb
        .change(&table, &row, |old| {
            item::require(condition.as_ref(), old.as_ref(), on_failure)?;
            Ok((if old.is_some() { Next::Delete } else { Next::Keep }, old))
        })
        .await
        .inspect_err(|_| dynamodb.throughput.spend(&table, Direction::Write, 1.0, cx.now))?;
    let units = capacity::to_write(old.as_ref().map_or(0, item_size));
    dynamodb.throughput.spend(&table, Direction::Write, units, cx.now);
    Ok(g::DeleteItemOutput {
        attributes: old.filter(|_| wants_old),
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
        item_collection_metrics: None,
    })
}
