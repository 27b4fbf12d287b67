//! The values of a template.

use std::sync::Arc;

/// A value. Lists and maps are places on the [`Heap`](crate::Heap): whoever has one sees its changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value: an undefined reference.
    #[default]
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A list on the heap.
    List(ListId),
    /// A map on the heap.
    Map(MapId),
    /// An entry of a map: the list of its key and its value.
    Entry(ListId),
    /// A host, by its place among those that the rendering was given.
    Host(usize),
    /// A loop, by its depth: `$foreach`.
    Loop(usize),
    /// A part of a template, kept by `#define`.
    Block(usize),
}

/// A list's place on the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(pub(crate) usize);

/// A map's place on the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapId(pub(crate) usize);

impl Value {
    /// The number that it is, whole or not.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(whole) => Some(*whole as f64),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The text that it is; numbers and flags are none.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it lets `#if` pass: everything does but `false` and nothing.
    pub(crate) fn holds(&self) -> bool {
        !matches!(self, Self::Null | Self::Flag(false))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Whole(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
