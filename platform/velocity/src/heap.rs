//! Where the lists and maps of one rendering live, and what it may still allocate.
//!
//! One owner for all of them: that a template puts a list into itself costs nothing and leaks nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::number;
use crate::value::{ListId, MapId};
use crate::{RenderError, Value};

/// What a place in a list or a map is counted for.
const PLACE_BYTES: usize = 32;
/// How deeply values are printed and read.
const DEPTH_MAX: usize = 100;

/// The lists and maps of a rendering.
#[derive(Debug)]
pub struct Heap {
    lists: Vec<Vec<Value>>,
    maps: Vec<IndexMap<Arc<str>, Value>>,
    bytes_left: usize,
}

impl Heap {
    pub(crate) fn new(memory_bytes: usize) -> Self {
        Self { lists: Vec::new(), maps: Vec::new(), bytes_left: memory_bytes }
    }

    /// Counts `bytes` that are about to be allocated.
    ///
    /// # Errors
    /// The rendering has had its memory.
    pub fn charge(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(RenderError::Limit("memory"))?;
        Ok(())
    }

    /// A value for a text.
    ///
    /// # Errors
    /// The rendering has had its memory.
    pub fn text(&mut self, text: impl Into<Arc<str>>) -> Result<Value, RenderError> {
        let text = text.into();
        self.charge(text.len())?;
        Ok(Value::Text(text))
    }

    /// A new list.
    ///
    /// # Errors
    /// The rendering has had its memory.
    pub fn list(&mut self, items: Vec<Value>) -> Result<Value, RenderError> {
        Ok(Value::List(self.place(items)?))
    }

    pub(crate) fn entry(&mut self, key: &Arc<str>, value: Value) -> Result<Value, RenderError> {
        Ok(Value::Entry(self.place(vec![Value::Text(Arc::clone(key)), value])?))
    }

    fn place(&mut self, items: Vec<Value>) -> Result<ListId, RenderError> {
        self.charge((items.len() + 1) * PLACE_BYTES)?;
        self.lists.push(items);
        Ok(ListId(self.lists.len() - 1))
    }

    /// A new map.
    ///
    /// # Errors
    /// The rendering has had its memory.
    pub fn map<K: Into<Arc<str>>>(
        &mut self,
        entries: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<Value, RenderError> {
        let mut map = IndexMap::new();
        for (key, value) in entries {
            let key = key.into();
            self.charge(PLACE_BYTES + key.len())?;
            map.insert(key, value);
        }
        self.charge(PLACE_BYTES)?;
        self.maps.push(map);
        Ok(Value::Map(MapId(self.maps.len() - 1)))
    }

    /// What a list has.
    #[must_use]
    pub fn items(&self, list: ListId) -> &[Value] {
        &self.lists[list.0]
    }

    /// What a map has.
    #[must_use]
    pub fn entries(&self, map: MapId) -> &IndexMap<Arc<str>, Value> {
        &self.maps[map.0]
    }

    /// The list, to be changed by one more item at most.
    pub(crate) fn grown(&mut self, list: ListId) -> Result<&mut Vec<Value>, RenderError> {
        self.charge(PLACE_BYTES)?;
        Ok(&mut self.lists[list.0])
    }

    pub(crate) fn items_mut(&mut self, list: ListId) -> &mut Vec<Value> {
        &mut self.lists[list.0]
    }

    pub(crate) fn entries_mut(&mut self, map: MapId) -> &mut IndexMap<Arc<str>, Value> {
        &mut self.maps[map.0]
    }

    /// Puts a value into a map; what it replaced.
    pub(crate) fn put(&mut self, map: MapId, key: &Arc<str>, value: Value) -> Result<Value, RenderError> {
        self.charge(PLACE_BYTES + key.len())?;
        Ok(self.maps[map.0].insert(Arc::clone(key), value).unwrap_or_default())
    }

    /// The value of a JSON document.
    ///
    /// # Errors
    /// It is larger, or nested deeper, than the rendering may hold.
    pub fn from_json(&mut self, json: &Json) -> Result<Value, RenderError> {
        self.read(json, 0)
    }

    fn read(&mut self, json: &Json, depth: usize) -> Result<Value, RenderError> {
        if depth > 2 * DEPTH_MAX {
            return Err(RenderError::Limit("nested values"));
        }
        Ok(match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Flag(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Whole(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => self.text(text.as_str())?,
            Json::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.read(item, depth + 1)).collect();
                self.list(items?)?
            }
            Json::Object(fields) => {
                let mut entries = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    entries.push((name.as_str(), self.read(value, depth + 1)?));
                }
                self.map(entries)?
            }
        })
    }

    /// The JSON document of a value; what has none is its text.
    ///
    /// # Errors
    /// It is nested deeper than a document may be: it may be within itself.
    pub fn to_json(&self, value: &Value) -> Result<Json, RenderError> {
        self.write(value, 0)
    }

    fn write(&self, value: &Value, depth: usize) -> Result<Json, RenderError> {
        if depth > DEPTH_MAX {
            return Err(RenderError::Limit("nested values"));
        }
        Ok(match value {
            Value::Flag(flag) => Json::Bool(*flag),
            Value::Whole(whole) => Json::from(*whole),
            Value::Float(float) => Json::from(*float),
            Value::Text(text) => Json::from(&**text),
            Value::List(list) | Value::Entry(list) => {
                let items = self.items(*list).iter().map(|item| self.write(item, depth + 1));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let fields = self.entries(*map).iter();
                let fields = fields.map(|(key, value)| Ok((key.to_string(), self.write(value, depth + 1)?)));
                Json::Object(fields.collect::<Result<_, RenderError>>()?)
            }
            Value::Null | Value::Host(_) | Value::Loop(_) | Value::Block(_) => Json::Null,
        })
    }

    /// A value as it is printed: lists and maps as Java prints them.
    ///
    /// # Errors
    /// It is too long, or nested too deeply: it may be within itself.
    pub fn print(&mut self, value: &Value) -> Result<String, RenderError> {
        let mut out = String::new();
        self.print_into(&mut out, value, 0)?;
        self.charge(out.len())?;
        Ok(out)
    }

    fn print_into(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), RenderError> {
        if depth > DEPTH_MAX || out.len() > self.bytes_left {
            return Err(RenderError::Limit("nested values"));
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            // Writing to a string cannot fail.
            Value::Whole(whole) => drop(write!(out, "{whole}")),
            Value::Float(float) => out.push_str(&number::print(*float)),
            Value::Text(text) => out.push_str(text),
            Value::Host(_) | Value::Loop(_) | Value::Block(_) => {}
            Value::List(list) => {
                out.push('[');
                for (at, item) in self.items(*list).iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    self.print_into(out, item, depth + 1)?;
                }
                out.push(']');
            }
            Value::Map(map) => {
                out.push('{');
                for (at, (key, value)) in self.entries(*map).iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    out.push_str(key);
                    out.push('=');
                    self.print_into(out, value, depth + 1)?;
                }
                out.push('}');
            }
            Value::Entry(pair) => {
                for (at, part) in self.items(*pair).iter().enumerate() {
                    out.push_str(if at > 0 { "=" } else { "" });
                    self.print_into(out, part, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}
