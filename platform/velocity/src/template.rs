//! A template: read once, rendered often.

use crate::syntax::{self, Node, Program};
use crate::{Host, Limits, RenderError, Rendering, SyntaxError};

/// A template that was found to be well-formed.
#[derive(Debug, Clone)]
pub struct Template {
    program: Program,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`SyntaxError`] says what is wrong and where.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        syntax::parse(source).map(|program| Self { program })
    }

    /// The output, if it is the same whatever the template is given.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match &*self.program.body {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Renders the template with hosts by name.
    ///
    /// # Errors
    /// A method that could not take its arguments, and more of something than `limits` allow.
    pub fn render(&self, hosts: &[(&str, &dyn Host)], limits: Limits) -> Result<String, RenderError> {
        Ok(Rendering::new(limits).render(self, hosts)?.0)
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }
}
