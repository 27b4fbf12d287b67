//! GetItem

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::access::Ask;
use crate::expression::{Expected, Projection, Scope};
use crate::generated as g;
use crate::throughput::Direction;
use crate::{DynamoDb, capacity, codec, key};

pub(crate) async fn get(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::GetItemInput,
) -> Result<g::GetItemOutput, ApiError> {
    let text = input.projection_expression.as_deref();
    let mut scope = Scope::new(input.expression_attribute_names.as_ref(), None, &Expected::projection(text))?;
    let projection = Projection::parse(text, &mut scope)?;
    let mut attributes = scope.finish()?;
    attributes.extend(input.key.keys().map(String::as_str));
    let ask = Ask {
        action: "dynamodb:GetItem",
        attributes: attributes.into_iter().collect(),
        select: Some(selected(projection.is_some())),
        return_consumed_capacity: input.return_consumed_capacity,
        ..Ask::default()
    };
    let leading = |table: &_| key::leading(table, [&input.key]);
    let table = dynamodb.admit(cx, &input.table_name, &ask, leading).await?;
    let row = table.row_of(&input.key)?;
    dynamodb.throughput.admit(&table, Direction::Read, cx.now)?;
    let found = dynamodb.store().get(&row).await?;
    let size = found.as_ref().map_or(Ok(0), |found| codec::size(&found.value))?;
    let units = capacity::to_read(size, input.consistent_read == Some(true));
    dynamodb.throughput.spend(&table, Direction::Read, units, cx.now);
    let item = found.map(|found| codec::decode(&found.value)).transpose()?;
    Ok(g::GetItemOutput {
        item: match projection {
            Some(projection) => item.map(|item| projection.pick(&item)),
            None => item,
        },
        consumed_capacity: capacity::consumed(input.return_consumed_capacity, &table, units),
    })
}

/// What a read without a `Select` of its own selects.
pub(crate) fn selected(is_projected: bool) -> g::Select {
    if is_projected { g::Select::SpecificAttributes } else { g::Select::AllAttributes }
}
