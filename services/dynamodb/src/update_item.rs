//! UpdateItem

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Condition, Expected, Scope, Update};
use crate::generated as g;
use crate::known::Open;
use crate::throughput::Direction;
use crate::value::{Item, invalid, item_size};
use crate::write::Next;
use crate::{DynamoDb, capacity, codec, item, key};

const TOO_LARGE: &str = "Item size to update has exceeded the maximum allowed size";

pub(crate) async fn update(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::UpdateItemInput,
) -> Result<g::UpdateItemOutput, ApiError> {
    let any = input.update_expression.is_some() || input.condition_expression.is_some();
    let missing = "UpdateExpression and ConditionExpression are null";
    let expected = Expected { any, with_values: any, missing };
    let (names, values) = (&input.expression_attribute_names, &input.expression_attribute_values);
    let mut scope = Scope::new(names.as_ref(), values.as_ref(), &expected)?;
    let update = Update::parse(input.update_expression.as_deref(), &mut scope)?;
    let text = input.condition_expression.as_deref();
    let condition = Condition::parse("ConditionExpression", text, &mut scope)?;
    let mut attributes = scope.finish()?;
    attributes.extend(input.key.keys().map(String::as_str));
    let ask = Ask {
        action: "dynamodb:UpdateItem",
        attributes: attributes.into_iter().collect(),
        return_values: input.return_values,
        return_consumed_capacity: input.return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &_| key::leading(table, [&input.key]);
    let table = dynamodb.admit(cx, &input.table_name, &ask, leading).await?;
    let row = table.row_of(&input.key)?;
    keeps_key(update.as_ref(), &table)?;
    dynamodb.throughput.admit(&table, Direction::Write, cx.now)?;
    let on_failure = input.return_values_on_condition_check_failure;
    let (old, new) = dynamodb
        .change(&table, &row, |old| {
            item::require(condition.as_ref(), old.as_ref(), on_failure)?;
            let base = old.as_ref().unwrap_or(&input.key);
            let new = match &update {
                Some(update) => update.apply(base)?,
                None => base.clone(),
            };
            item::check(&new, TOO_LARGE)?;
            Ok((Next::Put(codec::encode(&new)), (old, new)))
        })
        .await
        .inspect_err(|_| dynamodb.throughput.spend(&table, Direction::Write, 1.0, cx.now))?;
    let units = capacity::to_write(item_size(&new).max(old.as_ref().map_or(0, item_size)));
    dynamodb.throughput.spend(&table, Direction::Write, units, cx.now);
    Ok(g::UpdateItemOutput {
        attributes: answered(input.return_values, update.as_ref(), old, new),
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
        item_collection_metrics: None,
    })
}

/// Refuses an update of an attribute of the key.
pub(crate) fn keeps_key(update: Option<&Update<'_>>, table: &Open) -> Result<(), ApiError> {
    let mut changed = update.into_iter().flat_map(Update::attributes);
    match changed.find(|name| table.key_attributes().any(|key| key.name == *name)) {
        Some(name) => {
            Err(invalid(&format!("Cannot update attribute {name}. This attribute is part of the key")))
        }
        None => Ok(()),
    }
}

fn answered(
    wanted: Option<g::ReturnValue>,
    update: Option<&Update<'_>>,
    old: Option<Item>,
    new: Item,
) -> Option<Item> {
    let touched = |item: &Item| update.map(|update| update.touched().pick(item));
    match wanted? {
        g::ReturnValue::None => None,
        g::ReturnValue::AllOld => old,
        g::ReturnValue::AllNew => Some(new),
        g::ReturnValue::UpdatedOld => old.as_ref().and_then(touched).filter(|item| !item.is_empty()),
        g::ReturnValue::UpdatedNew => touched(&new).filter(|item| !item.is_empty()),
    }
}
