//! The values that attributes have.
//!
//! Invariants: sets are ordered, without duplicates and never empty when they come from a request; a number
//! is exact. Values of one type are ordered as DynamoDB orders them; values of different types never are.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use pagoda_protocol::{ApiError, Decode, Encode, Reader, Schema, Shape, Writer};
use serde::{Deserialize, Serialize};

use crate::generated::schema;
use crate::number::Number;

/// An item: its attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// How deep lists and maps may be nested.
pub(crate) const DEPTH_MAX: usize = 32;
/// What a list or map takes beside its elements, in bytes.
const CONTAINER_BYTES: usize = 3;
/// What each element of a list or map takes beside itself, in bytes.
const ELEMENT_BYTES: usize = 1;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// Text.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Bytes),
    /// A set of texts.
    SS(BTreeSet<String>),
    /// A set of numbers.
    NS(BTreeSet<Number>),
    /// A set of bytes.
    BS(BTreeSet<Bytes>),
    /// Values by name.
    M(Item),
    /// Values in order.
    L(Vec<AttributeValue>),
    /// Nothing, but present.
    Null,
    /// True or false.
    Bool(bool),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // they are the variants of `AttributeValue`
pub enum Type {
    S,
    N,
    B,
    SS,
    NS,
    BS,
    M,
    L,
    Null,
    Bool,
}

impl Type {
    /// All types, in the order of the wire's members.
    pub const ALL: [Self; 10] =
        [Self::S, Self::N, Self::B, Self::SS, Self::NS, Self::BS, Self::M, Self::L, Self::Null, Self::Bool];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::SS => "SS",
            Self::NS => "NS",
            Self::BS => "BS",
            Self::M => "M",
            Self::L => "L",
            Self::Null => "NULL",
            Self::Bool => "BOOL",
        }
    }

    /// Values of the type have an order.
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::S | Self::N | Self::B)
    }
}

impl AttributeValue {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Self::S(_) => Type::S,
            Self::N(_) => Type::N,
            Self::B(_) => Type::B,
            Self::SS(_) => Type::SS,
            Self::NS(_) => Type::NS,
            Self::BS(_) => Type::BS,
            Self::M(_) => Type::M,
            Self::L(_) => Type::L,
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
        }
    }

    /// Bytes that the value counts towards its item's size.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::SS(set) => set.iter().map(String::len).sum(),
            Self::NS(set) => set.iter().map(|number| number.size()).sum(),
            Self::BS(set) => set.iter().map(Bytes::len).sum(),
            Self::M(map) => CONTAINER_BYTES + map.len() * ELEMENT_BYTES + item_size(map),
            Self::L(list) => {
                CONTAINER_BYTES + list.len() * ELEMENT_BYTES + list.iter().map(Self::size).sum::<usize>()
            }
            Self::Null | Self::Bool(_) => 1,
        }
    }

    /// The order of two values of one ordered type.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::S(a), Self::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::N(a), Self::N(b)) => Some(a.cmp(b)),
            (Self::B(a), Self::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Whether lists and maps are nested deeper than `levels`.
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        match self {
            Self::M(map) => levels == 0 || map.values().any(|value| value.is_deeper_than(levels - 1)),
            Self::L(list) => levels == 0 || list.iter().any(|value| value.is_deeper_than(levels - 1)),
            _ => false,
        }
    }
}

/// Bytes that attributes count towards their item's size: names and values.
pub(crate) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// As error messages name a value: `{S:a}`.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}:", self.kind().as_str())?;
        match self {
            Self::S(text) => f.write_str(text)?,
            Self::N(number) => write!(f, "{number}")?,
            Self::Bool(value) => write!(f, "{value}")?,
            Self::Null => f.write_str("true")?,
            _ => f.write_str("...")?,
        }
        f.write_str("}")
    }
}

impl Encode for Number {
    fn write(&self, writer: &mut dyn Writer) {
        writer.string(&self.to_string());
    }
}

