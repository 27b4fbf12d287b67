//! Following a path through a document.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::path::{Path, Step};

/// Values that one path visits at most.
pub const VISITS_MAX: usize = 1_000_000;

/// A path that would have to visit more values than [`VISITS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The path leads to too many values")]
pub struct Exhausted;

/// How many values may still be visited.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn take(&mut self, visits: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(visits).ok_or(Exhausted)?;
        Ok(())
    }
}

type Values<'d> = Vec<Cow<'d, Value>>;

pub(crate) fn find<'d>(path: &Path, document: &'d Value) -> Result<Option<Cow<'d, Value>>, Exhausted> {
    follow(path, document, document, &mut Budget(VISITS_MAX))
}

/// From `start`, a value in the document `root`.
pub(crate) fn follow<'d>(
    path: &Path,
    root: &'d Value,
    start: &'d Value,
    budget: &mut Budget,
) -> Result<Option<Cow<'d, Value>>, Exhausted> {
    let mut values: Values<'d> = vec![Cow::Borrowed(start)];
    for step in &path.steps {
        let mut next = Vec::new();
        for value in values {
            advance(step, root, value, &mut next, budget)?;
        }
        values = next;
    }
    let is_one =
        path.steps.iter().all(|step| matches!(step, Step::Member(_) | Step::Members(_) | Step::Item(_)));
    let found = match is_one {
        true => values.into_iter().next(),
        false => Some(Cow::Owned(values.into_iter().map(Cow::into_owned).collect())),
    };
    Ok(match path.function {
        Some(function) => found.and_then(|value| function.of(&value)).map(Cow::Owned),
        None => found,
    })
}

fn advance<'d>(
    step: &Step,
    root: &'d Value,
    value: Cow<'d, Value>,
    next: &mut Values<'d>,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    // Only what several members were made into is a value of its own, and no filter stands behind that.
    let value = match value {
        Cow::Borrowed(value) => value,
        Cow::Owned(Value::Object(mut fields)) => {
            if let Step::Member(name) = step {
                next.extend(fields.remove(name).map(Cow::Owned));
            }
            return Ok(());
        }
        Cow::Owned(_) => return Ok(()),
    };
    budget.take(1)?;
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match step {
        Step::Member(name) => next.extend(value.get(name.as_str()).map(Cow::Borrowed)),
        Step::Members(names) => {
            if let Value::Object(fields) = value {
                let chosen = names.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
                let chosen: Map<String, Value> = chosen.collect();
                budget.take(chosen.len())?;
                next.push(Cow::Owned(Value::Object(chosen)));
            }
        }
        Step::Item(at) => next.extend(item(items, *at).map(Cow::Borrowed)),
        Step::Items(places) => {
            budget.take(places.len())?;
            next.extend(places.iter().filter_map(|at| item(items, *at)).map(Cow::Borrowed));
        }
        Step::Slice(from, to) => {
            let (from, to) =
                (place(items, from.unwrap_or(0)), place(items, to.unwrap_or(items.len() as i64)));
            let chosen = items.get(from..to.max(from)).unwrap_or_default();
            budget.take(chosen.len())?;
            next.extend(chosen.iter().map(Cow::Borrowed));
        }
        Step::All => {
            for below in children(value) {
                budget.take(1)?;
                next.push(Cow::Borrowed(below));
            }
        }
        Step::Descend => descend(value, next, budget)?,
        Step::Filter(filter) => {
            let candidates = if value.is_array() { items } else { std::slice::from_ref(value) };
            for candidate in candidates {
                if filter.holds(root, candidate, budget)? {
                    next.push(Cow::Borrowed(candidate));
                }
            }
        }
    }
    Ok(())
}

/// A value and all below it, the value first. Documents are not nested deeper than their reader allows.
fn descend<'d>(value: &'d Value, next: &mut Values<'d>, budget: &mut Budget) -> Result<(), Exhausted> {
    budget.take(1)?;
    next.push(Cow::Borrowed(value));
    children(value).try_for_each(|below| descend(below, next, budget))
}

fn children(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().into_iter().flatten();
    items.chain(value.as_object().into_iter().flat_map(Map::values))
}

fn item(items: &[Value], at: i64) -> Option<&Value> {
    let at = if at < 0 { at.checked_add(items.len() as i64)? } else { at };
    items.get(usize::try_from(at).ok()?)
}

/// A place in a slice, within the list.
fn place(items: &[Value], at: i64) -> usize {
    let at = if at < 0 { at.saturating_add(items.len() as i64) } else { at };
    usize::try_from(at).unwrap_or(0).min(items.len())
}
