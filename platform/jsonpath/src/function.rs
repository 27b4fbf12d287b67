//! Functions that end a path.

use serde_json::{Value, json};

/// What is made of the value, or of all values, that a path leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Length,
    Keys,
    Concat,
    Min,
    Max,
    Sum,
    Average,
    Deviation,
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "length" | "size" => Self::Length,
            "keys" => Self::Keys,
            "concat" => Self::Concat,
            "min" => Self::Min,
            "max" => Self::Max,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "stddev" => Self::Deviation,
            _ => return None,
        })
    }

    /// Nothing where the value is not of the kind that the function is for.
    pub(crate) fn of(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Length, Value::Array(items)) => Some(json!(items.len())),
            (Self::Length, Value::Object(fields)) => Some(json!(fields.len())),
            (Self::Length, Value::String(text)) => Some(json!(text.encode_utf16().count())),
            (Self::Keys, Value::Object(fields)) => Some(fields.keys().cloned().collect()),
            (Self::Concat, Value::Array(items)) => {
                Some(items.iter().filter_map(Value::as_str).collect::<String>().into())
            }
            (Self::Length | Self::Keys | Self::Concat, _) => None,
            (_, Value::Array(items)) => self.of_numbers(items),
            _ => None,
        }
    }

    /// What is no number does not count.
    fn of_numbers(self, items: &[Value]) -> Option<Value> {
        let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
        let count = numbers.len() as f64;
        let sum: f64 = numbers.iter().sum();
        let result = match self {
            Self::Min => numbers.iter().copied().reduce(f64::min)?,
            Self::Max => numbers.iter().copied().reduce(f64::max)?,
            Self::Sum => sum,
            _ if numbers.is_empty() => return None,
            Self::Deviation => {
                let squares: f64 = numbers.iter().map(|number| number * number).sum();
                (squares / count - (sum / count).powi(2)).max(0.0).sqrt()
            }
            _ => sum / count,
        };
        Some(json!(result))
    }
}
