//! What an update makes of an item.
//!
//! Invariant: all values are computed from the item as it was, before anything changes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use pagoda_protocol::ApiError;

use super::path::{Path, Step};
use super::update::{Action, Term, Update};
use crate::value::{AttributeValue, Item};

impl Update<'_> {
    /// The item that follows from `item`.
    ///
    /// # Errors
    /// `ValidationException` when the update does not suit the item.
    pub(crate) fn apply(&self, item: &Item) -> Result<Item, ApiError> {
        let mut puts = Vec::new();
        let mut removals = Vec::new();
        for (path, action) in &self.actions {
            let value = match action {
                Action::Set(term) => Some(term.value(item)?.into_owned()),
                Action::Add(value) => Some(sum(path.resolve(item), value)?),
                Action::Delete(value) => match path.resolve(item) {
                    Some(old) => difference(old, value)?,
                    None => continue,
                },
                Action::Remove => None,
            };
            match value {
                Some(value) => puts.push((path, value)),
                None => removals.push(path),
            }
        }
        // Elements are set from the front, so that those behind the end are appended in order, and removed
        // from the back, so that the places of the others stay what they were.
        puts.sort_by_key(|(path, _)| *path);
        removals.sort();
        let mut next = item.clone();
        for (path, value) in puts {
            put(&mut next, path, value)?;
        }
        for path in removals.into_iter().rev() {
            remove(&mut next, path)?;
        }
        Ok(next)
    }
}

impl Term<'_> {
    fn value<'i>(&'i self, item: &'i Item) -> Result<Cow<'i, AttributeValue>, ApiError> {
        Ok(match self {
            Self::Value(value) => Cow::Borrowed(value),
            Self::Path(path) => Cow::Borrowed(path.resolve(item).ok_or_else(|| {
                ApiError::validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            })?),
            Self::IfNotExists(path, otherwise) => match path.resolve(item) {
                Some(value) => Cow::Borrowed(value),
                None => otherwise.value(item)?,
            },
            Self::ListAppend(front, back) => {
                let (AttributeValue::L(front), AttributeValue::L(back)) =
                    (&*front.value(item)?, &*back.value(item)?)
                else {
                    return Err(wrong_type());
                };
                Cow::Owned(AttributeValue::L(front.iter().chain(back).cloned().collect()))
            }
            Self::Plus(left, right) | Self::Minus(left, right) => {
                let (AttributeValue::N(left), AttributeValue::N(right)) =
                    (&*left.value(item)?, &*right.value(item)?)
                else {
                    return Err(wrong_type());
                };
                let result =
                    if matches!(self, Self::Plus(..)) { left.plus(*right) } else { left.minus(*right) };
                Cow::Owned(AttributeValue::N(
                    result.map_err(|error| ApiError::validation(error.to_string()))?,
                ))
            }
        })
    }
}

/// What `ADD` makes of a value.
fn sum(old: Option<&AttributeValue>, value: &AttributeValue) -> Result<AttributeValue, ApiError> {
    use AttributeValue::{BS, N, NS, SS};
    Ok(match (old, value) {
        (None, value) => value.clone(),
        (Some(N(old)), N(value)) => {
            N(old.plus(*value).map_err(|error| ApiError::validation(error.to_string()))?)
        }
        (Some(SS(old)), SS(value)) => SS(old | value),
        (Some(NS(old)), NS(value)) => NS(old | value),
        (Some(BS(old)), BS(value)) => BS(old | value),
        _ => return Err(wrong_type()),
    })
}

/// What `DELETE` leaves of a set; nothing of one that would be empty.
fn difference(old: &AttributeValue, value: &AttributeValue) -> Result<Option<AttributeValue>, ApiError> {
    use AttributeValue::{BS, NS, SS};
    fn left<T: Ord + Clone>(old: &BTreeSet<T>, value: &BTreeSet<T>) -> Option<BTreeSet<T>> {
        Some(old - value).filter(|set| !set.is_empty())
    }
    Ok(match (old, value) {
        (SS(old), SS(value)) => left(old, value).map(SS),
        (NS(old), NS(value)) => left(old, value).map(NS),
        (BS(old), BS(value)) => left(old, value).map(BS),
        _ => return Err(wrong_type()),
    })
}

fn wrong_type() -> ApiError {
    ApiError::validation("An operand in the update expression has an incorrect data type")
}

fn wrong_path() -> ApiError {
    ApiError::validation("The document path provided in the update expression is invalid for update")
}

/// What the last step of a path is taken in.
enum Place<'i> {
    Map(&'i mut Item),
    List(&'i mut Vec<AttributeValue>),
}

/// The map or list that holds what `path` leads to, and the last step.
fn holder<'i, 'p>(item: &'i mut Item, path: &'p Path<'_>) -> Result<(Place<'i>, Step<'p>), ApiError> {
    let Some((last, before)) = path.inside.split_last() else {
        return Ok((Place::Map(item), Step::Name(path.attribute)));
    };
    let mut value = item.get_mut(path.attribute).ok_or_else(wrong_path)?;
    for step in before {
        value = match (step, value) {
            (Step::Name(name), AttributeValue::M(map)) => map.get_mut(*name).ok_or_else(wrong_path)?,
            (Step::Index(index), AttributeValue::L(list)) => {
                list.get_mut(*index as usize).ok_or_else(wrong_path)?
            }
            _ => return Err(wrong_path()),
        };
    }
    match value {
        AttributeValue::M(map) => Ok((Place::Map(map), *last)),
        AttributeValue::L(list) => Ok((Place::List(list), *last)),
        _ => Err(wrong_path()),
    }
}

fn put(item: &mut Item, path: &Path<'_>, value: AttributeValue) -> Result<(), ApiError> {
    match holder(item, path)? {
        (Place::Map(map), Step::Name(name)) => drop(map.insert(name.to_owned(), value)),
        (Place::List(list), Step::Index(index)) => match list.get_mut(index as usize) {
            Some(place) => *place = value,
            None => list.push(value),
        },
        _ => return Err(wrong_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path<'_>) -> Result<(), ApiError> {
    match holder(item, path)? {
        (Place::Map(map), Step::Name(name)) => drop(map.remove(name)),
        (Place::List(list), Step::Index(index)) if (index as usize) < list.len() => {
            list.remove(index as usize);
        }
        (Place::List(_), Step::Index(_)) => {}
        _ => return Err(wrong_path()),
    }
    Ok(())
}
