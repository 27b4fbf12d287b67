//! What all grammars share: the place in the tokens, paths, placeholders, and the words of refusals.

use pagoda_protocol::ApiError;

use super::path::{Path, Step};
use super::reserved::is_reserved;
use super::scope::Scope;
use super::token::{Placed, Token, text_of, tokens};
use crate::value::AttributeValue;

/// Longest expression, in bytes.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters>
const BYTES_MAX: usize = 4096;
/// Most operators and functions in one expression.
const OPERATORS_MAX: usize = 300;
/// Most parentheses, negations and functions inside of each other.
const NESTING_MAX: usize = 64;

/// A place in an expression.
pub(crate) struct Parser<'a, 's> {
    parameter: &'static str,
    text: &'a str,
    tokens: Vec<Placed<'a>>,
    at: usize,
    operators: usize,
    nesting: usize,
    scope: &'s mut Scope<'a>,
}

impl<'a, 's> Parser<'a, 's> {
    /// At the start of `text`, which is the request's `parameter`.
    pub(super) fn new(
        parameter: &'static str,
        text: &'a str,
        scope: &'s mut Scope<'a>,
    ) -> Result<Self, ApiError> {
        let mut parser = Self { parameter, text, tokens: Vec::new(), at: 0, operators: 0, nesting: 0, scope };
        if text.len() > BYTES_MAX {
            let sizes = format!("expression size: {}", text.len());
            return Err(
                parser.fail(&format!("Expression size has exceeded the maximum allowed size; {sizes}"))
            );
        }
        parser.tokens = tokens(text);
        if parser.tokens.len() == 1 {
            return Err(parser.fail("The expression can not be empty;"));
        }
        Ok(parser)
    }

    /// 400 `ValidationException`.
    pub(super) fn fail(&self, what: &str) -> ApiError {
        ApiError::validation(format!("Invalid {}: {what}", self.parameter))
    }

    /// The refusal of the token at hand.
    pub(super) fn syntax_error(&self) -> ApiError {
        let here = self.tokens[self.at];
        let before = self.tokens[self.at.saturating_sub(1)];
        let after = self.tokens[(self.at + 1).min(self.tokens.len() - 1)];
        let token = if here.token == Token::End { "<EOF>" } else { text_of(here.token) };
        let near = &self.text[before.start..after.end];
        self.fail(&format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }

    /// The token at hand.
    pub(super) fn peek(&self) -> Token<'a> {
        self.tokens[self.at].token
    }

    /// The token behind the one at hand.
    pub(super) fn peek_second(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)].token
    }

    /// Goes to the next token; the end is never passed.
    pub(super) fn step(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Takes the sign, if it is at hand.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.peek() == Token::Sign(sign);
        if found {
            self.step();
        }
        found
    }

    /// Takes the sign.
    pub(super) fn expect(&mut self, sign: &str) -> Result<(), ApiError> {
        if self.take(sign) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// Whether the keyword is at hand, in any case of letters.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Takes the keyword, if it is at hand.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        if found {
            self.step();
        }
        found
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Result<(), ApiError> {
        if self.peek() == Token::End { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// Counts an operator.
    pub(super) fn operator(&mut self) -> Result<(), ApiError> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            let what = "The expression has too many operators; maximum number of operators";
            return Err(self.fail(&format!("{what}: {OPERATORS_MAX}")));
        }
        Ok(())
    }

    /// Parses one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(
                self.fail(&format!("The expression is nested too deeply; maximum depth: {NESTING_MAX}"))
            );
        }
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// Whether a path is at hand.
    pub(super) fn is_path(&self) -> bool {
        matches!(self.peek(), Token::Word(_) | Token::Name(_))
    }

    /// Takes a path.
    pub(super) fn path(&mut self) -> Result<Path<'a>, ApiError> {
        let attribute = self.attribute()?;
        self.scope.note(attribute);
        let mut inside = Vec::new();
        loop {
            if self.take(".") {
                inside.push(Step::Name(self.attribute()?));
            } else if self.take("[") {
                let Token::Digits(digits) = self.peek() else { return Err(self.syntax_error()) };
                let index = digits.parse().map_err(|_| {
                    self.fail(&format!("List index is not within the allowable range; index: [{digits}]"))
                })?;
                self.step();
                self.expect("]")?;
                inside.push(Step::Index(index));
            } else {
                return Ok(Path { attribute, inside });
            }
        }
    }

    fn attribute(&mut self) -> Result<&'a str, ApiError> {
        let name = match self.peek() {
            Token::Word(word) if is_reserved(word) => {
                let what = "Attribute name is a reserved keyword; reserved keyword";
                return Err(self.fail(&format!("{what}: {word}")));
            }
            Token::Word(word) => word,
            Token::Name(placeholder) => self.scope.name(placeholder).ok_or_else(|| {
                let what = "An expression attribute name used in the document path is not defined";
                self.fail(&format!("{what}; attribute name: {placeholder}"))
            })?,
            _ => return Err(self.syntax_error()),
        };
        self.step();
        Ok(name)
    }

    /// Takes a value, if one is at hand.
    pub(super) fn value(&mut self) -> Result<Option<&'a AttributeValue>, ApiError> {
        let Token::Value(placeholder) = self.peek() else { return Ok(None) };
        let value = self.scope.value(placeholder).ok_or_else(|| {
            let what = "An expression attribute value used in expression is not defined";
            self.fail(&format!("{what}; attribute value: {placeholder}"))
        })?;
        self.step();
        Ok(Some(value))
    }

    /// Refuses a function's or operator's number of operands.
    pub(super) fn wrong_count(&self, function: &str, count: usize) -> ApiError {
        let what = "Incorrect number of operands for operator or function; operator or function";
        self.fail(&format!("{what}: {function}, number of operands: {count}"))
    }

    /// Refuses the type of a function's or operator's operand.
    pub(super) fn wrong_type(&self, function: &str, operand: &AttributeValue) -> ApiError {
        let what = "Incorrect operand type for operator or function; operator or function";
        self.fail(&format!("{what}: {function}, operand type: {}", operand.kind().as_str()))
    }
}
