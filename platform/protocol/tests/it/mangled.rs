//! Whatever comes from the wire, nothing panics; and what we write we read.

use std::collections::BTreeMap;

use pagoda_protocol::sigv4::{Dialect, parse};
use pagoda_protocol::{Body, decode, encode, route};
use proptest::prelude::*;

use crate::sample::{FOREST, Plant, TRACE, Tree, parts};
use crate::{lambda, s3};
use pagoda_protocol::{Operation, Protocol};

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = (
        "[a-z]{3,8}",
        proptest::option::of(1..=10),
        proptest::option::of("\\PC{8,20}"),
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        proptest::option::of(-10_000_000_000_000i64..10_000_000_000_000),
        proptest::option::of(proptest::num::f64::NORMAL),
        proptest::option::of(any::<bool>()),
    );
    let leaf = leaf.prop_map(|(name, count, secret, data, at, share, flag)| Tree {
        name,
        count,
        secret,
        data: data.map(Into::into),
        at: at.map(|milliseconds| pagoda_base::Timestamp::from_millisecond(milliseconds).unwrap()),
        share,
        flag,
        ..Tree::default()
    });
    leaf.prop_recursive(3, 20, 3, |inner| {
        let children = proptest::collection::vec(inner.clone(), 0..3);
        (children, proptest::collection::btree_map("[a-z]{3,8}", inner.clone(), 0..3), inner).prop_map(
            |(children, by_name, tree)| Tree {
                children: Some(children),
                by_name: Some(BTreeMap::from_iter(by_name)),
                ..tree
            },
        )
    })
}

/// A text that is nearly `sample`: pieces of it are cut, doubled or replaced.
fn mangled(sample: &'static str) -> impl Strategy<Value = String> {
    let cut = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), ".{0,4}");
    proptest::collection::vec(cut, 0..4).prop_map(move |cuts| {
        let mut text = sample.to_owned();
        for (from, to, insert) in cuts {
            let from = text.floor_char_boundary(from.index(text.len() + 1));
            let to = text.floor_char_boundary(to.index(text.len() + 1));
            text.replace_range(from.min(to)..from.max(to), &insert);
        }
        text
    })
}

fn read<O: Operation>(service: &'static pagoda_protocol::ServiceSpec, head: &str, body: String) {
    let parts = parts(head);
    let Ok(routed) = route(service, &parts, body.as_bytes()) else { return };
    // Whether it is refused or read does not matter here.
    let _ = decode::<O::Input>(O::SPEC, &routed, &parts, Body::from(body));
}

const JSON: &str = r#"{"Name":"o\u0061k\ud83d\ude00","Colors":["RED"],"Count":1e0,"Children":[{"Name":"oak","Any":{"a":[1]}}],"At":1.5}"#;
const FORM: &str = "Action=Plant&Version=2012-08-10&Name=o%61k&Colors.member.1=RED&ByName.entry.1.key=oak&ByName.entry.1.value.Name=oak";
const XML: &str = "<?xml version=\"1.0\"?><Delete xmlns=\"u\"><Object><Key>a&amp;&#x41;<![CDATA[b]]></Key></Object><!-- c --></Delete>";
const QUERY: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fr%2Fs3%2Faws4_request&X-Amz-Date=20150830T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=ab&X-Amz-Expires=5";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=A/20150830/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=abcdef";

proptest! {
    #[test]
    fn what_is_written_is_read(tree in any_tree()) {
        let bytes = encode(&FOREST, Protocol::AwsJson10, Plant::SPEC, tree.clone(), &TRACE).into_body();
        let head = parts("POST /\nx-amz-target: Forest_20120810.Plant");
        let routed = route(&FOREST, &head, b"").unwrap();
        prop_assert_eq!(decode::<Tree>(Plant::SPEC, &routed, &head, bytes).unwrap(), tree);
    }

    #[test]
    fn mangled_requests_are_read_or_refused(
        json in mangled(JSON), form in mangled(FORM), xml in mangled(XML), text in ".{0,40}",
    ) {
        let json_head = "POST /\nx-amz-target: Forest_20120810.Plant";
        for body in [json, text.clone()] {
            read::<Plant>(&FOREST, json_head, body.clone());
            read::<lambda::CreateFunction>(&lambda::SERVICE, "POST /2015-03-31/functions", body);
        }
        for body in [form, format!("Action=Plant&{text}")] {
            read::<Plant>(&FOREST, "POST /", body);
        }
        for body in [xml, text] {
            read::<s3::DeleteObjects>(&s3::SERVICE, "POST /b?delete", body);
        }
    }

    #[test]
    fn mangled_signatures_are_taken_apart_or_refused(query in mangled(QUERY), header in mangled(AUTHORIZATION)) {
        if let Ok(request) = http::Request::get(format!("/b/k?{query}")).header("host", "h").body(()) {
            let _ = parse(&request.into_parts().0, "s3", Dialect::S3);
        }
        let request = http::Request::get("/").header("host", "h").header("x-amz-date", "20150830T000000Z");
        if let Ok(request) = request.header("authorization", header).body(()) {
            let _ = parse(&request.into_parts().0, "s3", Dialect::Rest);
        }
    }
}
