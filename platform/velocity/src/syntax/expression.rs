//! Expressions: literals, references, and operators between them.

use std::sync::Arc;

use super::cursor::Cursor;
use super::node::{Expression, Literal, Node, Operator, Program};
use super::{Parsed, Parser};

/// Operators, weakest first. Of two that begin alike the longer one comes first.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("eq", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("ne", Operator::NotEqual),
    ],
    &[
        ("<=", Operator::AtMost),
        ("le", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("ge", Operator::AtLeast),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::Greater),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| parser.level(0))
    }

    /// Operators of one strength, from left to right. Long chains are loops, and so cost no depth here;
    /// what they make is bounded, as its left sides are nested.
    fn level(&mut self, level: usize) -> Parsed<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        let mut links = 0;
        while let Some(operator) = self.operator(operators) {
            links += 1;
            if links > super::DEPTH_MAX {
                return Err(self.cursor.error(format!("More than {} operators in a row", super::DEPTH_MAX)));
            }
            let right = self.level(level + 1)?;
            left = Expression::Binary(operator, Box::new((left, right)));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        let at = self.cursor.at();
        self.cursor.space();
        let found = operators.iter().find(|(symbol, _)| self.eat_symbol(symbol));
        if found.is_none() {
            self.cursor.back_to(at);
        }
        found.map(|(_, operator)| *operator)
    }

    /// Passes a symbol, or a word that does not go on.
    fn eat_symbol(&mut self, symbol: &str) -> bool {
        let at = self.cursor.at();
        let is_word = symbol.starts_with(|c: char| c.is_ascii_alphabetic());
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.cursor.eat(symbol) && !(is_word && self.cursor.peek().is_some_and(goes_on)) {
            return true;
        }
        self.cursor.back_to(at);
        false
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.cursor.space();
        let is_not = !self.cursor.is_at("!=") && (self.cursor.eat("!") || self.eat_symbol("not"));
        if is_not {
            let inner = self.deeper(Self::unary)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        let is_number =
            self.cursor.is_at("-") && self.cursor.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if !is_number && self.cursor.eat("-") {
            let inner = self.deeper(Self::unary)?;
            return Ok(Expression::Negative(Box::new(inner)));
        }
        self.argument()
    }

    /// What stands between operators, and what a macro is called with.
    pub(super) fn argument(&mut self) -> Parsed<Expression> {
        self.cursor.space();
        match self.cursor.peek() {
            Some('$') => match self.reference()? {
                Some(reference) => Ok(Expression::Reference(reference)),
                None => Err(self.cursor.error("Expected a reference")),
            },
            Some('(') => {
                self.cursor.eat("(");
                let inner = self.expression()?;
                self.cursor.space();
                self.cursor.expect(")")?;
                Ok(inner)
            }
            Some('[') => self.list(),
            Some('{') => self.map(),
            Some(quote @ ('\'' | '"')) => self.text(quote),
            Some('-' | '0'..='9') => self.number(),
            _ if self.eat_symbol("true") => Ok(Expression::Literal(Literal::Flag(true))),
            _ if self.eat_symbol("false") => Ok(Expression::Literal(Literal::Flag(false))),
            Some(other) => Err(self.cursor.error(format!("Encountered '{other}'"))),
            None => Err(self.cursor.error("Encountered the end")),
        }
    }

    /// Expressions with commas between them, up to and with `close`.
    pub(super) fn listed(&mut self, close: &str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        self.cursor.space();
        while !self.cursor.eat(close) {
            if !items.is_empty() {
                self.cursor.expect(",")?;
            }
            items.push(self.expression()?);
            self.cursor.space();
        }
        Ok(items)
    }

    /// `[a, b]` or `[1..9]`.
    fn list(&mut self) -> Parsed<Expression> {
        self.cursor.expect("[")?;
        self.cursor.space();
        if self.cursor.eat("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.expression()?;
        self.cursor.space();
        if self.cursor.eat("..") {
            let last = self.expression()?;
            self.cursor.space();
            self.cursor.expect("]")?;
            return Ok(Expression::Range(Box::new((first, last))));
        }
        let mut items = vec![first];
        if self.cursor.eat(",") {
            items.extend(self.listed("]")?);
        } else {
            self.cursor.expect("]")?;
        }
        Ok(Expression::List(items))
    }

    fn map(&mut self) -> Parsed<Expression> {
        self.cursor.expect("{")?;
        let mut entries = Vec::new();
        self.cursor.space();
        while !self.cursor.eat("}") {
            if !entries.is_empty() {
                self.cursor.expect(",")?;
            }
            let key = self.expression()?;
            self.cursor.space();
            self.cursor.expect(":")?;
            entries.push((key, self.expression()?));
            self.cursor.space();
        }
        Ok(Expression::Map(entries))
    }

    /// A text in quotes; a doubled quote is one. In double quotes, references and directives act.
    fn text(&mut self, quote: char) -> Parsed<Expression> {
        let mark = quote.to_string();
        self.cursor.expect(&mark)?;
        let mut text = String::new();
        loop {
            let part = self.cursor.take_until(&mark);
            text.push_str(part.ok_or_else(|| self.cursor.error("A text in quotes does not end"))?);
            if !self.cursor.eat(&mark) {
                break;
            }
            text.push(quote);
        }
        if quote == '"' && text.contains(['$', '#']) {
            return self.interpolated(&text);
        }
        Ok(Expression::Literal(Literal::Text(text.into())))
    }

    fn interpolated(&mut self, text: &str) -> Parsed<Expression> {
        let program = self.deeper(|parser| {
            let mut inner =
                Parser { cursor: Cursor::new(text), depth: parser.depth, macros: Default::default() };
            Ok(Program { body: inner.whole()?, macros: inner.macros })
        })?;
        Ok(match &*program.body {
            [] => Expression::Literal(Literal::Text("".into())),
            [Node::Text(text)] => Expression::Literal(Literal::Text((&**text).into())),
            _ => Expression::Interpolated(Arc::new(program)),
        })
    }

    fn number(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        let digits = |c: char| c.is_ascii_digit();
        self.cursor.eat("-");
        self.cursor.take_while(digits);
        // `1..5` is a range, and `1.size` is no number with a point.
        let has_point = self.cursor.is_at(".") && self.cursor.rest()[1..].starts_with(digits);
        if has_point {
            self.cursor.eat(".");
            self.cursor.take_while(digits);
        }
        if has_point && (self.cursor.eat("e") || self.cursor.eat("E")) {
            let _ = self.cursor.eat("-") || self.cursor.eat("+");
            self.cursor.take_while(digits);
        }
        let text = self.cursor.since(at);
        let literal = if has_point {
            text.parse().ok().map(Literal::Float)
        } else {
            text.parse().ok().map(Literal::Whole)
        };
        let literal = literal.ok_or_else(|| self.cursor.error(format!("'{text}' is no number")))?;
        Ok(Expression::Literal(literal))
    }
}
