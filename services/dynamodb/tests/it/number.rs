//! Numbers: order, text and stored form agree.

use pagoda_dynamodb::number::Number;
use proptest::prelude::*;

/// Digits, the place of the point, and the sign.
fn numbers() -> impl Strategy<Value = Number> {
    ("[0-9]{1,38}", -120i32..80, any::<bool>()).prop_map(|(digits, exponent, negative)| {
        let sign = if negative { "-" } else { "" };
        format!("{sign}{digits}e{exponent}").parse().unwrap()
    })
}

fn encoded(number: Number) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn encoded_numbers_sort_as_numbers(a in numbers(), b in numbers()) {
        prop_assert_eq!(encoded(a).cmp(&encoded(b)), a.cmp(&b));
    }

    #[test]
    fn close_numbers_sort_as_numbers(a in -2_000_000i64..2_000_000, b in -2_000_000i64..2_000_000, e in 0..4) {
        let number = |value: i64| format!("{value}e-{e}").parse::<Number>().unwrap();
        prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        prop_assert_eq!(encoded(number(a)).cmp(&encoded(number(b))), a.cmp(&b));
        prop_assert_eq!(number(a).plus(number(b)), Ok(number(a + b)));
        prop_assert_eq!(number(a).minus(number(b)), Ok(number(a - b)));
    }

    #[test]
    fn numbers_survive_text_and_bytes(number in numbers()) {
        prop_assert_eq!(number.to_string().parse::<Number>(), Ok(number));
        prop_assert_eq!(Number::decode(&encoded(number)), Some(number));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
        let _ = Number::decode(&bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+0-9.eE]{0,60}") {
        let _ = text.parse::<Number>();
    }
}
