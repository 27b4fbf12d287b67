//! Paths, and what Jayway's library finds at them (`oracle/Oracle.java`).

use pagoda_jsonpath::Path;
use serde_json::{Value, json};

#[test]
fn paths_lead_where_they_lead_with_jayway() {
    let document: Value = serde_json::from_str(include_str!("oracle/document.json")).unwrap();
    let mut wrong = Vec::new();
    for line in include_str!("jayway-2.0.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let path = row["path"].as_str().unwrap();
        let found = match Path::parse(path) {
            Ok(path) => json!(path.find(&document).unwrap().into_iter().collect::<Vec<_>>()),
            Err(_) => Value::Null,
        };
        if found != row["found"] {
            wrong.push(format!("{path}\n  expected {}\n  found    {found}", row["found"]));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_path_visits_more_than_it_may() {
    let mut nested = json!(1);
    for _ in 0..100 {
        nested = json!([nested, 1]);
    }
    for path in ["$..*..*..*..*..*", "$..[?(@..[?(@..*)])]"] {
        assert!(Path::parse(path).unwrap().find(&nested).is_err(), "{path}");
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_no_path() {
    for path in ["[?(".repeat(1_000), "$[?(".to_owned() + &"(".repeat(1_000), "$.a".repeat(5_000)] {
        assert!(Path::parse(&path).is_err());
    }
}

/// Where Jayway's version 2.0 was mended later, its later versions are followed.
#[test]
fn later_versions() {
    let document = json!({ "a": { "k": 1, "l": 2 }, "s": "abc", "l": [1, 2, 3],
        "t": [{ "n": 1, "l": ["a", "b"] }, { "n": 2, "l": [] }] });
    for (path, expected) in [
        ("$.a.keys()", json!(["k", "l"])),
        ("$.s.length()", json!(3)),
        ("$.a.length()", json!(2)),
        ("$.l.size()", json!(3)),
        ("$.l[?(@ in [1, 3])]", json!([1, 3])),
        ("$.l[?(@ anyof [1])]", json!([])),
        ("$.l[?(@ nin [1, 3])]", json!([2])),
        ("$[\"s\"]", json!("abc")),
        ("$.l[-1]", json!(3)),
        ("$.l.min()", json!(1.0)),
        ("$.l.max()", json!(3.0)),
        ("$.l.avg()", json!(2.0)),
        ("$.l.sum()", json!(6.0)),
        ("$.t[?(@.l contains 'a')].n", json!([1])),
        ("$.t[?(@.l size 2)].n", json!([1])),
        ("$.t[?(@.l empty true)].n", json!([2])),
        ("$.t[?(!(@.x))].n", json!([1, 2])),
    ] {
        let found = Path::parse(path).unwrap().find(&document).unwrap();
        assert_eq!(found.as_deref(), Some(&expected), "{path}");
    }
}
