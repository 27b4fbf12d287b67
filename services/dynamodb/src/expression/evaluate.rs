//! Whether a condition holds for an item.
//!
//! Values of different types are never equal and have no order; what does not exist is unequal to everything.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::condition::{Comparator, Condition, Operand};
use crate::number::Number;
use crate::value::{AttributeValue, Item};

impl Condition<'_> {
    /// Whether it holds for `item`.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(comparator, left, right) => {
                compare(*comparator, left.value(item).as_deref(), right.value(item).as_deref())
            }
            Self::Between(value, low, high) => {
                let value = value.value(item);
                compare(Comparator::GreaterOrEqual, value.as_deref(), low.value(item).as_deref())
                    && compare(Comparator::LessOrEqual, value.as_deref(), high.value(item).as_deref())
            }
            Self::In(value, choices) => {
                let value = value.value(item);
                let is =
                    |choice: &Operand<'_>| choice.value(item).is_some_and(|choice| Some(choice) == value);
                choices.iter().any(is)
            }
            Self::Exists(path) => path.resolve(item).is_some(),
            Self::NotExists(path) => path.resolve(item).is_none(),
            Self::HasType(path, kind) => path.resolve(item).is_some_and(|value| value.kind() == *kind),
            Self::BeginsWith(value, start) => {
                both(value, start, item).is_some_and(|(value, start)| begins_with(&value, &start))
            }
            Self::Contains(value, part) => {
                both(value, part, item).is_some_and(|(value, part)| contains(&value, &part))
            }
        }
    }
}

impl Operand<'_> {
    fn value<'i>(&'i self, item: &'i Item) -> Option<Cow<'i, AttributeValue>> {
        match self {
            Self::Path(path) => path.resolve(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(inner) => {
                let size = size(&*inner.value(item)?)?;
                Some(Cow::Owned(AttributeValue::N(Number::from(size as u64))))
            }
        }
    }
}

fn both<'i>(
    left: &'i Operand<'_>,
    right: &'i Operand<'_>,
    item: &'i Item,
) -> Option<(Cow<'i, AttributeValue>, Cow<'i, AttributeValue>)> {
    left.value(item).zip(right.value(item))
}

fn compare(comparator: Comparator, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return comparator == Comparator::Unequal;
    };
    let order = || left.compare(right);
    match comparator {
        Comparator::Equal => left == right,
        Comparator::Unequal => left != right,
        Comparator::Less => order() == Some(Ordering::Less),
        Comparator::LessOrEqual => order().is_some_and(Ordering::is_le),
        Comparator::Greater => order() == Some(Ordering::Greater),
        Comparator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
    }
}

/// The number of characters, bytes or elements.
fn size(value: &AttributeValue) -> Option<usize> {
    Some(match value {
        AttributeValue::S(text) => text.chars().count(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::SS(set) => set.len(),
        AttributeValue::NS(set) => set.len(),
        AttributeValue::BS(set) => set.len(),
        AttributeValue::M(map) => map.len(),
        AttributeValue::L(list) => list.len(),
        AttributeValue::N(_) | AttributeValue::Null | AttributeValue::Bool(_) => return None,
    })
}

pub(super) fn begins_with(value: &AttributeValue, start: &AttributeValue) -> bool {
    match (value, start) {
        (AttributeValue::S(value), AttributeValue::S(start)) => value.starts_with(&**start),
        (AttributeValue::B(value), AttributeValue::B(start)) => value.starts_with(start),
        _ => false,
    }
}

fn contains(value: &AttributeValue, part: &AttributeValue) -> bool {
    match (value, part) {
        (AttributeValue::S(value), AttributeValue::S(part)) => value.contains(&**part),
        (AttributeValue::B(value), AttributeValue::B(part)) => memchr::memmem::find(value, part).is_some(),
        (AttributeValue::SS(set), AttributeValue::S(part)) => set.contains(part),
        (AttributeValue::NS(set), AttributeValue::N(part)) => set.contains(part),
        (AttributeValue::BS(set), AttributeValue::B(part)) => set.contains(part),
        (AttributeValue::L(list), part) => list.contains(part),
        _ => false,
    }
}
