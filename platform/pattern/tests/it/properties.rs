//! What holds for every text and every event.

use pagoda_pattern::Pattern;
use proptest::prelude::*;
use serde_json::json;

/// The textbook's matcher, by dynamic programming.
fn reference(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=text.len()).any(|at| reference(rest, &text[at..])),
        (Some((wanted, rest)), Some((character, more))) => wanted == character && reference(rest, more),
        _ => false,
    }
}

proptest! {
    #[test]
    fn wildcards_match_as_in_the_textbook(pattern in "[ab]{0,3}(\\*[ab]{1,3}){0,3}\\*?", text in "[ab]{0,12}") {
        let matches = Pattern::from_value(&json!({ "k": [{ "wildcard": pattern }] })).unwrap()
            .matches(&json!({ "k": text }));
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches, reference(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn a_value_and_all_but_it_exclude_each_other(wanted in ".{0,8}", text in ".{0,8}") {
        let event = json!({ "k": text });
        let with = |rule| Pattern::from_value(&json!({ "k": [rule] })).unwrap().matches(&event);
        prop_assert_eq!(with(json!(wanted)), !with(json!({ "anything-but": wanted })));
    }

    #[test]
    fn no_text_makes_it_panic(text in r#"[\[\]{}",:a-c$or0-9. -]{0,60}"#) {
        let _ = Pattern::parse(&text);
    }
}

#[test]
fn hostile_wildcards_end_at_once() {
    let wildcard = "*a".repeat(2_000) + "*b";
    let pattern = Pattern::from_value(&json!({ "k": [{ "wildcard": wildcard }] })).unwrap();
    assert!(!pattern.matches(&json!({ "k": "a".repeat(200_000) })));
}
