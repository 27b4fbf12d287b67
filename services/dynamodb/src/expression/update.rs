//! The grammar of updates.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use pagoda_protocol::ApiError;

use super::parser::Parser;
use super::path::Path;
use super::projection::Projection;
use super::scope::Scope;
use super::token::Token;
use crate::value::{AttributeValue, Type};

/// What becomes of an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update<'a> {
    /// In the order of the text; all see the item as it was.
    pub(super) actions: Vec<(Path<'a>, Action<'a>)>,
    /// The places that change.
    touched: Projection<'a>,
}

/// What happens at a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action<'a> {
    /// `SET path = …`
    Set(Term<'a>),
    /// `REMOVE path`
    Remove,
    /// `ADD path :value`
    Add(&'a AttributeValue),
    /// `DELETE path :value`
    Delete(&'a AttributeValue),
}

/// A value to be computed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term<'a> {
    /// What the item has there.
    Path(Path<'a>),
    /// A value of the request.
    Value(&'a AttributeValue),
    /// `if_not_exists(path, value)`
    IfNotExists(Path<'a>, Box<Term<'a>>),
    /// `list_append(list, list)`
    ListAppend(Box<Term<'a>>, Box<Term<'a>>),
    /// `a + b`
    Plus(Box<Term<'a>>, Box<Term<'a>>),
    /// `a - b`
    Minus(Box<Term<'a>>, Box<Term<'a>>),
}

const SECTIONS: [&str; 4] = ["SET", "REMOVE", "ADD", "DELETE"];

impl<'a> Update<'a> {
    /// The update that a request asks for, if it does.
    ///
    /// # Errors
    /// `ValidationException` with DynamoDB's description of what is wrong.
    pub(crate) fn parse(text: Option<&'a str>, scope: &mut Scope<'a>) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let mut parser = Parser::new("UpdateExpression", text, scope)?;
        let mut actions = Vec::new();
        let mut seen = [false; SECTIONS.len()];
        while parser.peek() != Token::End {
            let place = SECTIONS.iter().position(|section| parser.is_keyword(section));
            let place = place.ok_or_else(|| parser.syntax_error())?;
            let section = SECTIONS[place];
            if std::mem::replace(&mut seen[place], true) {
                let what =
                    format!("The \"{section}\" section can only be used once in an update expression;");
                return Err(parser.fail(&what));
            }
            parser.step();
            actions.push(action(&mut parser, section)?);
            while parser.take(",") {
                actions.push(action(&mut parser, section)?);
            }
        }
        let paths: Vec<_> = actions.iter().map(|(path, _)| path).collect();
        let touched = Projection::of(&paths).map_err(|what| parser.fail(&what))?;
        Ok(Some(Self { actions, touched }))
    }

    /// The attributes that change.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.actions.iter().map(|(path, _)| path.attribute)
    }

    /// The places that change, for `UPDATED_OLD` and `UPDATED_NEW`.
    pub(crate) fn touched(&self) -> &Projection<'a> {
        &self.touched
    }
}

fn action<'a>(parser: &mut Parser<'a, '_>, section: &str) -> Result<(Path<'a>, Action<'a>), ApiError> {
    parser.operator()?;
    let path = parser.path()?;
    let action = match section {
        "SET" => {
            parser.expect("=")?;
            Action::Set(sum(parser)?)
        }
        "REMOVE" => Action::Remove,
        _ => {
            let value = parser.value()?.ok_or_else(|| parser.syntax_error())?;
            let is_set = matches!(value.kind(), Type::SS | Type::NS | Type::BS);
            let is_summand = section == "ADD" && value.kind() == Type::N;
            if !is_set && !is_summand {
                let kind = long_name(value.kind());
                return Err(parser.fail(&format!(
                    "Incorrect operand type for operator or function; operator: {section}, operand type: {kind}, \
                     typeSet: ALLOWED_FOR_{section}_OPERAND"
                )));
            }
            if section == "ADD" { Action::Add(value) } else { Action::Delete(value) }
        }
    };
    Ok((path, action))
}

fn sum<'a>(parser: &mut Parser<'a, '_>) -> Result<Term<'a>, ApiError> {
    let left = term(parser)?;
    let sign = match parser.peek() {
        Token::Sign(sign @ ("+" | "-")) => sign,
        _ => return Ok(left),
    };
    parser.operator()?;
    parser.step();
    let right = term(parser)?;
    for side in [&left, &right] {
        if let Term::Value(value) = side
            && value.kind() != Type::N
        {
            return Err(parser.wrong_type(sign, value));
        }
    }
    let (left, right) = (Box::new(left), Box::new(right));
    Ok(if sign == "+" { Term::Plus(left, right) } else { Term::Minus(left, right) })
}

fn term<'a>(parser: &mut Parser<'a, '_>) -> Result<Term<'a>, ApiError> {
    if let Some(value) = parser.value()? {
        return Ok(Term::Value(value));
    }
    if parser.take("(") {
        let inner = parser.nested(sum)?;
        parser.expect(")")?;
        return Ok(inner);
    }
    if let (Token::Word(function), Token::Sign("(")) = (parser.peek(), parser.peek_second()) {
        return call(parser, function);
    }
    if !parser.is_path() {
        return Err(parser.syntax_error());
    }
    parser.path().map(Term::Path)
}

fn call<'a>(parser: &mut Parser<'a, '_>, function: &'a str) -> Result<Term<'a>, ApiError> {
    match function {
        "if_not_exists" | "list_append" => {}
        "attribute_exists"
        | "attribute_not_exists"
        | "attribute_type"
        | "begins_with"
        | "contains"
        | "size" => {
            let what = "The function is not allowed in an update expression; function";
            return Err(parser.fail(&format!("{what}: {function}")));
        }
        _ => return Err(parser.fail(&format!("Invalid function name; function: {function}"))),
    }
    parser.operator()?;
    parser.step();
    parser.step();
    let mut operands = parser.nested(|parser| {
        let mut operands = vec![term(parser)?];
        while parser.take(",") {
            operands.push(term(parser)?);
        }
        Ok(operands)
    })?;
    parser.expect(")")?;
    if operands.len() != 2 {
        return Err(parser.wrong_count(function, operands.len()));
    }
    let (second, first) = (operands.remove(1), operands.remove(0));
    if function == "list_append" {
        for side in [&first, &second] {
            if let Term::Value(value) = side
                && value.kind() != Type::L
            {
                return Err(parser.wrong_type(function, value));
            }
        }
        return Ok(Term::ListAppend(Box::new(first), Box::new(second)));
    }
    let Term::Path(path) = first else {
        let what = "Operator or function requires a document path; operator or function";
        return Err(parser.fail(&format!("{what}: {function}")));
    };
    Ok(Term::IfNotExists(path, Box::new(second)))
}

fn long_name(kind: Type) -> &'static str {
    match kind {
        Type::S => "STRING",
        Type::N => "NUMBER",
        Type::B => "BINARY",
        Type::SS => "STRING_SET",
        Type::NS => "NUMBER_SET",
        Type::BS => "BINARY_SET",
        Type::M => "MAP",
        Type::L => "LIST",
        Type::Null => "NULL",
        Type::Bool => "BOOLEAN",
    }
}
