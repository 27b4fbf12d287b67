//! Listings, against a model that knows nothing of pages.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use crate::world::World;

/// Keys and common prefixes in their order, as one list.
fn model(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after) {
        let line = match key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => &key[..prefix.len() + at + delimiter.len()],
            None => key,
        };
        if line != after && lines.last().map(String::as_str) != Some(line) {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// All pages of a listing, each of at most `max` lines.
async fn pages(world: &World, query: &str, first: bool, max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut marker = String::new();
    loop {
        let uri = format!("/bucket?{query}&max-keys={max}{marker}");
        let page = world.send("GET", &uri, &[], "").await.ok();
        let mut found: Vec<String> = page.elements("Key").into_iter().map(str::to_owned).collect();
        let common = page.elements("CommonPrefixes").into_iter();
        found.extend(common.map(|p| p.replace("<Prefix>", "").replace("</Prefix>", "")));
        found.sort();
        assert!(found.len() <= max);
        let is_truncated = page.element("IsTruncated") == "true";
        let next = match first {
            true if !page.element("NextMarker").is_empty() => page.element("NextMarker").to_owned(),
            true => found.last().cloned().unwrap_or_default(),
            false => page.element("NextContinuationToken").to_owned(),
        };
        lines.extend(found);
        if !is_truncated {
            return lines;
        }
        let name = if first { "marker" } else { "continuation-token" };
        marker = format!("&{name}={}", encoded(&next));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn listings_are_those_of_the_model(
        keys in prop::collection::btree_set("[ab/é]{1,5}", 0..40),
        prefix in "[ab/]{0,2}",
        delimiter in prop::sample::select(vec!["", "/", "a", "ab", "é"]),
        after in "[ab/]{0,3}",
        max in 1usize..5,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::with_bucket().await;
            for key in &keys {
                world.send("PUT", &format!("/bucket/{}", encoded(key)), &[], "").await.ok();
            }
            let question = format!("prefix={}&delimiter={}", encoded(&prefix), encoded(delimiter));
            let expected = model(&keys, &prefix, delimiter, &after);
            let second = format!("list-type=2&{question}&start-after={}", encoded(&after));
            assert_eq!(pages(&world, &second, false, max).await, expected);
            assert_eq!(pages(&world, &second, false, 1000).await, expected);
            if after.is_empty() {
                assert_eq!(pages(&world, &question, true, max).await, expected);
            }
        });
    }
}

#[tokio::test]
async fn a_page_says_what_it_is() {
    let world = World::with_bucket().await;
    for key in ["a b", "c/d"] {
        world.send("PUT", &format!("/bucket/{}", encoded(key)), &[], "12345").await.ok();
    }
    let uri = "/bucket?list-type=2&delimiter=/&encoding-type=url&fetch-owner=true";
    let page = world.send("GET", uri, &[], "").await.ok();
    assert_eq!(page.element("Key"), "a%20b");
    assert_eq!((page.element("Size"), page.element("KeyCount")), ("5", "2"));
    assert_eq!((page.element("EncodingType"), page.element("MaxKeys")), ("url", "1000"));
    assert_eq!(page.element("LastModified"), "2026-01-01T00:00:00.000Z");
    assert_eq!(page.element("ID").len(), 64);
    let none = world.send("GET", "/bucket?list-type=2&max-keys=0", &[], "").await.ok();
    assert_eq!((none.element("KeyCount"), none.element("IsTruncated")), ("0", "false"));
    for uri in [
        "/bucket?list-type=2&max-keys=-1",
        "/bucket?max-keys=x",
        "/bucket?list-type=2&continuation-token=***",
    ] {
        world.send("GET", uri, &[], "").await.refused(400, "InvalidArgument");
    }
}
