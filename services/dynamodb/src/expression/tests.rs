//! Expressions by data rows: what they mean, and what is refused in which words.

use serde_json::{Value, json};

use super::*;
use crate::value::{Item, Type};

fn item(json: &Value) -> Item {
    let put: crate::generated::PutItemInput =
        pagoda_protocol::from_json("PutItem", &json!({"TableName": "table", "Item": json})).unwrap();
    put.item
}

fn values() -> Item {
    item(&json!({
        ":s": {"S": "b"}, ":n": {"N": "5"}, ":five": {"N": "5.0"}, ":six": {"N": "6"}, ":b": {"B": "Yg=="},
        ":t": {"S": "S"}, ":bad": {"S": "X"}, ":ss": {"SS": ["a", "z"]}, ":ns": {"NS": ["1", "9"]},
        ":l": {"L": [{"N": "9"}]}, ":m": {"M": {"x": {"N": "1"}}}, ":null": {"NULL": true}, ":true": {"BOOL": true},
        ":a": {"S": "a"}, ":abc": {"S": "abc"}, ":zero": {"N": "0"}, ":size": {"N": "3"}, ":bs": {"BS": ["Yg=="]},
    }))
}

fn names() -> std::collections::BTreeMap<String, String> {
    let names = [("#name", "name"), ("#s", "s"), ("#dot", "a.b"), ("#m", "m")];
    names.map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned())).into()
}

fn subject() -> Item {
    item(&json!({
        "id": {"S": "key"}, "s": {"S": "abc"}, "n": {"N": "5"}, "neg": {"N": "-1"}, "b": {"B": "YWJj"},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["Yg=="]},
        "l": {"L": [{"N": "1"}, {"S": "two"}, {"L": [{"S": "deep"}]}]},
        "m": {"M": {"x": {"N": "1"}, "y": {"M": {"z": {"S": "zz"}}}}},
        "flag": {"BOOL": true}, "nothing": {"NULL": true}, "a.b": {"S": "dotted"}, "name": {"S": "Ada"},
    }))
}

const ANY: Expected = Expected { any: true, with_values: true, missing: "" };

fn holds(text: &str) -> Result<bool, String> {
    let (names, values) = (names(), values());
    let mut scope = Scope::new(Some(&names), Some(&values), &ANY).unwrap();
    let condition = Condition::parse("ConditionExpression", Some(text), &mut scope).map_err(|e| e.message)?;
    Ok(condition.unwrap().holds(&subject()))
}

