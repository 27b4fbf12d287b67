//! From a reference to its value.

use std::sync::Arc;

use super::{Rendered, Renderer};
use crate::syntax::{Reference, Step};
use crate::{Value, method};

impl Renderer<'_> {
    pub(super) fn resolve(&mut self, reference: &Reference) -> Rendered<Value> {
        self.resolve_steps(&reference.name, &reference.steps)
    }

    /// The value behind some steps from a name; nothing as soon as one of them leads nowhere.
    pub(super) fn resolve_steps(&mut self, name: &Arc<str>, steps: &[Step]) -> Rendered<Value> {
        let mut value = self.named(name);
        for step in steps {
            self.step()?;
            if value == Value::Null {
                return Ok(value);
            }
            value = match step {
                Step::Property(name) => self.property(&value, name)?,
                Step::Call(name, arguments) => {
                    let arguments: Vec<Value> =
                        arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<_, _>>()?;
                    self.method(&value, name, &arguments)?
                }
                Step::Index(index) => {
                    let index = self.evaluate(index)?;
                    self.heap_call(&value, "get", &[index])?
                }
            };
        }
        Ok(value)
    }

    /// A parameter of the macro that is being called, a variable, a loop, or a host.
    fn named(&self, name: &Arc<str>) -> Value {
        if let Some(value) = self.frames.last().and_then(|frame| frame.values.get(name)) {
            return value.clone();
        }
        if let Some(value) = self.variables.get(name) {
            return value.clone();
        }
        if &**name == "foreach" && !self.loops.is_empty() {
            return Value::Loop(self.loops.len() - 1);
        }
        self.hosts.iter().position(|(host, _)| *host == &**name).map_or(Value::Null, Value::Host)
    }

    fn property(&mut self, value: &Value, name: &Arc<str>) -> Rendered<Value> {
        match value {
            Value::Host(at) => self.hosts[*at].1.property(&mut self.heap, name),
            Value::Loop(depth) => Ok(self.of_loop(*depth, name)),
            Value::Map(map) => Ok(self.heap.entries(*map).get(name).cloned().unwrap_or_default()),
            Value::Entry(pair) => Ok(match &**name {
                "key" => self.heap.items(*pair)[0].clone(),
                "value" => self.heap.items(*pair)[1].clone(),
                _ => Value::Null,
            }),
            // A property is what the method of its name answers: `empty` is `isEmpty()`.
            Value::List(_) | Value::Text(_) if &**name == "empty" => self.method(value, "isEmpty", &[]),
            _ => Ok(Value::Null),
        }
    }

    fn method(&mut self, value: &Value, name: &str, arguments: &[Value]) -> Rendered<Value> {
        match value {
            Value::Host(at) => self.hosts[*at].1.call(&mut self.heap, name, arguments),
            Value::Loop(depth) => Ok(self.of_loop(*depth, name.strip_prefix("get").unwrap_or(name))),
            Value::Block(_) => {
                let text = self.text(value)?;
                self.heap_call(&Value::Text(text), name, arguments)
            }
            value => self.heap_call(value, name, arguments),
        }
    }

    /// A method of the language's own values.
    pub(super) fn heap_call(&mut self, value: &Value, name: &str, arguments: &[Value]) -> Rendered<Value> {
        // What a method does to a list or a text may take as long as these are.
        let size = match value {
            Value::Text(text) => text.len() / 16,
            Value::List(list) => self.heap.items(*list).len() / 8,
            Value::Map(map) => self.heap.entries(*map).len() / 8,
            _ => 0,
        };
        self.steps = self.steps.checked_sub(size).ok_or(crate::RenderError::Limit("steps"))?;
        method::call(&mut self.heap, value, name, arguments)
    }

    /// `$foreach.index` and its like.
    fn of_loop(&self, depth: usize, name: &str) -> Value {
        let Some(round) = self.loops.get(depth) else { return Value::Null };
        match name {
            "index" | "Index" => Value::from(round.index),
            "count" | "Count" => Value::from(round.index + 1),
            "hasNext" => Value::Flag(round.index + 1 < round.of),
            "first" | "isFirst" => Value::Flag(round.index == 0),
            "last" | "isLast" => Value::Flag(round.index + 1 == round.of),
            "parent" | "Parent" => depth.checked_sub(1).map_or(Value::Null, Value::Loop),
            "topmost" | "Topmost" => Value::Loop(0),
            _ => Value::Null,
        }
    }
}
