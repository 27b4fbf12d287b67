//! Document paths: an attribute and what is inside of it.

use std::fmt;

use crate::value::{AttributeValue, Item};

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step<'a> {
    /// Into a map, or to an attribute.
    Name(&'a str),
    /// Into a list.
    Index(u32),
}

/// A path: the first step is an attribute's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) inside: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    /// All steps.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step<'a>> + '_ {
        std::iter::once(Step::Name(self.attribute)).chain(self.inside.iter().copied())
    }

    /// The value that the path leads to.
    pub(crate) fn resolve<'i>(&self, item: &'i Item) -> Option<&'i AttributeValue> {
        let first = item.get(self.attribute)?;
        self.inside.iter().try_fold(first, |value, step| step.into(value))
    }
}

impl Step<'_> {
    /// What is behind the step inside of `value`.
    pub(crate) fn into<'i>(&self, value: &'i AttributeValue) -> Option<&'i AttributeValue> {
        match (self, value) {
            (Self::Name(name), AttributeValue::M(map)) => map.get(*name),
            (Self::Index(index), AttributeValue::L(list)) => list.get(*index as usize),
            _ => None,
        }
    }
}

/// As error messages show a path: `[a, b, [1]]`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.inside {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}
