//! Several paths as one tree: what a projection keeps, and how paths may not meet.

use std::collections::BTreeMap;

use super::path::{Path, Step};
use crate::value::{AttributeValue, Item};

/// What is wanted of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree<'a> {
    /// All of it.
    Whole,
    /// Some members of a map.
    Names(BTreeMap<&'a str, Tree<'a>>),
    /// Some elements of a list.
    Indexes(BTreeMap<u32, Tree<'a>>),
}

/// How two paths meet that may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// One leads into the other, or both to the same place.
    Overlap,
    /// One says that there is a map where the other says that there is a list.
    Conflict,
}

impl<'a> Tree<'a> {
    /// The tree of no paths.
    pub(crate) fn empty() -> Self {
        Self::Names(BTreeMap::new())
    }

    /// Adds a path.
    pub(crate) fn insert(&mut self, path: &Path<'a>) -> Result<(), Clash> {
        let steps: Vec<_> = path.steps().collect();
        self.grow(&steps)
    }

    fn grow(&mut self, steps: &[Step<'a>]) -> Result<(), Clash> {
        let Some((step, rest)) = steps.split_first() else { return Err(Clash::Overlap) };
        match (self, step) {
            (Self::Whole, _) => Err(Clash::Overlap),
            (Self::Names(names), Step::Name(name)) => match names.get_mut(name) {
                Some(inner) => inner.grow(rest),
                None => drop_old(names.insert(*name, Self::of(rest))),
            },
            (Self::Indexes(indexes), Step::Index(index)) => match indexes.get_mut(index) {
                Some(inner) => inner.grow(rest),
                None => drop_old(indexes.insert(*index, Self::of(rest))),
            },
            _ => Err(Clash::Conflict),
        }
    }

    /// The tree of one path.
    fn of(steps: &[Step<'a>]) -> Self {
        steps.iter().rev().fold(Self::Whole, |inner, step| match step {
            Step::Name(name) => Self::Names(BTreeMap::from([(*name, inner)])),
            Step::Index(index) => Self::Indexes(BTreeMap::from([(*index, inner)])),
        })
    }

    /// The wanted parts of an item.
    pub(crate) fn pick(&self, item: &Item) -> Item {
        match self {
            Self::Names(names) => pick_members(names, item),
            _ => Item::new(),
        }
    }

    fn pick_inside(&self, value: &AttributeValue) -> Option<AttributeValue> {
        match (self, value) {
            (Self::Whole, value) => Some(value.clone()),
            (Self::Names(names), AttributeValue::M(map)) => {
                Some(pick_members(names, map)).filter(|map| !map.is_empty()).map(AttributeValue::M)
            }
            (Self::Indexes(indexes), AttributeValue::L(list)) => {
                let pick = |(index, inner): (&u32, &Self)| inner.pick_inside(list.get(*index as usize)?);
                let picked: Vec<_> = indexes.iter().filter_map(pick).collect();
                Some(picked).filter(|list| !list.is_empty()).map(AttributeValue::L)
            }
            _ => None,
        }
    }
}

fn drop_old(old: Option<Tree<'_>>) -> Result<(), Clash> {
    if old.is_some() { Err(Clash::Overlap) } else { Ok(()) }
}

fn pick_members(names: &BTreeMap<&str, Tree<'_>>, map: &Item) -> Item {
    let pick =
        |(name, inner): (&&str, &Tree<'_>)| Some(((*name).to_owned(), inner.pick_inside(map.get(*name)?)?));
    names.iter().filter_map(pick).collect()
}

impl Clash {
    /// How two paths meet, if they may not.
    pub(crate) fn of(one: &Path<'_>, two: &Path<'_>) -> Option<Self> {
        for (a, b) in one.steps().zip(two.steps()) {
            match (a, b) {
                _ if a == b => {}
                (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => {
                    return Some(Self::Conflict);
                }
                _ => return None,
            }
        }
        Some(Self::Overlap)
    }

    /// The first of `paths` that `path` clashes with, in DynamoDB's words.
    pub(crate) fn describe(self, paths: &[&Path<'_>], path: &Path<'_>) -> String {
        let other =
            paths.iter().find(|other| Self::of(other, path) == Some(self)).map_or(path, |other| *other);
        let how = match self {
            Self::Overlap => "overlap",
            Self::Conflict => "conflict",
        };
        format!(
            "Two document paths {how} with each other; must remove or rewrite one of these paths; path one: \
             {other}, path two: {path}"
        )
    }
}
