//! From a text to a tree.

mod block;
mod cursor;
mod directive;
mod expression;
mod node;
mod reference;

use std::collections::HashMap;
use std::sync::Arc;

use crate::SyntaxError;
use cursor::Cursor;
pub(crate) use node::{Block, Expression, Literal, Macro, Node, Operator, Program, Reference, Step};

/// How deeply blocks and expressions may be nested in a template.
const DEPTH_MAX: usize = 64;

pub(crate) type Parsed<T> = Result<T, SyntaxError>;

/// What is being read.
struct Parser<'s> {
    cursor: Cursor<'s>,
    depth: usize,
    macros: HashMap<Arc<str>, Arc<Macro>>,
}

/// Reads a whole template.
pub(crate) fn parse(source: &str) -> Parsed<Program> {
    let mut parser = Parser { cursor: Cursor::new(source), depth: 0, macros: HashMap::new() };
    let body = parser.whole()?;
    Ok(Program { body, macros: parser.macros })
}

impl Parser<'_> {
    /// Goes one level down, for as long as `inner` reads.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err(self.cursor.error(format!("More than {DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let read = inner(self);
        self.depth -= 1;
        read
    }
}
