//! From a tree to its output.

mod arithmetic;
mod directive;
mod evaluate;
mod resolve;

use std::collections::HashMap;
use std::sync::Arc;

use crate::syntax::{Block, Macro, Node, Program, Reference};
use crate::{Heap, Host, Limits, RenderError, Value};

/// A rendering under way.
pub(crate) struct Renderer<'h> {
    heap: Heap,
    hosts: &'h [(&'h str, &'h dyn Host)],
    /// Names below which a missing value prints nothing.
    given: Vec<Arc<str>>,
    variables: HashMap<Arc<str>, Value>,
    macros: HashMap<Arc<str>, Arc<Macro>>,
    /// What the macros that are being called were called with, the innermost last.
    frames: Vec<Frame>,
    loops: Vec<Round>,
    blocks: Vec<Block>,
    limits: Limits,
    steps: usize,
    depth: usize,
    out: String,
}

/// The parameters of one call of a macro.
#[derive(Default)]
struct Frame {
    values: HashMap<Arc<str>, Value>,
    /// What is printed for a parameter without a value: the argument as it was written.
    sources: HashMap<Arc<str>, Arc<str>>,
}

/// Where a `#foreach` is.
#[derive(Clone, Copy)]
struct Round {
    index: usize,
    of: usize,
}

/// How rendering goes on behind a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    /// `#break`: behind the innermost loop, or macro.
    Break,
    /// `#stop`: not at all.
    Stop,
}

type Rendered<T = ()> = Result<T, RenderError>;

impl<'h> Renderer<'h> {
    pub(crate) fn new(
        program: &Program,
        hosts: &'h [(&'h str, &'h dyn Host)],
        given: Vec<(Arc<str>, Value)>,
        heap: Heap,
        limits: Limits,
    ) -> Self {
        Self {
            heap,
            hosts,
            given: given.iter().map(|(name, _)| Arc::clone(name)).collect(),
            variables: given.into_iter().collect(),
            macros: program.macros.clone(),
            frames: Vec::new(),
            loops: Vec::new(),
            blocks: Vec::new(),
            limits,
            steps: limits.steps,
            depth: 0,
            out: String::new(),
        }
    }

    pub(crate) fn run(mut self, program: &Program) -> Rendered<(String, Heap)> {
        self.block(&program.body)?;
        Ok((self.out, self.heap))
    }

    fn block(&mut self, block: &[Node]) -> Rendered<Flow> {
        for node in block {
            match self.node(node)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node) -> Rendered<Flow> {
        self.step()?;
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Reference { reference, slashes } => self.print(reference, *slashes)?,
            Node::Set { target, value } => self.set(target, value)?,
            Node::If { arms, otherwise } => return self.choose(arms, otherwise),
            Node::Foreach { item, over, body } => return self.each(item, over, body),
            Node::Define { name, body } => self.define(name, body),
            Node::Evaluate(text) => return self.evaluate_text(text),
            Node::Call { name, arguments, body, source } => {
                return self.call(name, arguments, body.as_ref(), source);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::On)
    }

    /// Counts a step.
    fn step(&mut self) -> Rendered {
        self.steps = self.steps.checked_sub(1).ok_or(RenderError::Limit("steps"))?;
        Ok(())
    }

    /// Goes one level down, for as long as `inner` renders.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Rendered<T>) -> Rendered<T> {
        if self.depth >= self.limits.depth {
            return Err(RenderError::Limit("depth"));
        }
        self.depth += 1;
        let rendered = inner(self);
        self.depth -= 1;
        rendered
    }

    fn write(&mut self, text: &str) -> Rendered {
        if self.out.len() + text.len() > self.limits.output_bytes {
            return Err(RenderError::Limit("output"));
        }
        self.out.push_str(text);
        Ok(())
    }

    /// What a part prints, as a text of its own.
    fn apart(&mut self, inner: impl FnOnce(&mut Self) -> Rendered<Flow>) -> Rendered<String> {
        let out = std::mem::take(&mut self.out);
        let rendered = inner(self);
        let text = std::mem::replace(&mut self.out, out);
        rendered?;
        self.heap.charge(text.len())?;
        Ok(text)
    }

    /// Prints a reference's value; without one, the reference as it was written. An odd number of
    /// backslashes before it keeps a value from being printed.
    fn print(&mut self, reference: &Reference, slashes: usize) -> Rendered {
        let value = self.resolve(reference)?;
        let is_escaped = slashes % 2 == 1;
        if value == Value::Null {
            let left = if is_escaped { slashes.div_ceil(2) } else { slashes };
            let source = self.source(reference);
            self.write(&"\\".repeat(left))?;
            let is_silent = reference.is_quiet || self.is_given(&reference.name);
            return if is_silent && !is_escaped { Ok(()) } else { self.write(&source) };
        }
        self.write(&"\\".repeat(slashes / 2))?;
        if is_escaped {
            return self.write(&reference.source);
        }
        let text = self.text(&value)?;
        self.write(&text)
    }

    /// Whether a name was given to the rendering, as a value or as a host.
    fn is_given(&self, name: &Arc<str>) -> bool {
        self.given.contains(name) || self.hosts.iter().any(|(host, _)| *host == &**name)
    }

    /// What is printed where a reference has no value.
    fn source(&self, reference: &Reference) -> Arc<str> {
        let given = self.frames.last().and_then(|frame| frame.sources.get(&reference.name));
        match given {
            Some(given) if reference.steps.is_empty() => Arc::clone(given),
            _ => Arc::clone(&reference.source),
        }
    }

    /// A value as it is printed.
    fn text(&mut self, value: &Value) -> Rendered<Arc<str>> {
        match value {
            Value::Text(text) => Ok(Arc::clone(text)),
            Value::Host(at) => Ok(self.hosts[*at].1.text().unwrap_or_default().into()),
            Value::Block(at) => {
                let block = Arc::clone(&self.blocks[*at]);
                let text = self.deeper(|inner| inner.apart(|inner| inner.block(&block)))?;
                Ok(text.into())
            }
            value => Ok(self.heap.print(value)?.into()),
        }
    }
}