#[test]
fn conditions_hold() {
    for text in [
        "n = :n",
        "n = :five",
        "n <> :six",
        "n < :six AND n <= :n AND n > :zero AND n >= :n",
        "s > :a and s < :s",
        "n BETWEEN :zero AND :n",
        "n between neg and :six",
        "s IN (:a, :s, :abc)",
        "n IN (:n)",
        "attribute_exists(id)",
        "attribute_exists(m.y.z) AND attribute_not_exists(m.q) AND attribute_not_exists(m.x.z)",
        "attribute_exists(l[2][0]) AND attribute_not_exists(l[3]) AND attribute_not_exists(l[0][0])",
        "attribute_type(s, :t)",
        "NOT attribute_type(n, :t)",
        "begins_with(s, :a)",
        "NOT begins_with(s, :s)",
        "NOT begins_with(n, :a)",
        "contains(s, :s)",
        "contains(b, :b)",
        "contains(ss, :a)",
        "contains(bs, :b)",
        "contains(l, l[0])",
        "NOT contains(ns, :n)",
        "size(s) = :size",
        "size(ss) < size(l)",
        "size(m) < :size",
        "NOT size(n) > :zero",
        "absent <> :n",
        "NOT absent = :n",
        "NOT (absent < :n OR absent >= :n)",
        "s = :n OR n = :n AND s = :abc",
        "NOT s = :n AND n = :n",
        "(s = :n OR n = :n) AND (n = :n)",
        "#name <> :a AND #dot <> :a AND #m.x = l[0] AND m.#s <> :a",
        "flag = :true AND nothing = :null",
        "s <> :n",
        "n = :n\n\tAND\r\n n = :n",
        ":n = n",
        ":a < :s",
    ] {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
    for text in
        ["n = :s", "n < :s", "s < :n", "absent = :n", "n BETWEEN :s AND :s", "l[0] = l[1]", "NOT n = :n"]
    {
        assert_eq!(holds(text), Ok(false), "{text}");
    }
}

#[test]
fn wrong_conditions_are_refused_in_dynamodbs_words() {
    for (text, message) in [
        ("", "The expression can not be empty;"),
        ("  ", "The expression can not be empty;"),
        ("n", "Syntax error; token: \"<EOF>\", near: \"n\""),
        ("n =", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("n = :n n", "Syntax error; token: \"n\", near: \":n n\""),
        ("n == :n", "Syntax error; token: \"=\", near: \"== :n\""),
        ("n @ :n", "Syntax error; token: \"@\", near: \"n @ :n\""),
        ("(n = :n", "Syntax error; token: \"<EOF>\", near: \":n\""),
        ("n = 5", "Syntax error; token: \"5\", near: \"= 5\""),
        ("n BETWEEN :n", "Syntax error; token: \"<EOF>\", near: \":n\""),
        ("n IN :n", "Syntax error; token: \":n\", near: \"IN :n\""),
        ("l[a] = :n", "Syntax error; token: \"a\", near: \"[a]\""),
        ("n = :n OR", "Syntax error; token: \"<EOF>\", near: \"OR\""),
        ("name = :n", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("m.Status = :n", "Attribute name is a reserved keyword; reserved keyword: Status"),
        (
            "#q = :n",
            "An expression attribute name used in the document path is not defined; attribute name: #q",
        ),
        ("n = :q", "An expression attribute value used in expression is not defined; attribute value: :q"),
        ("foo(n)", "Invalid function name; function: foo"),
        ("ATTRIBUTE_EXISTS(n)", "Invalid function name; function: ATTRIBUTE_EXISTS"),
        (
            "list_append(n, :l) = :l",
            "The function is not allowed in a condition expression; function: list_append",
        ),
        (
            "attribute_exists(n) = :n",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        (
            "n = attribute_exists(n)",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        ("size(n)", "The function is not allowed to be used this way in an expression; function: size"),
        (
            "attribute_exists(n, s)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number \
             of operands: 2",
        ),
        (
            "begins_with(s)",
            "Incorrect number of operands for operator or function; operator or function: begins_with, number of \
             operands: 1",
        ),
        (
            "begins_with(s, :n)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "n < :m",
            "Incorrect operand type for operator or function; operator or function: <, operand type: M",
        ),
        (
            "attribute_exists(:n)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_type(n, :bad)",
            "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "n = n",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             =, first operand: [n]",
        ),
        (
            "m.x <> m.x",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             <>, first operand: [m, x]",
        ),
        (
            "n BETWEEN :six AND :n",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
             operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:5}",
        ),
        ("((n = :n))", "The expression has redundant parentheses;"),
        ("((n = :n OR n = :s))", "The expression has redundant parentheses;"),
    ] {
        assert_eq!(holds(text), Err(format!("Invalid ConditionExpression: {message}")), "{text}");
    }
    assert_eq!(holds("((n = :n) AND (n = :n))"), Ok(true));
}

#[test]
fn expressions_are_bounded() {
    let long = format!("n = :n{}", " ".repeat(4096));
    assert!(holds(&long).unwrap_err().contains("maximum allowed size"));
    let many = vec!["n=:n"; 200].join(" OR ");
    assert!(holds(&many).unwrap_err().contains("too many operators"));
    for deep in ["(".repeat(4000), "NOT ".repeat(1000), format!("n={}", "size(".repeat(800))] {
        assert!(holds(&deep).is_err());
    }
    let allowed = vec!["n=:n"; 150].join(" OR ");
    assert_eq!(holds(&allowed), Ok(true));
}

fn updated(text: &str) -> Result<Value, String> {
    let (names, values) = (names(), values());
    let mut scope = Scope::new(Some(&names), Some(&values), &ANY).unwrap();
    let update = Update::parse(Some(text), &mut scope).map_err(|error| error.message)?.unwrap();
    let next = update.apply(&subject()).map_err(|error| error.message)?;
    let output = crate::generated::GetItemOutput { item: Some(next), ..Default::default() };
    Ok(pagoda_protocol::to_json(&output)["Item"].take())
}

#[test]
fn updates_change_what_they_name() {
    for (text, pointer, expected) in [
        ("SET n = :six", "/n", json!({"N": "6"})),
        ("set n = n + :six", "/n", json!({"N": "11"})),
        ("SET n = n - :six", "/n", json!({"N": "-1"})),
        ("SET n = :six - n", "/n", json!({"N": "1"})),
        ("SET n = (n + :six)", "/n", json!({"N": "11"})),
        ("SET q = if_not_exists(q, :n)", "/q", json!({"N": "5"})),
        ("SET n = if_not_exists(n, :six)", "/n", json!({"N": "5"})),
        ("SET n = if_not_exists(q, :zero) + :six", "/n", json!({"N": "6"})),
        ("SET n = neg, neg = n", "/neg", json!({"N": "5"})),
        ("SET q = list_append(if_not_exists(q, :l), :l)", "/q", json!({"L": [{"N": "9"}, {"N": "9"}]})),
        ("SET l = list_append(:l, l)", "/l/L/0", json!({"N": "9"})),
        ("SET l[0] = :s", "/l/L/0", json!({"S": "b"})),
        ("SET l[9] = :s, l[7] = :n", "/l/L/3", json!({"N": "5"})),
        ("SET l[9] = :s, l[7] = :n", "/l/L/4", json!({"S": "b"})),
        ("SET m.y.w = :n", "/m/M/y/M/w", json!({"N": "5"})),
        ("SET #dot = :n", "/a.b", json!({"N": "5"})),
        ("REMOVE n", "/n", Value::Null),
        ("REMOVE m.x, l[0], l[1]", "/l/L/0/L/0", json!({"S": "deep"})),
        ("REMOVE m.x", "/m/M/x", Value::Null),
        ("REMOVE q", "/q", Value::Null),
        ("REMOVE l[17]", "/l/L/0", json!({"N": "1"})),
        ("ADD n :six", "/n", json!({"N": "11"})),
        ("ADD q :six", "/q", json!({"N": "6"})),
        ("ADD ss :ss", "/ss", json!({"SS": ["a", "b", "z"]})),
        ("ADD ns :ns", "/ns", json!({"NS": ["1", "2", "9"]})),
        ("ADD q :ss", "/q", json!({"SS": ["a", "z"]})),
        ("ADD m.x :n", "/m/M/x", json!({"N": "6"})),
        ("DELETE ss :ss", "/ss", json!({"SS": ["b"]})),
        ("DELETE bs :bs", "/bs", Value::Null),
        ("DELETE q :bs", "/q", Value::Null),
        ("SET n = :six REMOVE s ADD neg :n DELETE ss :ss", "/neg", json!({"N": "4"})),
    ] {
        let next = updated(text).unwrap_or_else(|message| panic!("{text}: {message}"));
        assert_eq!(next.pointer(pointer).cloned().unwrap_or_default(), expected, "{text}");
    }
}

#[test]
fn wrong_updates_are_refused() {
    for (text, message) in [
        ("", "Invalid UpdateExpression: The expression can not be empty;"),
        ("n = :n", "Invalid UpdateExpression: Syntax error; token: \"n\", near: \"n =\""),
        ("SET n", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"n\""),
        ("SET n = :n,", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \",\""),
        (
            "SET n = :n SET s = :s",
            "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;",
        ),
        (
            "SET n = size(s)",
            "Invalid UpdateExpression: The function is not allowed in an update expression; function: size",
        ),
        (
            "SET m = :m, m.x = :n",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of \
             these paths; path one: [m], path two: [m, x]",
        ),
        (
            "SET n = :n REMOVE n",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of \
             these paths; path one: [n], path two: [n]",
        ),
        (
            "SET m.x = :n, m[0] = :n",
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of \
             these paths; path one: [m, x], path two: [m, [0]]",
        ),
        (
            "SET n = n + :s",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, \
             operand type: S",
        ),
        (
            "ADD n :s",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: \
             STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE n :n",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand \
             type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        ("SET n = q", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET n = q + :n", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET n = s + :n", "An operand in the update expression has an incorrect data type"),
        ("SET n = list_append(s, :l)", "An operand in the update expression has an incorrect data type"),
        ("ADD s :n", "An operand in the update expression has an incorrect data type"),
        ("ADD ss :ns", "An operand in the update expression has an incorrect data type"),
        ("DELETE n :ns", "An operand in the update expression has an incorrect data type"),
        ("SET q.a = :n", "The document path provided in the update expression is invalid for update"),
        ("SET s.a = :n", "The document path provided in the update expression is invalid for update"),
        ("SET m[0] = :n", "The document path provided in the update expression is invalid for update"),
        ("REMOVE q.a", "The document path provided in the update expression is invalid for update"),
    ] {
        assert_eq!(updated(text), Err(message.into()), "{text}");
    }
}

#[test]
fn projections_keep_what_they_name() {
    let check = |text: &str, expected: Value| {
        let names = names();
        let mut scope = Scope::new(Some(&names), None, &ANY).unwrap();
        let projection = Projection::parse(Some(text), &mut scope).unwrap().unwrap();
        assert_eq!(projection.pick(&subject()), item(&expected), "{text}");
    };
    check("n", json!({"n": {"N": "5"}}));
    check("q", json!({}));
    check("#name, #dot", json!({"name": {"S": "Ada"}, "a.b": {"S": "dotted"}}));
    check("m.y.z", json!({"m": {"M": {"y": {"M": {"z": {"S": "zz"}}}}}}));
    check("l[2], l[0]", json!({"l": {"L": [{"N": "1"}, {"L": [{"S": "deep"}]}]}}));
    check("m.q, l[8], s.a", json!({}));
}

#[test]
fn placeholders_must_be_placeholders_and_used() {
    let check = |names: &[&str], values: &[&str], text: &str, message: &str| {
        let names = names.iter().map(|name| ((*name).to_owned(), "n".to_owned())).collect();
        let values: Item =
            values.iter().map(|value| ((*value).to_owned(), crate::value::AttributeValue::Null)).collect();
        let outcome = Scope::new(Some(&names), Some(&values), &ANY).and_then(|mut scope| {
            Condition::parse("ConditionExpression", Some(text), &mut scope)?;
            scope.finish().map(drop)
        });
        assert_eq!(outcome.unwrap_err().message, message);
    };
    check(
        &["#a", "#b"],
        &[":v"],
        "#b = :v",
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
    );
    check(
        &["#a"],
        &[":v", ":w", ":x"],
        "#a = :w",
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v, :x}",
    );
    check(
        &["a"],
        &[":v"],
        "a = :v",
        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
    );
    check(
        &["#a"],
        &[":"],
        "#a = :v",
        "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\"",
    );
    check(&[], &[":v"], "a = :v", "ExpressionAttributeNames must not be empty");
}

#[test]
fn key_conditions_are_of_the_key() {
    let check = |text: Option<&str>, expected: Result<bool, &str>| {
        let (names, values) = (names(), values());
        let mut scope = Scope::new(Some(&names), Some(&values), &ANY).unwrap();
        let outcome = KeyCondition::parse(text, &mut scope)
            .and_then(|parsed| parsed.of_key(("s", Type::S), Some(("n", Type::N))).map(|(_, r)| r.is_some()));
        assert_eq!(outcome.map_err(|error| error.message), expected.map_err(str::to_owned), "{text:?}");
    };
    check(Some("s = :s"), Ok(false));
    for text in [
        "s = :s AND n = :n",
        "n < :n AND s = :s",
        "(s = :s) AND (n BETWEEN :n AND :six)",
        "#s = :s AND :n >= n",
    ] {
        check(Some(text), Ok(true));
    }
    for (text, message) in [
        ("n = :n", "Query condition missed key schema element: s"),
        ("s = :s AND q = :n", "Query condition missed key schema element: n"),
        ("s < :s", "Query key condition not supported"),
        ("s = :s AND n = :n AND q = :n", "Query key condition not supported"),
        ("s = :s AND s = :a", "KeyConditionExpressions must only contain one condition per key"),
        ("s = :s OR n = :n", "Invalid operator used in KeyConditionExpression: OR"),
        ("s = :s AND n <> :n", "Invalid operator used in KeyConditionExpression: <>"),
        ("s = :s AND contains(n, :n)", "Invalid operator used in KeyConditionExpression: contains"),
        (
            "s = :n",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            "s = :s AND begins_with(n, :s)",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        ("s.a = :s", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (
            "s = n",
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
    ] {
        check(Some(text), Err(message));
    }
    check(
        None,
        Err("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
    );
}
