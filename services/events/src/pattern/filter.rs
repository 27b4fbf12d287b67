//! What is asked of one value.

use std::net::IpAddr;

use serde_json::Value;

use super::Invalid;
use super::wildcard::Wildcard;

/// The greatest magnitude of a number, and the names of the filters.
const NUMBER_MAX: f64 = 5e9;
const KNOWN: [&str; 8] =
    ["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr"];

#[derive(Debug)]
pub(super) enum Filter {
    Exactly(Value),
    Exists(bool),
    Text(Text),
    /// None of them.
    AnythingBut(Vec<Filter>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u8),
}

/// What is asked of a text.
#[derive(Debug)]
pub(super) enum Text {
    Prefix(String),
    Suffix(String),
    /// These three are in small letters.
    EqualsIgnoreCase(String),
    PrefixIgnoreCase(String),
    SuffixIgnoreCase(String),
    Wildcard(Wildcard),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Whether this is the name of a filter.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

impl Filter {
    pub(super) fn read(value: &Value) -> Result<Self, Invalid> {
        match value {
            Value::Object(object) => {
                let mut entries = object.iter();
                match (entries.next(), entries.next()) {
                    (Some((name, value)), None) => Self::named(name, value),
                    _ => Err(Invalid("Only one key allowed in match expression".into())),
                }
            }
            Value::Array(_) => {
                Err(Invalid("Match value must be String, number, true, false, or null".into()))
            }
            plain => Ok(Self::Exactly(plain.clone())),
        }
    }

    fn named(name: &str, value: &Value) -> Result<Self, Invalid> {
        match name {
            "exists" => value
                .as_bool()
                .map(Self::Exists)
                .ok_or_else(|| Invalid("exists match pattern must be either true or false.".into())),
            "anything-but" => Ok(Self::AnythingBut(anything_but(value)?)),
            "numeric" => numeric(value).map(Self::Numeric),
            "cidr" => cidr(value),
            _ => Text::read(name, value).map(Self::Text),
        }
    }

    pub(super) fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => value.is_some() == *wanted,
            (_, None) => false,
            // One of several values is enough.
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.matches(Some(item))),
            (Self::AnythingBut(filters), value) => {
                !matches!(value, Some(Value::Object(_)))
                    && !filters.iter().any(|filter| filter.matches(value))
            }
            (Self::Exactly(wanted), Some(value)) => is_same(wanted, value),
            (Self::Numeric(all), Some(value)) => {
                value.as_f64().is_some_and(|value| all.iter().all(|(is, bound)| is.holds(value, *bound)))
            }
            (Self::Text(text), Some(value)) => value.as_str().is_some_and(|value| text.matches(value)),
            (Self::Cidr(network, bits), Some(value)) => {
                let address = value.as_str().and_then(|text| text.parse().ok());
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
        }
    }
}

fn is_same(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted), Some(value)) => wanted == value,
        _ => wanted == value,
    }
}

fn anything_but(value: &Value) -> Result<Vec<Filter>, Invalid> {
    let each = |value: &Value| match value {
        Value::String(_) | Value::Number(_) => Ok(Filter::Exactly(value.clone())),
        _ => Err(Invalid("Value of anything-but must be an array or single string/number value.".into())),
    };
    match value {
        Value::Array(items) if items.is_empty() => Err(Invalid("Empty arrays are not allowed".into())),
        Value::Array(items) => items.iter().map(each).collect(),
        Value::Object(object) => {
            let mut entries = object.iter();
            let (Some((name, value)), None) = (entries.next(), entries.next()) else {
                return Err(Invalid("Only one key allowed in match expression".into()));
            };
            let one = |value| Text::read(name, value).map(Filter::Text);
            match value {
                Value::Array(items) if items.is_empty() => {
                    Err(Invalid("Empty arrays are not allowed".into()))
                }
                Value::Array(items) => items.iter().map(one).collect(),
                single => Ok(vec![one(single)?]),
            }
        }
        single => Ok(vec![each(single)?]),
    }
}

impl Text {
    fn read(name: &str, value: &Value) -> Result<Self, Invalid> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(Invalid(format!("{name} match pattern must be a string"))),
        };
        let of_case = match value {
            Value::Object(object) if object.len() == 1 => object.get("equals-ignore-case"),
            _ => None,
        };
        Ok(match (name, of_case) {
            ("prefix", Some(value)) => Self::PrefixIgnoreCase(text(value)?.to_lowercase()),
            ("suffix", Some(value)) => Self::SuffixIgnoreCase(text(value)?.to_lowercase()),
            ("prefix", None) => Self::Prefix(text(value)?),
            ("suffix", None) => Self::Suffix(text(value)?),
            ("equals-ignore-case", _) => Self::EqualsIgnoreCase(text(value)?.to_lowercase()),
            ("wildcard", _) => Self::Wildcard(Wildcard::parse(&text(value)?)?),
            _ => return Err(Invalid(format!("Unrecognized match type {name}"))),
        })
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Prefix(prefix) => value.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => value.ends_with(suffix.as_str()),
            Self::EqualsIgnoreCase(text) => value.to_lowercase() == *text,
            Self::PrefixIgnoreCase(prefix) => value.to_lowercase().starts_with(prefix.as_str()),
            Self::SuffixIgnoreCase(suffix) => value.to_lowercase().ends_with(suffix.as_str()),
            Self::Wildcard(wildcard) => wildcard.matches(value),
        }
    }
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            "<" => Self::Below,
            "<=" => Self::AtMost,
            ">" => Self::Above,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Equal => value == bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
        }
    }

    fn is_lower_bound(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}

/// One comparison, or a lower bound and then an upper one.
fn numeric(value: &Value) -> Result<Vec<(Comparison, f64)>, Invalid> {
    let invalid = |why: &str| Invalid(why.to_owned());
    let items = value.as_array().ok_or_else(|| invalid("Value of numeric must be an array."))?;
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid("Value of numeric must be numeric."));
    }
    let read = |[operator, bound]: &[Value; 2]| {
        let comparison = operator.as_str().and_then(Comparison::read);
        let comparison = comparison.ok_or_else(|| invalid("Unrecognized numeric range operator"))?;
        let bound = bound.as_f64().ok_or_else(|| invalid("Value of numeric must be numeric."))?;
        if bound.abs() > NUMBER_MAX {
            return Err(invalid("Numeric values must be between -5,000,000,000 and 5,000,000,000"));
        }
        Ok((comparison, bound))
    };
    let all = pairs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    match all.as_slice() {
        [_] => Ok(all),
        [(low, from), (high, to)]
            if low.is_lower_bound() && !high.is_lower_bound() && *high != Comparison::Equal =>
        {
            if from < to {
                Ok(all)
            } else {
                Err(invalid("Bottom must be less than top"))
            }
        }
        [] => Err(invalid("Invalid member in numeric match: ]")),
        _ => Err(invalid("Too many terms in numeric range")),
    }
}

fn cidr(value: &Value) -> Result<Filter, Invalid> {
    let invalid = || Invalid(format!("Malformed CIDR, one '/' required: {value}"));
    let (address, bits) = value.as_str().and_then(|text| text.split_once('/')).ok_or_else(invalid)?;
    let (address, bits): (IpAddr, u8) =
        (address.parse().map_err(|_| invalid())?, bits.parse().map_err(|_| invalid())?);
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    if bits > bits_max { Err(invalid()) } else { Ok(Filter::Cidr(address, bits)) }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let rest = u32::from(width - bits);
    rest >= 128 || (address >> rest) == (network >> rest)
}
