//! What begins with `#`.

use std::sync::Arc;

use super::block::End;
use super::node::{Block, Expression, Macro, Node};
use super::{Parsed, Parser};

/// What stood at a `#`.
pub(super) enum Found {
    Node(Node),
    /// A comment or a definition.
    Nothing,
    Text(String),
    End(End),
}

const KNOWN: [&str; 12] = [
    "set", "if", "elseif", "else", "end", "foreach", "macro", "define", "evaluate", "break", "stop",
    "literal",
];

impl Parser<'_> {
    /// Whether one of the directives of the language is here, or a macro that was defined before.
    pub(super) fn is_at_known_directive(&mut self) -> bool {
        let at = self.cursor.at();
        let known = self.cursor.eat("#")
            && self.word().is_some_and(|name| KNOWN.contains(&&*name) || self.macros.contains_key(&*name));
        self.cursor.back_to(at);
        known
    }

    /// `name` or `{name}`.
    fn word(&mut self) -> Option<String> {
        let at = self.cursor.at();
        let is_braced = self.cursor.eat("{");
        let name = self.cursor.name(false).map(str::to_owned);
        if name.is_some() && (!is_braced || self.cursor.eat("}")) {
            return name;
        }
        self.cursor.back_to(at);
        None
    }

    pub(super) fn directive(&mut self) -> Parsed<Found> {
        let at = self.cursor.at();
        self.cursor.expect("#")?;
        if self.cursor.eat("#") {
            self.cursor.take_while(|c| c != '\n' && c != '\r');
            self.cursor.line_end();
            return Ok(Found::Nothing);
        }
        for (open, close) in [("*", "*#"), ("[[", "]]#")] {
            if self.cursor.eat(open) {
                let Some(inner) = self.cursor.take_until(close) else {
                    return Err(self.cursor.error(format!("'#{open}' has no '{close}'")));
                };
                return Ok(if open == "*" { Found::Nothing } else { Found::Text(inner.to_owned()) });
            }
        }
        let has_body = self.cursor.eat("@");
        let Some(name) = self.word() else { return Ok(Found::Text(self.cursor.since(at).to_owned())) };
        match &*name {
            _ if has_body => self.call(at, &name, true),
            "set" => self.set().map(Found::Node),
            "if" => self.if_().map(Found::Node),
            "else" | "end" => {
                self.cursor.line_end();
                Ok(Found::End(if name == "end" { End::Block } else { End::Else }))
            }
            "elseif" => Ok(Found::End(End::ElseIf)),
            "foreach" => self.foreach().map(Found::Node),
            "macro" => self.macro_().map(|()| Found::Nothing),
            "define" => self.define().map(Found::Node),
            "evaluate" => self.condition().map(|text| Found::Node(Node::Evaluate(text))),
            "break" => Ok(Found::Node(Node::Break)),
            "stop" => Ok(Found::Node(Node::Stop)),
            "include" | "parse" => Err(self.cursor.error(format!("#{name} is not supported"))),
            _ => self.call(at, &name, false),
        }
    }

    /// `( expression )` and the line end behind it.
    fn condition(&mut self) -> Parsed<Expression> {
        self.open()?;
        let expression = self.expression()?;
        self.close()?;
        Ok(expression)
    }

    fn open(&mut self) -> Parsed<()> {
        self.cursor.take_while(|c| c == ' ' || c == '\t');
        self.cursor.expect("(")
    }

    fn close(&mut self) -> Parsed<()> {
        self.cursor.space();
        self.cursor.expect(")")?;
        self.cursor.line_end();
        Ok(())
    }

    fn set(&mut self) -> Parsed<Node> {
        self.open()?;
        self.cursor.space();
        let target = self.reference()?.ok_or_else(|| self.cursor.error("Expected a reference"))?;
        self.cursor.space();
        self.cursor.expect("=")?;
        let value = self.expression()?;
        self.close()?;
        Ok(Node::Set { target, value })
    }

    fn if_(&mut self) -> Parsed<Node> {
        let mut arms = Vec::new();
        let mut otherwise: Block = Arc::new([]);
        loop {
            let condition = self.condition()?;
            let (block, end) = self.block()?;
            arms.push((condition, block));
            match end {
                End::ElseIf => {}
                End::Else => otherwise = self.block_to_end("else")?,
                End::Block => {}
                End::OfTemplate => return Err(self.cursor.error("'#if' has no '#end'")),
            }
            if end != End::ElseIf {
                return Ok(Node::If { arms, otherwise });
            }
        }
    }

    fn foreach(&mut self) -> Parsed<Node> {
        self.open()?;
        self.cursor.space();
        let item = self.reference()?.filter(|item| item.steps.is_empty());
        let item = item.ok_or_else(|| self.cursor.error("Expected a variable"))?.name;
        self.cursor.space();
        self.cursor.expect("in")?;
        let over = self.expression()?;
        self.close()?;
        Ok(Node::Foreach { item, over, body: self.block_to_end("foreach")? })
    }

    fn define(&mut self) -> Parsed<Node> {
        self.open()?;
        self.cursor.space();
        let name = self.reference()?.filter(|name| name.steps.is_empty());
        let name = name.ok_or_else(|| self.cursor.error("Expected a variable"))?.name;
        self.close()?;
        Ok(Node::Define { name, body: self.block_to_end("define")? })
    }

    /// The first definition of a name stays.
    fn macro_(&mut self) -> Parsed<()> {
        self.open()?;
        self.cursor.space();
        let name: Arc<str> =
            self.cursor.name(false).ok_or_else(|| self.cursor.error("Expected a macro's name"))?.into();
        let mut parameters = Vec::new();
        loop {
            self.cursor.take_while(|c| c.is_ascii_whitespace() || c == ',');
            match self.reference()? {
                Some(parameter) if parameter.steps.is_empty() => parameters.push(parameter.name),
                Some(_) => return Err(self.cursor.error("Expected a parameter's name")),
                None => break,
            }
        }
        self.close()?;
        let body = self.block_to_end("macro")?;
        self.macros.entry(name).or_insert_with(|| Arc::new(Macro { parameters, body }));
        Ok(())
    }

    /// A call of a macro, which may be defined later; or text.
    fn call(&mut self, at: usize, name: &str, has_body: bool) -> Parsed<Found> {
        let mut arguments = Vec::new();
        if self.cursor.eat("(") {
            loop {
                self.cursor.take_while(|c| c.is_ascii_whitespace() || c == ',');
                if self.cursor.is_at(")") {
                    break;
                }
                arguments.push(self.argument()?);
            }
            self.cursor.expect(")")?;
        } else if has_body {
            return Ok(Found::Text(self.cursor.since(at).to_owned()));
        }
        if self.cursor.since(at).ends_with(')') {
            self.cursor.line_end();
        }
        let source = self.cursor.since(at).into();
        let body = has_body.then(|| self.block_to_end(name)).transpose()?;
        Ok(Found::Node(Node::Call { name: name.into(), arguments, body, source }))
    }
}
