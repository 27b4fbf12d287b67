//! Numbers as DynamoDB has them: exact decimals of up to 38 significant digits.
//!
//! Invariants: a number has one representation (no trailing zeros in the coefficient, one zero), so equality
//! is equality of the fields; the encoded bytes sort as the numbers do.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Most significant digits.
const DIGITS_MAX: u32 = 38;
const COEFFICIENT_END: u128 = 10u128.pow(DIGITS_MAX);
/// The power of ten of the first digit, from 1E-130 to 9.99E+125.
const MAGNITUDE_MIN: i32 = -130;
const MAGNITUDE_MAX: i32 = 125;

const NEGATIVE: u8 = 0;
const ZERO: u8 = 1;
const POSITIVE: u8 = 2;
/// Ends the digits of a negative number: above every complemented pair, so that fewer digits sort later.
const NEGATIVE_END: u8 = 102;

/// `±coefficient × 10^exponent`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    coefficient: u128,
    exponent: i16,
}

/// The text or the result is no number that DynamoDB keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// It is not written as a number.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    Text(String),
    /// There is no text.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// More than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    Digits,
    /// Beyond ±9.99…E+125.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Nearer to zero than ±1E-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
}

impl Number {
    /// Brings a value into its one representation.
    fn normal(negative: bool, mut coefficient: u128, mut exponent: i64) -> Result<Self, InvalidNumber> {
        if coefficient == 0 {
            return Ok(Self { negative: false, coefficient: 0, exponent: 0 });
        }
        while coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent += 1;
        }
        if coefficient >= COEFFICIENT_END {
            return Err(InvalidNumber::Digits);
        }
        let magnitude = exponent + i64::from(coefficient.ilog10());
        if magnitude > i64::from(MAGNITUDE_MAX) {
            return Err(InvalidNumber::Overflow);
        }
        if magnitude < i64::from(MAGNITUDE_MIN) {
            return Err(InvalidNumber::Underflow);
        }
        let exponent = i16::try_from(exponent).map_err(|_| InvalidNumber::Overflow)?;
        Ok(Self { negative, coefficient, exponent })
    }

    fn digits(self) -> u32 {
        if self.coefficient == 0 { 1 } else { self.coefficient.ilog10() + 1 }
    }

    /// The power of ten of the first digit.
    fn magnitude(self) -> i32 {
        i32::from(self.exponent) + self.digits() as i32 - 1
    }

    /// The coefficient with as many zeros behind it as make 38 digits.
    fn aligned(self) -> u128 {
        self.coefficient * 10u128.pow(DIGITS_MAX - self.digits())
    }

    /// The exact sum.
    ///
    /// # Errors
    /// When it needs more than 38 digits or is out of range.
    pub fn plus(self, other: Self) -> Result<Self, InvalidNumber> {
        if self.coefficient == 0 {
            return Ok(other);
        }
        if other.coefficient == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // The last digit of `low` stays in the sum: what does not fit here would have over 38 digits.
        let scale = 10u128.checked_pow((high.exponent - low.exponent) as u32);
        let scaled =
            scale.and_then(|scale| high.coefficient.checked_mul(scale)).ok_or(InvalidNumber::Digits)?;
        let exponent = i64::from(low.exponent);
        if high.negative == low.negative {
            let sum = scaled.checked_add(low.coefficient).ok_or(InvalidNumber::Digits)?;
            return Self::normal(high.negative, sum, exponent);
        }
        let negative = if scaled >= low.coefficient { high.negative } else { low.negative };
        Self::normal(negative, scaled.abs_diff(low.coefficient), exponent)
    }

    /// The exact difference; errors are those of [`Number::plus`].
    pub fn minus(self, other: Self) -> Result<Self, InvalidNumber> {
        let negated = Self { negative: !other.negative && other.coefficient != 0, ..other };
        self.plus(negated)
    }

    /// What the number counts towards an item's size, in bytes: one for each two digits, and one; a negative
    /// number one more.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub fn size(self) -> usize {
        self.digits().div_ceil(2) as usize + 1 + usize::from(self.negative)
    }

    /// Appends bytes that sort as the numbers do: the sign, the magnitude, the digits two by two.
    pub fn encode(self, bytes: &mut Vec<u8>) {
        if self.coefficient == 0 {
            return bytes.push(ZERO);
        }
        let flip = |byte: u8, end: u8| if self.negative { end - byte } else { byte };
        bytes.push(if self.negative { NEGATIVE } else { POSITIVE });
        bytes.push(flip((self.magnitude() - MAGNITUDE_MIN) as u8, u8::MAX));
        let mut rest = self.aligned();
        let mut unit = 10u128.pow(DIGITS_MAX - 2);
        while rest > 0 {
            bytes.push(flip((rest / unit) as u8 + 1, NEGATIVE_END - 1));
            rest %= unit;
            unit /= 100;
        }
        if self.negative {
            bytes.push(NEGATIVE_END);
        }
    }

    /// Reads what [`Number::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (negative, magnitude, pairs) = match bytes {
            [ZERO] => return Some(Self { negative: false, coefficient: 0, exponent: 0 }),
            [POSITIVE, magnitude, pairs @ ..] => (false, *magnitude, pairs),
            [NEGATIVE, magnitude, pairs @ .., NEGATIVE_END] => (true, u8::MAX - magnitude, pairs),
            _ => return None,
        };
        if pairs.len() > DIGITS_MAX as usize / 2 {
            return None;
        }
        let mut coefficient: u128 = 0;
        for pair in pairs {
            let pair = if negative { (NEGATIVE_END - 1).checked_sub(*pair)? } else { *pair };
            let digits = pair.checked_sub(1).filter(|digits| *digits < 100)?;
            coefficient = coefficient * 100 + u128::from(digits);
        }
        // The first pair always holds the first digit, so the point's place follows from the magnitude.
        let exponent = i64::from(magnitude) + i64::from(MAGNITUDE_MIN) + 1 - 2 * pairs.len() as i64;
        Self::normal(negative, coefficient, exponent).ok().filter(|number| number.coefficient != 0)
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        if text.is_empty() {
            return Err(InvalidNumber::Empty);
        }
        let invalid = || InvalidNumber::Text(text.to_owned());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent).ok_or_else(invalid)?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.as_bytes() {
            [b'-', ..] => (true, &mantissa[1..]),
            [b'+', ..] => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
            return Err(invalid());
        }
        // Zeros in front and behind do not count, however many there are.
        let count = digits().count();
        let trailing = whole.bytes().chain(fraction.bytes()).rev().take_while(|digit| *digit == b'0').count();
        let mut coefficient: u128 = 0;
        for digit in digits().take(count - trailing) {
            // Before the multiplication: ten times a coefficient of 38 digits does not fit.
            if coefficient >= COEFFICIENT_END / 10 {
                return Err(InvalidNumber::Digits);
            }
            coefficient = coefficient * 10 + u128::from(digit - b'0');
        }
        Self::normal(negative, coefficient, exponent - fraction.len() as i64 + trailing as i64)
    }
}

