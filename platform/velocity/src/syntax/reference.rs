//! `$name`, `$!name`, `${name}`, and what follows them.

use std::sync::Arc;

use super::node::{Reference, Step};
use super::{Parsed, Parser};

impl Parser<'_> {
    /// The reference that begins here, if one does; else nothing is passed.
    pub(super) fn reference(&mut self) -> Parsed<Option<Reference>> {
        let at = self.cursor.at();
        if !self.cursor.eat("$") {
            return Ok(None);
        }
        let is_quiet = self.cursor.eat("!");
        let is_formal = self.cursor.eat("{");
        let Some(name) = self.cursor.name(true) else {
            self.cursor.back_to(at);
            return Ok(None);
        };
        let name: Arc<str> = name.into();
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        if is_formal {
            self.cursor.expect("}")?;
        }
        Ok(Some(Reference { name, steps, is_quiet, source: self.cursor.since(at).into() }))
    }

    /// `.name`, `.name(…)` or `[…]`; a point without a name behind it is text.
    fn step(&mut self) -> Parsed<Option<Step>> {
        let at = self.cursor.at();
        if self.cursor.eat("[") {
            let index = self.expression()?;
            self.cursor.space();
            self.cursor.expect("]")?;
            return Ok(Some(Step::Index(index)));
        }
        if !self.cursor.eat(".") {
            return Ok(None);
        }
        let Some(name) = self.cursor.name(true) else {
            self.cursor.back_to(at);
            return Ok(None);
        };
        let name: Arc<str> = name.into();
        if !self.cursor.eat("(") {
            return Ok(Some(Step::Property(name)));
        }
        let arguments = self.listed(")")?;
        Ok(Some(Step::Call(name, arguments)))
    }
}
