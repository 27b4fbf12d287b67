//! DynamoDB's expressions: a line for the update, one for the condition, one for the projection, one for the
//! key condition, one for the filter.

use serde_json::{Value, json};

use super::{Target, texts};
use crate::world::World;

pub(crate) const TARGET: Target = Target {
    name: "expression",
    seeds: || {
        texts(&[
            "SET n = if_not_exists(n, :a) + :a, l[0] = :l REMOVE x.y, #n\nattribute_not_exists(x) OR n < :b AND NOT \
             begins_with(s, :s)\nid, n, m.x[1], #n\nid = :s\nsize(s) BETWEEN :a AND :b AND n IN (:a, :b)",
            "ADD n :a\n(n = :a OR (n <> :b)) OR attribute_type(s, :s) OR attribute_not_exists(q)\n#n.x\nid = \
             :s\ncontains(l, :a) AND attribute_exists(l)",
        ])
    },
    words: &[
        "SET ", "REMOVE ", "ADD ", "DELETE ", " AND ", " OR ", "NOT ", "(", ")", "[0]", "[", ":a", "#n", ".",
        ", ",
    ],
    run: |world, input| Box::pin(run(world, input)),
};

async fn run(world: &World, input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let (update, condition, projection, key, filter) = (next(), next(), next(), next(), next());
    let updated = json!({"TableName": "table", "Key": {"id": {"S": "a"}}, "UpdateExpression": update,
        "ConditionExpression": condition});
    let updated =
        world.call("dynamodb", "UpdateItem", filled(updated, &format!("{update} {condition}"))).await;
    let asked = json!({"TableName": "table", "KeyConditionExpression": key, "FilterExpression": filter,
        "ProjectionExpression": projection});
    let used = format!("{projection} {key} {filter}");
    world.call("dynamodb", "Query", filled(asked, &used)).await?;
    match updated {
        // The item of the table has not all that the expressions name.
        Err(error)
            if error.contains("provided expression refers to an attribute that does not exist")
                || error.contains("document path provided in the update expression is invalid") =>
        {
            Ok(())
        }
        updated => updated.map(drop),
    }
}

/// The names and values that `used` mentions, for others are refused.
fn filled(mut input: Value, used: &str) -> Value {
    let values = [
        (":a", json!({"N": "1"})),
        (":b", json!({"N": "20"})),
        (":s", json!({"S": "S"})),
        (":l", json!({"L": [{"N": "1"}]})),
    ];
    let values: serde_json::Map<_, _> = values
        .into_iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, value)| (name.into(), value))
        .collect();
    if !values.is_empty() {
        input["ExpressionAttributeValues"] = values.into();
    }
    if used.contains("#n") {
        input["ExpressionAttributeNames"] = json!({"#n": "name"});
    }
    input
}
