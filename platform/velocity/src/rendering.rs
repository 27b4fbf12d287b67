//! One rendering of a template: what it is given, what it may cost, what it leaves behind.

use std::sync::Arc;

use crate::render::Renderer;
use crate::{Heap, Host, Limits, RenderError, Template, Value};

/// A rendering that is being prepared.
pub struct Rendering {
    heap: Heap,
    given: Vec<(Arc<str>, Value)>,
    limits: Limits,
}

impl Rendering {
    /// A rendering within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { heap: Heap::new(limits.memory_bytes), given: Vec::new(), limits }
    }

    /// Where values are made that the template is given.
    pub fn heap(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// Gives the template a value by name. What is missing below it prints nothing.
    pub fn define(&mut self, name: &str, value: Value) {
        self.given.push((name.into(), value));
    }

    /// Renders a template with hosts by name. What it has put into the values that it was given is in the
    /// heap that comes back.
    ///
    /// # Errors
    /// A method that could not take its arguments, and more of something than the limits allow.
    pub fn render(
        self,
        template: &Template,
        hosts: &[(&str, &dyn Host)],
    ) -> Result<(String, Heap), RenderError> {
        Renderer::new(template.program(), hosts, self.given, self.heap, self.limits).run(template.program())
    }
}
