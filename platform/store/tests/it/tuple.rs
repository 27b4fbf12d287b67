//! Encoded keys sort as their tuples do.

use std::cmp::Ordering;

use pagoda_store::tuple::{Element, decode};
use pagoda_store::{Key, KeyBuilder, Space, Stamp};
use proptest::collection::vec;
use proptest::prelude::*;

/// The types of a table's key, position by position.
fn shape() -> impl Strategy<Value = Vec<u8>> {
    vec(0u8..5, 0..5)
}

fn element(kind: u8) -> BoxedStrategy<Element> {
    // Small alphabets, so that equal elements, prefixes and zero bytes come up often.
    match kind {
        0 => "[a\u{0}\u{1}é]{0,4}".prop_map(Element::Text).boxed(),
        1 => vec(prop_oneof![Just(0u8), Just(1), Just(0xff), any::<u8>()], 0..5)
            .prop_map(Element::Bytes)
            .boxed(),
        2 => prop_oneof![0u64..3, any::<u64>()].prop_map(Element::U64).boxed(),
        3 => prop_oneof![-2i64..3, any::<i64>()].prop_map(Element::I64).boxed(),
        _ => (0u64..3, 0u16..3).prop_map(|(batch, index)| Element::Stamp(Stamp::new(batch, index))).boxed(),
    }
}

fn tuple(shape: &[u8]) -> impl Strategy<Value = Vec<Element>> + use<> {
    let elements: Vec<_> = shape.iter().map(|kind| element(*kind)).collect();
    let length = elements.len();
    (elements, 0..=length).prop_map(|(mut elements, length)| {
        elements.truncate(length);
        elements
    })
}

fn pair() -> impl Strategy<Value = (Vec<Element>, Vec<Element>)> {
    shape().prop_flat_map(|shape| (tuple(&shape), tuple(&shape)))
}

fn encode(elements: &[Element]) -> Key {
    elements.iter().fold(KeyBuilder::new(Space::Data), KeyBuilder::element).done()
}

/// The order that the encoding promises, written down a second time.
fn order(left: &[Element], right: &[Element]) -> Ordering {
    let elements = left.iter().zip(right).map(|pair| match pair {
        (Element::Text(left), Element::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Element::Bytes(left), Element::Bytes(right)) => left.cmp(right),
        (Element::U64(left), Element::U64(right)) => left.cmp(right),
        (Element::I64(left), Element::I64(right)) => left.cmp(right),
        (Element::Stamp(left), Element::Stamp(right)) => left.cmp(right),
        _ => unreachable!("tuples of one shape"),
    });
    elements.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
}

proptest! {
    #[test]
    fn order_is_kept((left, right) in pair()) {
        prop_assert_eq!(encode(&left).cmp(&encode(&right)), order(&left, &right));
    }

    #[test]
    fn what_is_encoded_is_decoded((elements, _) in pair()) {
        prop_assert_eq!(decode(&encode(&elements).bytes), Ok(elements));
    }

    #[test]
    fn a_prefix_encloses_exactly_its_extensions((prefix, other) in pair()) {
        let (lo, hi) = encode(&prefix).prefix_range();
        let inside = (lo..hi).contains(&encode(&other));
        prop_assert_eq!(inside, other.len() > prefix.len() && other.starts_with(&prefix));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..40)) {
        if let Ok(elements) = decode(&bytes) {
            prop_assert_eq!(&encode(&elements).bytes[..], &bytes[..]);
        }
    }
}
