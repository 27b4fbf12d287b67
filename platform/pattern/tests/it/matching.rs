//! Which events match which patterns.

use pagoda_pattern::Pattern;

#[track_caller]
fn check(pattern: &str, rows: &[(&str, bool)]) {
    let parsed = Pattern::parse(pattern).unwrap();
    for (event, expected) in rows {
        let value = serde_json::from_str(event).unwrap();
        assert_eq!(parsed.matches(&value), *expected, "{pattern} and {event}");
    }
}

#[test]
fn exact_values() {
    check(
        r#"{"a":["x"]}"#,
        &[
            (r#"{"a":"x"}"#, true),
            (r#"{"a":"x","b":1}"#, true),
            (r#"{"a":"X"}"#, false),
            (r#"{"a":["y","x"]}"#, true),
            (r#"{"a":[["y",["x"]]]}"#, true),
            (r#"{"a":[]}"#, false),
            (r#"{"b":"x"}"#, false),
            (r#"{"a":{"x":"x"}}"#, false),
            (r#""x""#, false),
        ],
    );
    check(
        r#"{"a":["x",300,null,true]}"#,
        &[
            (r#"{"a":300}"#, true),
            (r#"{"a":300.0}"#, false),
            (r#"{"a":"300"}"#, false),
            (r#"{"a":null}"#, true),
            (r#"{"a":true}"#, true),
            (r#"{"a":false}"#, false),
            (r#"{}"#, false),
        ],
    );
    check(r#"{"a":[""]}"#, &[(r#"{"a":""}"#, true), (r#"{"a":null}"#, false)]);
}

#[test]
fn nested_fields_are_all_needed() {
    check(
        r#"{"source":["aws.ec2"],"detail":{"state":["running","stopped"],"n":{"m":[1]}}}"#,
        &[
            (r#"{"source":"aws.ec2","detail":{"state":"stopped","n":{"m":1}}}"#, true),
            (r#"{"source":"aws.ec2","detail":{"state":"stopped","n":{"m":2}}}"#, false),
            (r#"{"source":"aws.ec2","detail":"stopped"}"#, false),
            (r#"{"source":"aws.s3","detail":{"state":"stopped","n":{"m":1}}}"#, false),
        ],
    );
}

#[test]
fn one_element_of_an_array_matches_by_itself() {
    check(
        r#"{"a":{"x":["1"],"y":["2"]}}"#,
        &[
            (r#"{"a":[{"x":"1","y":"2"},{"x":"3"}]}"#, true),
            (r#"{"a":[{"x":"1","y":"3"},{"x":"3","y":"2"}]}"#, false),
        ],
    );
}

#[test]
fn texts() {
    check(
        r#"{"a":[{"prefix":"eu-"}]}"#,
        &[(r#"{"a":"eu-west-1"}"#, true), (r#"{"a":"EU-west-1"}"#, false), (r#"{"a":1}"#, false)],
    );
    check(
        r#"{"a":[{"prefix":{"equals-ignore-case":"EU-"}}]}"#,
        &[(r#"{"a":"eU-west"}"#, true), (r#"{"a":"us-west"}"#, false)],
    );
    check(r#"{"a":[{"suffix":".png"}]}"#, &[(r#"{"a":"x.png"}"#, true), (r#"{"a":"x.PNG"}"#, false)]);
    check(
        r#"{"a":[{"suffix":{"equals-ignore-case":".png"}}]}"#,
        &[(r#"{"a":"x.PnG"}"#, true), (r#"{"a":"png"}"#, false)],
    );
    check(
        r#"{"a":[{"equals-ignore-case":"Alice"}]}"#,
        &[(r#"{"a":"ALICE"}"#, true), (r#"{"a":"ALICES"}"#, false)],
    );
    check(r#"{"a":[{"prefix":""}]}"#, &[(r#"{"a":""}"#, true), (r#"{"a":"b"}"#, true), (r#"{}"#, false)]);
}

#[test]
fn wildcards() {
    let rows: &[(&str, &str, bool)] = &[
        ("dir/*.png", "dir/a.png", true),
        ("dir/*.png", "dir/.png", true),
        ("dir/*.png", "dir/a.jpg", false),
        ("*", "", true),
        ("*a*b*", "xxaxxbxx", true),
        ("*a*b*", "xxbxxaxx", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("ab*ba", "aba", false),
        (r"a\*b", "a*b", true),
        (r"a\*b", "axb", false),
        (r"a\\*b", r"a\xb", true),
        ("none", "none", true),
        ("none", "nones", false),
        ("é*é", "éxé", true),
    ];
    for (wildcard, text, expected) in rows {
        let pattern = serde_json::json!({ "a": [{ "wildcard": wildcard }] });
        let matches = Pattern::from_value(&pattern).unwrap().matches(&serde_json::json!({ "a": text }));
        assert_eq!(matches, *expected, "{wildcard} {text}");
    }
}

#[test]
fn anything_but() {
    check(
        r#"{"a":[{"anything-but":"x"}]}"#,
        &[
            (r#"{"a":"y"}"#, true),
            (r#"{"a":"x"}"#, false),
            (r#"{"a":1}"#, true),
            (r#"{"b":1}"#, false),
            (r#"{"a":["x","y"]}"#, true),
            (r#"{"a":["x"]}"#, false),
        ],
    );
    check(r#"{"a":[{"anything-but":[100,200]}]}"#, &[(r#"{"a":100}"#, false), (r#"{"a":300}"#, true)]);
    check(r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, &[(r#"{"a":"xy"}"#, false), (r#"{"a":"yx"}"#, true)]);
    check(
        r#"{"a":[{"anything-but":{"suffix":["x","y"]}}]}"#,
        &[(r#"{"a":"ay"}"#, false), (r#"{"a":"xz"}"#, true)],
    );
    check(
        r#"{"a":[{"anything-but":{"wildcard":"*/lib/*"}}]}"#,
        &[(r#"{"a":"a/lib/b"}"#, false), (r#"{"a":"a/b"}"#, true)],
    );
    check(
        r#"{"a":[{"anything-but":{"equals-ignore-case":["x","y"]}}]}"#,
        &[(r#"{"a":"Y"}"#, false), (r#"{"a":"z"}"#, true)],
    );
}

#[test]
fn numbers() {
    check(
        r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#,
        &[
            (r#"{"a":0}"#, false),
            (r#"{"a":0.1}"#, true),
            (r#"{"a":5}"#, true),
            (r#"{"a":5.1}"#, false),
            (r#"{"a":"3"}"#, false),
        ],
    );
    check(r#"{"a":[{"numeric":["=",300]}]}"#, &[(r#"{"a":3.0e2}"#, true), (r#"{"a":301}"#, false)]);
    check(r#"{"a":[{"numeric":["<",10]}]}"#, &[(r#"{"a":-7}"#, true), (r#"{"a":10}"#, false)]);
    check(r#"{"a":[{"numeric":[">=",-1]}]}"#, &[(r#"{"a":-1}"#, true), (r#"{"a":-2}"#, false)]);
}

#[test]
fn existence_is_that_of_leaves() {
    check(
        r#"{"a":{"b":[{"exists":true}]}}"#,
        &[(r#"{"a":{"b":null}}"#, true), (r#"{"a":{"b":{"c":1}}}"#, false), (r#"{"a":{}}"#, false)],
    );
    check(
        r#"{"a":{"b":[{"exists":false}]},"s":["x"]}"#,
        &[
            (r#"{"a":{"b":1},"s":"x"}"#, false),
            (r#"{"a":{"c":1},"s":"x"}"#, true),
            (r#"{"s":"x"}"#, true),
            (r#"{"a":[],"s":"x"}"#, true),
        ],
    );
    check(
        r#"{"a":[{"exists":false},"x"]}"#,
        &[(r#"{}"#, true), (r#"{"a":"x"}"#, true), (r#"{"a":"y"}"#, false)],
    );
}

#[test]
fn addresses() {
    check(
        r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#,
        &[
            (r#"{"a":"10.0.0.255"}"#, true),
            (r#"{"a":"10.0.1.0"}"#, false),
            (r#"{"a":"::1"}"#, false),
            (r#"{"a":"x"}"#, false),
        ],
    );
    check(
        r#"{"a":[{"cidr":"2001:db8::/32"}]}"#,
        &[(r#"{"a":"2001:db8:1::1"}"#, true), (r#"{"a":"2001:db9::1"}"#, false)],
    );
    check(r#"{"a":[{"cidr":"0.0.0.0/0"}]}"#, &[(r#"{"a":"255.1.2.3"}"#, true)]);
}

#[test]
fn alternatives() {
    check(
        r#"{"s":["x"],"$or":[{"a":[1]},{"b":{"c":[2]}},{"$or":[{"d":[3]},{"e":[4]}]}]}"#,
        &[
            (r#"{"s":"x","a":1}"#, true),
            (r#"{"s":"x","b":{"c":2}}"#, true),
            (r#"{"s":"x","e":4}"#, true),
            (r#"{"s":"y","a":1}"#, false),
            (r#"{"s":"x","a":2}"#, false),
        ],
    );
    check(
        r#"{"detail":{"$or":[{"a":[1]},{"b":[2]}]}}"#,
        &[(r#"{"detail":{"b":2}}"#, true), (r#"{"detail":{"b":1}}"#, false)],
    );
    check(r#"{"$or":["x"]}"#, &[(r#"{"$or":"x"}"#, true)]);
}
