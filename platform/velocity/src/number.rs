//! Numbers with a point, as Java writes them.

/// `1.0`, `1.0E10`, `1.0E-4`: with a point always, and with an exponent outside of 10⁻³ to 10⁷.
///
/// Source: <https://docs.oracle.com/javase/8/docs/api/java/lang/Double.html#toString-double->
pub(crate) fn print(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::print;

    #[test]
    fn numbers_look_like_javas() {
        for (value, expected) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-2.5, "-2.5"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.25e10, "1.25E10"),
            (1e-3, "0.001"),
            (1e-4, "1.0E-4"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(print(value), expected);
        }
    }
}
