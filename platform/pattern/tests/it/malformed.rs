//! What is not a pattern, and how it is said.

use pagoda_pattern::Pattern;

#[test]
fn each_mistake_is_named() {
    let rows = [
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a":{}}"#, "Empty objects are not allowed"),
        (r#"{"a":[]}"#, "Empty arrays are not allowed"),
        (r#"{"a":"x"}"#, "\"a\" must be an object or an array"),
        (r#"{"a":[["x"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a":[{}]}"#, "Empty objects are not allowed"),
        (r#"{"a":[{"like":"x"}]}"#, "Unrecognized match type like"),
        (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a":[{"prefix":1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a":[{"wildcard":"a**b"}]}"#, "Consecutive wildcard characters at pos 1"),
        (r#"{"a":[{"wildcard":"a\\b"}]}"#, "Invalid escape character at pos 1"),
        (r#"{"a":[{"exists":"yes"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a":[{"cidr":"10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"a":[{"numeric":5}]}"#, "Value of numeric must be an array."),
        (r#"{"a":[{"numeric":[]}]}"#, "Invalid member in numeric match: ]"),
        (r#"{"a":[{"numeric":["!",5]}]}"#, "Unrecognized numeric range operator: !"),
        (r#"{"a":[{"numeric":["=","5"]}]}"#, "Value of = must be numeric"),
        (r#"{"a":[{"numeric":[">"]}]}"#, "Value of > must be numeric"),
        (r#"{"a":[{"numeric":["<",5,">",1]}]}"#, "Too many terms in numeric range expression"),
        (r#"{"a":[{"numeric":[">",5,">",1]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a":[{"numeric":[">",5,"<",5]}]}"#, "Bottom must be less than top"),
        (
            r#"{"a":[{"numeric":["=",5000000001]}]}"#,
            "Value must be between -5000000000 and 5000000000, inclusive",
        ),
        (
            r#"{"a":[{"anything-but":["x",1]}]}"#,
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (
            r#"{"a":[{"anything-but":[null]}]}"#,
            "Inside anything but list, start|null|boolean is not supported.",
        ),
        (r#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#, "Unsupported anything-but pattern: numeric"),
        (r#"{"a":[{"anything-but":{"prefix":""}}]}"#, "Null prefix not allowed"),
        (r#"{"$or":[{"a":[1]},{}]}"#, "Empty objects are not allowed"),
    ];
    for (text, expected) in rows {
        assert_eq!(Pattern::parse(text).unwrap_err().to_string(), expected, "{text}");
    }
    assert!(Pattern::parse("{").unwrap_err().to_string().starts_with("EOF"));
}

#[test]
fn alternatives_and_depth_have_limits() {
    let ten = serde_json::json!([
        {"a":[1]},{"a":[2]},{"a":[3]},{"a":[4]},{"a":[5]},{"a":[6]},{"a":[7]},{"a":[8]},{"a":[9]},{"a":[0]}
    ]);
    let nested = |levels: u32| {
        (0..levels).fold(
            serde_json::json!({ "x": ["y"] }),
            |inner, level| serde_json::json!({ format!("l{level}"): inner, "$or": ten }),
        )
    };
    assert!(Pattern::from_value(&nested(3)).is_ok());
    let refused = Pattern::from_value(&nested(4)).unwrap_err().to_string();
    assert_eq!(refused, "Event pattern has more than 1000 $or combinations");
    let deep = (0..120).fold(serde_json::json!({ "a": ["x"] }), |inner, _| serde_json::json!({ "a": inner }));
    assert!(Pattern::from_value(&deep).unwrap_err().to_string().starts_with("Objects are nested"));
}
