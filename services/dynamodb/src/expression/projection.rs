//! Which attributes, or parts of them, are answered.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html>

use pagoda_protocol::ApiError;

use super::parser::Parser;
use super::path::Path;
use super::scope::Scope;
use super::tree::Tree;
use crate::value::Item;

/// A parsed projection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection<'a>(Tree<'a>);

impl<'a> Projection<'a> {
    /// The projection that a request asks for, if it does.
    ///
    /// # Errors
    /// `ValidationException` with DynamoDB's description of what is wrong.
    pub(crate) fn parse(text: Option<&'a str>, scope: &mut Scope<'a>) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let mut parser = Parser::new("ProjectionExpression", text, scope)?;
        let mut paths = vec![parser.path()?];
        while parser.take(",") {
            paths.push(parser.path()?);
        }
        parser.end()?;
        Self::of(&paths.iter().collect::<Vec<_>>()).map(Some).map_err(|what| parser.fail(&what))
    }

    /// The projection to `paths`, or how two of them meet that may not.
    pub(super) fn of(paths: &[&Path<'a>]) -> Result<Self, String> {
        let mut tree = Tree::empty();
        for (index, path) in paths.iter().enumerate() {
            tree.insert(path).map_err(|clash| clash.describe(&paths[..index], path))?;
        }
        Ok(Self(tree))
    }

    /// What is wanted of `item`.
    pub(crate) fn pick(&self, item: &Item) -> Item {
        self.0.pick(item)
    }
}
