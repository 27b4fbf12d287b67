//! Which items a query reads: one partition, and a range in it.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html>

use pagoda_protocol::ApiError;

use super::condition::{Comparator, Condition, Operand};
use super::scope::Scope;
use crate::value::{AttributeValue, Type, invalid};

const PARAMETER: &str = "KeyConditionExpression";

/// A parsed key condition, not yet matched with a table's key.
#[derive(Debug, PartialEq)]
pub(crate) struct KeyCondition<'a>(Vec<(&'a str, RangeCondition<'a>)>);

/// What is asked of one key attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RangeCondition<'a> {
    /// `= a`
    Equal(&'a AttributeValue),
    /// `< a`
    Less(&'a AttributeValue),
    /// `<= a`
    LessOrEqual(&'a AttributeValue),
    /// `> a`
    Greater(&'a AttributeValue),
    /// `>= a`
    GreaterOrEqual(&'a AttributeValue),
    /// `BETWEEN a AND b`
    Between(&'a AttributeValue, &'a AttributeValue),
    /// `begins_with(a)`
    BeginsWith(&'a AttributeValue),
}

impl<'a> RangeCondition<'a> {
    /// The values that it compares with.
    pub(crate) fn values(self) -> impl Iterator<Item = &'a AttributeValue> {
        let (first, second) = match self {
            Self::Equal(value)
            | Self::Less(value)
            | Self::LessOrEqual(value)
            | Self::Greater(value)
            | Self::GreaterOrEqual(value)
            | Self::BeginsWith(value) => (value, None),
            Self::Between(low, high) => (low, Some(high)),
        };
        std::iter::once(first).chain(second)
    }
}

impl<'a> KeyCondition<'a> {
    /// The condition that a query must have.
    ///
    /// # Errors
    /// `ValidationException` with DynamoDB's description of what is wrong.
    pub(crate) fn parse(text: Option<&'a str>, scope: &mut Scope<'a>) -> Result<Self, ApiError> {
        let condition = Condition::parse(PARAMETER, text, scope)?.ok_or_else(|| {
            let message =
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.";
            ApiError::validation(message)
        })?;
        let mut parts = Vec::new();
        collect(condition, &mut parts)?;
        for (index, (attribute, _)) in parts.iter().enumerate() {
            if parts[..index].iter().any(|(other, _)| other == attribute) {
                return Err(ApiError::validation(
                    "KeyConditionExpressions must only contain one condition per key",
                ));
            }
        }
        Ok(Self(parts))
    }

    /// What is asked of the key attributes `hash` and `range` (with their types).
    ///
    /// # Errors
    /// `ValidationException` when the condition does not suit the key.
    pub(crate) fn of_key(
        &self,
        hash: (&str, Type),
        range: Option<(&str, Type)>,
    ) -> Result<(&'a AttributeValue, Option<RangeCondition<'a>>), ApiError> {
        let find = |wanted: &str| self.0.iter().find(|(name, _)| *name == wanted).map(|(_, part)| *part);
        let missed =
            |name: &str| ApiError::validation(format!("Query condition missed key schema element: {name}"));
        let partition = match find(hash.0) {
            Some(RangeCondition::Equal(value)) => value,
            Some(_) => return Err(ApiError::validation("Query key condition not supported")),
            None => return Err(missed(hash.0)),
        };
        let sort = range.and_then(|(name, _)| find(name));
        if self.0.len() > 1 + usize::from(sort.is_some()) {
            return Err(match range {
                Some((name, _)) if sort.is_none() && self.0.len() == 2 => missed(name),
                _ => ApiError::validation("Query key condition not supported"),
            });
        }
        let kinds = std::iter::once((partition, hash.1));
        let range_kind = range.map_or(hash.1, |(_, kind)| kind);
        let sorts = sort.into_iter().flat_map(RangeCondition::values).map(|value| (value, range_kind));
        if kinds.chain(sorts).any(|(value, kind)| value.kind() != kind) {
            return Err(invalid("Condition parameter type does not match schema type"));
        }
        Ok((partition, sort))
    }
}

fn fail(what: &str) -> ApiError {
    ApiError::validation(what)
}

fn bad_operator(operator: &str) -> ApiError {
    fail(&format!("Invalid operator used in {PARAMETER}: {operator}"))
}

fn collect<'a>(
    condition: Condition<'a>,
    parts: &mut Vec<(&'a str, RangeCondition<'a>)>,
) -> Result<(), ApiError> {
    let part = match condition {
        Condition::And(inner) => return inner.into_iter().try_for_each(|part| collect(part, parts)),
        Condition::Or(_) => return Err(bad_operator("OR")),
        Condition::Not(_) => return Err(bad_operator("NOT")),
        Condition::In(..) => return Err(bad_operator("IN")),
        Condition::Exists(_) => return Err(bad_operator("attribute_exists")),
        Condition::NotExists(_) => return Err(bad_operator("attribute_not_exists")),
        Condition::HasType(..) => return Err(bad_operator("attribute_type")),
        Condition::Contains(..) => return Err(bad_operator("contains")),
        Condition::Compare(comparator, left, right) => comparison(comparator, left, right)?,
        Condition::Between(operand, low, high) => {
            (attribute(&operand)?, RangeCondition::Between(value(&low)?, value(&high)?))
        }
        Condition::BeginsWith(operand, start) => {
            (attribute(&operand)?, RangeCondition::BeginsWith(value(&start)?))
        }
    };
    parts.push(part);
    Ok(())
}

fn comparison<'a>(
    comparator: Comparator,
    left: Operand<'a>,
    right: Operand<'a>,
) -> Result<(&'a str, RangeCondition<'a>), ApiError> {
    let (operand, other, comparator) = match (&left, &right) {
        (Operand::Value(_), Operand::Path(_)) => (right, left, mirrored(comparator)),
        _ => (left, right, comparator),
    };
    let (attribute, value) = (attribute(&operand)?, value(&other)?);
    let part = match comparator {
        Comparator::Equal => RangeCondition::Equal(value),
        Comparator::Less => RangeCondition::Less(value),
        Comparator::LessOrEqual => RangeCondition::LessOrEqual(value),
        Comparator::Greater => RangeCondition::Greater(value),
        Comparator::GreaterOrEqual => RangeCondition::GreaterOrEqual(value),
        Comparator::Unequal => return Err(bad_operator("<>")),
    };
    Ok((attribute, part))
}

fn mirrored(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        same => same,
    }
}

fn attribute<'a>(operand: &Operand<'a>) -> Result<&'a str, ApiError> {
    match operand {
        Operand::Path(path) if path.inside.is_empty() => Ok(path.attribute),
        Operand::Path(_) => Err(fail("KeyConditionExpressions cannot have conditions on nested attributes")),
        Operand::Size(_) => Err(bad_operator("size")),
        Operand::Value(_) => {
            Err(fail(&format!("Invalid condition in {PARAMETER}: No key attribute specified")))
        }
    }
}

fn value<'a>(operand: &Operand<'a>) -> Result<&'a AttributeValue, ApiError> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Path(_) => Err(fail(&format!(
            "Invalid condition in {PARAMETER}: Multiple attribute names used in one condition"
        ))),
        Operand::Size(_) => Err(bad_operator("size")),
    }
}