/// The exponent of a number's text. What is too large to count is cut to a value that is out of range anyway.
fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    const BEYOND: i64 = 1_000_000_000_000;
    let value = digits.parse::<i64>().unwrap_or(BEYOND).min(BEYOND);
    Some(if text.starts_with('-') { -value } else { value })
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.coefficient, number.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let by_size = || {
            let magnitudes = self.magnitude().cmp(&other.magnitude());
            let order = magnitudes.then_with(|| self.aligned().cmp(&other.aligned()));
            if self.negative { order.reverse() } else { order }
        };
        sign(self)
            .cmp(&sign(other))
            .then_with(|| if self.coefficient == 0 { Ordering::Equal } else { by_size() })
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::normal(false, u128::from(value), 0).expect("twenty digits are fewer than 38")
    }
}

/// Plain notation without needless zeros, as DynamoDB answers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = self.coefficient.to_string();
        if self.exponent >= 0 {
            return write!(f, "{digits}{}", "0".repeat(self.exponent as usize));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        match digits.len().checked_sub(places) {
            Some(whole) if whole > 0 => write!(f, "{}.{}", &digits[..whole], &digits[whole..]),
            _ => write!(f, "0.{}{digits}", "0".repeat(places - digits.len())),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_have_one_text() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.00e9", "0"),
            ("1", "1"),
            ("+1.0", "1"),
            ("007", "7"),
            ("1e2", "100"),
            ("-12.50", "-12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1E-3", "0.001"),
            ("123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"),
            ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
            ("0e999999999999999999999", "0"),
        ] {
            assert_eq!(number(text).to_string(), expected, "{text}");
        }
        assert_eq!(number("1e-130").to_string().len(), 132);
        assert_eq!(number("9.9999999999999999999999999999999999999e125").to_string().len(), 126);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["a", " 1", "1 ", "1e", "e1", "-", ".", "1.2.3", "NaN", "Infinity", "0x1", "1_0", "--1", "١"]
        {
            assert_eq!(text.parse::<Number>(), Err(InvalidNumber::Text(text.into())), "{text}");
        }
        for (text, error) in [
            ("", InvalidNumber::Empty),
            ("123456789012345678901234567890123456789", InvalidNumber::Digits),
            ("999999999999999999999999999999999999999", InvalidNumber::Digits),
            ("9999999999999999999999999999999999999999999999999999999.5e3", InvalidNumber::Digits),
            ("1e126", InvalidNumber::Overflow),
            ("-1e99999999999999999999", InvalidNumber::Overflow),
            ("1e-131", InvalidNumber::Underflow),
        ] {
            assert_eq!(text.parse::<Number>(), Err(error), "{text}");
        }
    }

    #[test]
    fn sums_are_exact() {
        for (a, b, sum) in [
            ("1", "2", "3"),
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("-5", "3", "-2"),
            ("1e37", "1", "10000000000000000000000000000000000001"),
            ("1e38", "-1", "99999999999999999999999999999999999999"),
            ("0", "-7.5", "-7.5"),
        ] {
            assert_eq!(number(a).plus(number(b)), Ok(number(sum)), "{a} + {b}");
            assert_eq!(number(sum).minus(number(b)), Ok(number(a)), "{sum} - {b}");
        }
        assert_eq!(number("1e38").plus(number("1")), Err(InvalidNumber::Digits));
        assert_eq!(number("1e100").plus(number("1e-100")), Err(InvalidNumber::Digits));
        let most = number("9.9999999999999999999999999999999999999e125");
        assert_eq!(most.plus(most), Err(InvalidNumber::Digits));
        assert_eq!(number("9e125").plus(number("9e125")), Err(InvalidNumber::Overflow));
    }

    #[test]
    fn sizes_follow_the_digits() {
        for (text, bytes) in [("0", 2), ("1", 2), ("12", 2), ("123", 3), ("-1", 3), ("1e100", 2), ("0.25", 2)]
        {
            assert_eq!(number(text).size(), bytes, "{text}");
        }
    }

    #[test]
    fn foreign_bytes_are_no_numbers() {
        for bytes in [&[][..], &[3], &[1, 1], &[2], &[2, 130], &[2, 130, 0], &[2, 130, 101], &[0, 130, 50]] {
            assert_eq!(Number::decode(bytes), None, "{bytes:?}");
        }
    }
}
