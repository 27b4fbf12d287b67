//! A path: steps from a document's root to values in it.

use std::borrow::Cow;

use serde_json::Value;

use crate::filter::Filter;
use crate::find::{self, Exhausted};
use crate::function::Function;
use crate::{Malformed, parse};

/// A path that was found to be well-formed.
#[derive(Debug, Clone)]
pub struct Path {
    pub(crate) steps: Vec<Step>,
    /// What is made of the values that the steps lead to.
    pub(crate) function: Option<Function>,
}

/// From some values to others.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The member of this name.
    Member(String),
    /// An object of the members of these names, as far as there are any.
    Members(Vec<String>),
    /// The item at this place; counted from the end, if it is negative.
    Item(i64),
    /// The items at these places.
    Items(Vec<i64>),
    /// The items from one place to before another.
    Slice(Option<i64>, Option<i64>),
    /// All members and items.
    All,
    /// The value itself and all below it.
    Descend,
    /// The items for which a filter holds; of what is no list, the value itself.
    Filter(Filter),
}

impl Path {
    /// Reads a path. One that does not begin with `$` begins at the root all the same.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        parse::whole(text)
    }

    /// Whether the path leads to one value at most.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        let one = |step: &Step| matches!(step, Step::Member(_) | Step::Members(_) | Step::Item(_));
        self.function.is_some() || self.steps.iter().all(one)
    }

    /// The value that a definite path leads to, if there is one; the list of all values that another leads
    /// to, which may be empty.
    ///
    /// # Errors
    /// [`Exhausted`], if too many values would have to be visited.
    pub fn find<'d>(&self, document: &'d Value) -> Result<Option<Cow<'d, Value>>, Exhausted> {
        find::find(self, document)
    }
}
