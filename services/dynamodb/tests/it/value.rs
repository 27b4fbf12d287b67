//! Values on the wire and in storage: what goes in comes out, and what is none is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, run};

fn leaf() -> impl Strategy<Value = Value> {
    let sets = proptest::collection::btree_set("[a-z]{1,6}", 1..4);
    prop_oneof![
        ".{0,12}".prop_map(|text| json!({"S": text})),
        any::<i64>().prop_map(|number| json!({"N": number.to_string()})),
        "([A-Za-z0-9+/]{4}){0,4}".prop_map(|text| json!({"B": text})),
        any::<bool>().prop_map(|value| json!({"BOOL": value})),
        Just(json!({"NULL": true})),
        sets.prop_map(|set| json!({"SS": set})),
        proptest::collection::btree_set(0..1000u32, 1..4)
            .prop_map(|set| json!({"NS": set.iter().map(u32::to_string).collect::<Vec<_>>()})),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"L": list})),
            proptest::collection::btree_map("[a-z#. ]{1,5}", inner, 0..4).prop_map(|map| json!({"M": map})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn items_come_back_as_they_were_put(attributes in proptest::collection::btree_map("[b-z]{1,8}", values(), 0..6)) {
        run(async {
            let world = World::new();
            world.table("items", None).await;
            let mut item = json!(attributes);
            item["id"] = json!({"S": "a"});
            world.ok("PutItem", json!({"TableName": "items", "Item": item})).await;
            let answer = world.ok("GetItem", json!({"TableName": "items", "Key": {"id": {"S": "a"}}})).await;
            assert_eq!(answer["Item"], item);
        });
    }
}

#[test]
fn what_is_no_value_is_refused() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let one = "One or more parameter values were invalid: ";
        for (value, message) in [
            (
                json!({}),
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes".to_owned(),
            ),
            (
                json!({"S": "a", "N": "1"}),
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes"
                    .into(),
            ),
            (json!({"NULL": false}), format!("{one}Null attribute value types must have the value of true")),
            (json!({"SS": []}), format!("{one}An string set  may not be empty")),
            (json!({"NS": []}), format!("{one}An number set  may not be empty")),
            (json!({"BS": []}), format!("{one}Binary sets should not be empty")),
            (json!({"SS": ["a", "a"]}), format!("{one}Input collection [a, a] contains duplicates.")),
            (json!({"NS": ["1", "1.0"]}), format!("{one}Input collection [1, 1] contains duplicates.")),
            (json!({"N": "x"}), "The parameter cannot be converted to a numeric value: x".into()),
            (json!({"N": ""}), "The parameter cannot be converted to a numeric value".into()),
            (
                json!({"N": "1e200"}),
                "Number overflow. Attempting to store a number with magnitude larger than supported range".into(),
            ),
        ] {
            let item = json!({"id": {"S": "a"}, "v": value});
            world.invalid("PutItem", json!({"TableName": "items", "Item": item}), &message).await;
        }
    });
}

#[test]
fn nesting_and_size_are_bounded() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let nested = |levels: usize| (0..levels).fold(json!({"N": "1"}), |inner, _| json!({"L": [inner]}));
        let put = |value: Value| json!({"TableName": "items", "Item": {"id": {"S": "a"}, "v": value}});
        world.ok("PutItem", put(nested(32))).await;
        let message = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
                       supported limit";
        world.invalid("PutItem", put(nested(33)), message).await;
        assert_eq!(world.refused("PutItem", put(nested(100))).await.0, "SerializationException");
        // Names count: "id" and "v", and the key's one byte.
        let largest = 400 * 1024 - 4;
        world.ok("PutItem", put(json!({"S": "x".repeat(largest)}))).await;
        let message = "Item size has exceeded the maximum allowed size";
        world.invalid("PutItem", put(json!({"S": "x".repeat(largest + 1)})), message).await;
    });
}
