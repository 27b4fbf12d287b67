//! `numeric`: a number, or a range of them.

use serde_json::Value;

/// Largest size of a number in a pattern.
const SIZE_MAX: f64 = 5_000_000_000.0;

/// An interval; each end belongs to it or does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    low: f64,
    low_open: bool,
    high: f64,
    high_open: bool,
}

impl Range {
    const ALL: Self = Self { low: -SIZE_MAX, low_open: false, high: SIZE_MAX, high_open: false };

    pub(crate) fn has(&self, number: f64) -> bool {
        let above = if self.low_open { number > self.low } else { number >= self.low };
        let below = if self.high_open { number < self.high } else { number <= self.high };
        above && below
    }

    /// Reads `[operator, number]` or `[">" or ">=", low, "<" or "<=", high]`.
    pub(crate) fn parse(terms: &[Value]) -> Result<Self, String> {
        let mut range = Self::ALL;
        let (first, rest) = terms.split_at(terms.len().min(2));
        let operator = range.narrow(first)?;
        if rest.is_empty() {
            return Ok(range);
        }
        if !operator.starts_with('>') {
            return Err("Too many terms in numeric range expression".into());
        }
        let (second, more) = rest.split_at(rest.len().min(2));
        if !range.narrow(second)?.starts_with('<') {
            return Err(format!("Bad numeric range operator: {}", quoted(&second[0])));
        }
        if !more.is_empty() {
            return Err("Too many terms in numeric range expression".into());
        }
        if range.low >= range.high {
            return Err("Bottom must be less than top".into());
        }
        Ok(range)
    }

    fn narrow<'t>(&mut self, term: &'t [Value]) -> Result<&'t str, String> {
        let (operator, number) = match term {
            [] => return Err("Invalid member in numeric match: ]".into()),
            [Value::String(operator)] => return Err(format!("Value of {operator} must be numeric")),
            [Value::String(operator), number] => (operator.as_str(), number),
            [other, ..] => return Err(format!("Invalid member in numeric match: {}", quoted(other))),
        };
        if !["=", "<", "<=", ">", ">="].contains(&operator) {
            return Err(format!("Unrecognized numeric range operator: {operator}"));
        }
        let number = number.as_f64().filter(|_| number.is_number());
        let number = number.ok_or_else(|| format!("Value of {operator} must be numeric"))?;
        if number.abs() > SIZE_MAX {
            return Err(format!("Value must be between {:.0} and {SIZE_MAX:.0}, inclusive", -SIZE_MAX));
        }
        if operator.starts_with(['=', '>']) {
            (self.low, self.low_open) = (number, operator == ">");
        }
        if operator.starts_with(['=', '<']) {
            (self.high, self.high_open) = (number, operator == "<");
        }
        Ok(operator)
    }
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
