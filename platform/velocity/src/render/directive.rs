//! What directives do.

use std::sync::Arc;

use super::{Flow, Frame, Rendered, Renderer, Round};
use crate::syntax::{self, Block, Expression, Macro, Reference, Step};
use crate::{RenderError, Value};

impl Renderer<'_> {
    /// Gives a variable, a place in a map or one in a list its value; without a value nothing changes.
    pub(super) fn set(&mut self, target: &Reference, value: &Expression) -> Rendered {
        let value = self.evaluate(value)?;
        if value == Value::Null {
            return Ok(());
        }
        let Some((last, way)) = target.steps.split_last() else {
            self.assign(&target.name, value);
            return Ok(());
        };
        let holder = self.resolve_steps(&target.name, way)?;
        let key = match last {
            Step::Property(name) => Value::Text(Arc::clone(name)),
            Step::Index(index) => self.evaluate(index)?,
            Step::Call(..) => return Ok(()),
        };
        match holder {
            Value::Map(map) => {
                let key = self.text(&key)?;
                self.heap.put(map, &key, value)?;
            }
            Value::List(_) => drop(self.heap_call(&holder, "set", &[key, value])?),
            _ => {}
        }
        Ok(())
    }

    /// A parameter of the macro that is being called is its own; all other variables are everybody's.
    pub(super) fn assign(&mut self, name: &Arc<str>, value: Value) {
        match self.frames.last_mut().and_then(|frame| frame.values.get_mut(name)) {
            Some(parameter) => *parameter = value,
            None => drop(self.variables.insert(Arc::clone(name), value)),
        }
    }

    pub(super) fn choose(&mut self, arms: &[(Expression, Block)], otherwise: &Block) -> Rendered<Flow> {
        for (condition, block) in arms {
            if self.holds(condition)? {
                return self.block(block);
            }
        }
        self.block(otherwise)
    }

    /// Renders the body for each item of a list or a map. The variable has its former value afterwards.
    pub(super) fn each(&mut self, item: &Arc<str>, over: &Expression, body: &Block) -> Rendered<Flow> {
        let items = match self.evaluate(over)? {
            Value::List(list) => self.heap.items(list).to_vec(),
            Value::Map(map) => self.heap.entries(map).values().cloned().collect(),
            _ => return Ok(Flow::On),
        };
        self.heap.charge(items.len() * size_of::<Value>())?;
        let before = self.variables.get(item).cloned();
        let counter: Arc<str> = "velocityCount".into();
        let count = self.variables.get(&counter).cloned();
        let of = items.len();
        let mut flow = Flow::On;
        for (index, value) in items.into_iter().take(self.limits.iterations).enumerate() {
            self.step()?;
            self.variables.insert(Arc::clone(item), value);
            self.variables.insert(Arc::clone(&counter), Value::from(index + 1));
            self.loops.push(Round { index, of });
            flow = self.block(body)?;
            self.loops.pop();
            if flow != Flow::On {
                break;
            }
        }
        self.restore(item, before);
        self.restore(&counter, count);
        Ok(if flow == Flow::Break { Flow::On } else { flow })
    }

    fn restore(&mut self, name: &Arc<str>, before: Option<Value>) {
        match before {
            Some(value) => self.variables.insert(Arc::clone(name), value),
            None => self.variables.remove(name),
        };
    }

    pub(super) fn define(&mut self, name: &Arc<str>, body: &Block) {
        // Each definition is a step, so that their number is bounded.
        self.blocks.push(Arc::clone(body));
        self.assign(name, Value::Block(self.blocks.len() - 1));
    }

    /// Renders a text as a template.
    pub(super) fn evaluate_text(&mut self, text: &Expression) -> Rendered<Flow> {
        let value = self.evaluate(text)?;
        if value == Value::Null {
            return Ok(Flow::On);
        }
        let text = self.text(&value)?;
        // Reading takes about as many steps as there are characters.
        self.steps = self.steps.checked_sub(text.len() / 8).ok_or(RenderError::Limit("steps"))?;
        self.heap.charge(text.len())?;
        let program = syntax::parse(&text)?;
        for (name, definition) in program.macros {
            self.macros.entry(name).or_insert(definition);
        }
        self.deeper(|inner| inner.block(&program.body))
    }

    /// Calls a macro; a name that is none is text.
    pub(super) fn call(
        &mut self,
        name: &Arc<str>,
        arguments: &[Expression],
        body: Option<&Block>,
        source: &str,
    ) -> Rendered<Flow> {
        let Some(definition) = self.macros.get(name).cloned() else {
            self.write(source)?;
            return body.map_or(Ok(Flow::On), |body| self.block(body));
        };
        let mut frame = self.frame(&definition, arguments)?;
        if let Some(body) = body {
            self.blocks.push(Arc::clone(body));
            frame.values.insert("bodyContent".into(), Value::Block(self.blocks.len() - 1));
        }
        self.frames.push(frame);
        let flow = self.deeper(|inner| inner.block(&definition.body));
        self.frames.pop();
        Ok(if flow? == Flow::Stop { Flow::Stop } else { Flow::On })
    }

    /// What a macro's parameters are in one call. An argument without a value is printed as it was written.
    fn frame(&mut self, definition: &Macro, arguments: &[Expression]) -> Rendered<Frame> {
        let mut frame = Frame::default();
        for (at, parameter) in definition.parameters.iter().enumerate() {
            let Some(argument) = arguments.get(at) else { continue };
            let value = self.evaluate(argument)?;
            if let Expression::Reference(reference) = argument {
                frame.sources.insert(Arc::clone(parameter), self.source(reference));
            }
            frame.values.insert(Arc::clone(parameter), value);
        }
        Ok(frame)
    }
}