/// Writes a set as the list that it is on the wire.
struct Elements<'a, T>(&'a BTreeSet<T>);

impl<T: Encode> Encode for Elements<'_, T> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.list(&mut self.0.iter().map(|element| element as &dyn Encode));
    }
}

impl Encode for AttributeValue {
    fn write(&self, writer: &mut dyn Writer) {
        let index = self.kind() as usize;
        match self {
            Self::S(text) => writer.union(index, text),
            Self::N(number) => writer.union(index, number),
            Self::B(bytes) => writer.union(index, bytes),
            Self::SS(set) => writer.union(index, &Elements(set)),
            Self::NS(set) => writer.union(index, &Elements(set)),
            Self::BS(set) => writer.union(index, &Elements(set)),
            Self::M(map) => writer.union(index, map),
            Self::L(list) => writer.union(index, list),
            Self::Null => writer.union(index, &true),
            Self::Bool(value) => writer.union(index, value),
        }
    }
}

impl Decode for AttributeValue {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        let mut value = None;
        reader.structure(&mut |member, reader| {
            let kind = Type::ALL.get(member).ok_or_else(ApiError::internal)?;
            if value.replace(read_member(*kind, reader)?).is_some() {
                let message = "Supplied AttributeValue has more than one datatypes set, must contain exactly one \
                               of the supported datatypes";
                return Err(ApiError::validation(message));
            }
            Ok(())
        })?;
        value.ok_or_else(|| {
            let message =
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
            ApiError::validation(message)
        })
    }
}

impl Shape for AttributeValue {
    fn schema() -> &'static Schema {
        &schema::ATTRIBUTE_VALUE
    }
}

fn read_member(kind: Type, reader: &mut dyn Reader) -> Result<AttributeValue, ApiError> {
    Ok(match kind {
        Type::S => AttributeValue::S(reader.string()?),
        Type::N => AttributeValue::N(parse(&reader.string()?)?),
        Type::B => AttributeValue::B(reader.blob()?),
        Type::SS => {
            AttributeValue::SS(set(Vec::read(reader)?, "An string set  may not be empty", String::clone)?)
        }
        Type::NS => {
            let texts: Vec<String> = Vec::read(reader)?;
            let numbers = texts.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
            AttributeValue::NS(set(numbers, "An number set  may not be empty", Number::to_string)?)
        }
        Type::BS => AttributeValue::BS(set(Vec::read(reader)?, "Binary sets should not be empty", base64)?),
        Type::M => AttributeValue::M(Item::read(reader)?),
        Type::L => AttributeValue::L(Vec::read(reader)?),
        Type::Null if reader.boolean()? => AttributeValue::Null,
        Type::Null => return Err(invalid("Null attribute value types must have the value of true")),
        Type::Bool => AttributeValue::Bool(reader.boolean()?),
    })
}

fn parse(text: &str) -> Result<Number, ApiError> {
    text.parse().map_err(|error: crate::number::InvalidNumber| ApiError::validation(error.to_string()))
}

pub(crate) fn base64(bytes: &Bytes) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The set of `elements`, of which there is at least one and none twice.
fn set<T: Ord>(elements: Vec<T>, empty: &str, show: impl Fn(&T) -> String) -> Result<BTreeSet<T>, ApiError> {
    const SHOWN_MAX: usize = 100;
    if elements.is_empty() {
        return Err(invalid(empty));
    }
    let count = elements.len();
    let set: BTreeSet<&T> = elements.iter().collect();
    if set.len() < count {
        let shown: Vec<String> = elements.iter().take(SHOWN_MAX).map(show).collect();
        return Err(invalid(&format!("Input collection [{}] contains duplicates.", shown.join(", "))));
    }
    Ok(elements.into_iter().collect())
}

/// 400 `ValidationException` in the words that most of them begin with.
pub(crate) fn invalid(what: &str) -> ApiError {
    ApiError::validation(format!("One or more parameter values were invalid: {what}"))
}
