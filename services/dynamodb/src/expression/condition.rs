//! The grammar of conditions and filters.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use pagoda_protocol::ApiError;

use super::parser::Parser;
use super::path::Path;
use super::scope::Scope;
use super::token::Token;
use crate::value::{AttributeValue, Type};

/// Most values that `IN` compares with.
const CHOICES_MAX: usize = 100;

/// Something that is true or false of an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition<'a> {
    /// All of them.
    And(Vec<Condition<'a>>),
    /// At least one of them.
    Or(Vec<Condition<'a>>),
    /// Not.
    Not(Box<Condition<'a>>),
    /// `a < b` and its like.
    Compare(Comparator, Operand<'a>, Operand<'a>),
    /// `a BETWEEN b AND c`.
    Between(Operand<'a>, Operand<'a>, Operand<'a>),
    /// `a IN (b, …)`.
    In(Operand<'a>, Vec<Operand<'a>>),
    /// `attribute_exists(path)`.
    Exists(Path<'a>),
    /// `attribute_not_exists(path)`.
    NotExists(Path<'a>),
    /// `attribute_type(path, type)`.
    HasType(Path<'a>, Type),
    /// `begins_with(a, b)`.
    BeginsWith(Operand<'a>, Operand<'a>),
    /// `contains(a, b)`.
    Contains(Operand<'a>, Operand<'a>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand<'a> {
    /// What the item has there.
    Path(Path<'a>),
    /// A value of the request.
    Value(&'a AttributeValue),
    /// `size(a)`.
    Size(Box<Operand<'a>>),
}

impl Comparator {
    /// The sign.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn of(sign: &str) -> Option<Self> {
        let all =
            [Self::Equal, Self::Unequal, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];
        all.into_iter().find(|comparator| comparator.as_str() == sign)
    }
}

impl<'a> Condition<'a> {
    /// The condition that is the request's `parameter`, if it has one.
    ///
    /// # Errors
    /// `ValidationException` with DynamoDB's description of what is wrong.
    pub(crate) fn parse(
        parameter: &'static str,
        text: Option<&'a str>,
        scope: &mut Scope<'a>,
    ) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let mut parser = Parser::new(parameter, text, scope)?;
        let (condition, _) = any(&mut parser)?;
        parser.end()?;
        Ok(Some(condition))
    }
}

impl Condition<'_> {
    /// Whether it asks for `attribute`, or for something inside of it.
    pub(crate) fn mentions(&self, attribute: &str) -> bool {
        let of_path = |path: &Path<'_>| path.attribute == attribute;
        let of = |operands: &[&Operand<'_>]| operands.iter().any(|operand| operand.mentions(attribute));
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.mentions(attribute)),
            Self::Not(inner) => inner.mentions(attribute),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                of(&[left, right])
            }
            Self::Between(value, low, high) => of(&[value, low, high]),
            Self::In(value, choices) => {
                of(&[value]) || choices.iter().any(|choice| choice.mentions(attribute))
            }
            Self::Exists(path) | Self::NotExists(path) | Self::HasType(path, _) => of_path(path),
        }
    }
}

impl Operand<'_> {
    fn mentions(&self, attribute: &str) -> bool {
        match self {
            Self::Path(path) => path.attribute == attribute,
            Self::Value(_) => false,
            Self::Size(inner) => inner.mentions(attribute),
        }
    }
}

/// Alternatives, and whether they are all in one pair of parentheses.
fn any<'a>(parser: &mut Parser<'a, '_>) -> Result<(Condition<'a>, bool), ApiError> {
    let (first, enclosed) = all(parser)?;
    if !parser.is_keyword("OR") {
        return Ok((first, enclosed));
    }
    let mut alternatives = vec![first];
    while parser.take_keyword("OR") {
        parser.operator()?;
        alternatives.push(all(parser)?.0);
    }
    Ok((Condition::Or(alternatives), false))
}

fn all<'a>(parser: &mut Parser<'a, '_>) -> Result<(Condition<'a>, bool), ApiError> {
    let (first, enclosed) = negated(parser)?;
    if !parser.is_keyword("AND") {
        return Ok((first, enclosed));
    }
    let mut parts = vec![first];
    while parser.take_keyword("AND") {
        parser.operator()?;
        parts.push(negated(parser)?.0);
    }
    Ok((Condition::And(parts), false))
}

fn negated<'a>(parser: &mut Parser<'a, '_>) -> Result<(Condition<'a>, bool), ApiError> {
    if parser.take_keyword("NOT") {
        parser.operator()?;
        let (inner, _) = parser.nested(negated)?;
        return Ok((Condition::Not(Box::new(inner)), false));
    }
    if parser.take("(") {
        let (inner, enclosed) = parser.nested(any)?;
        parser.expect(")")?;
        if enclosed {
            return Err(parser.fail("The expression has redundant parentheses;"));
        }
        return Ok((inner, true));
    }
    comparison(parser).map(|condition| (condition, false))
}

fn comparison<'a>(parser: &mut Parser<'a, '_>) -> Result<Condition<'a>, ApiError> {
    if let (Token::Word(function), Token::Sign("(")) = (parser.peek(), parser.peek_second())
        && function != "size"
    {
        return call(parser, function);
    }
    let is_size = parser.peek() == Token::Word("size");
    let left = operand(parser)?;
    if let Token::Sign(sign) = parser.peek()
        && let Some(comparator) = Comparator::of(sign)
    {
        parser.operator()?;
        parser.step();
        let right = operand(parser)?;
        check_comparison(parser, comparator, &left, &right)?;
        return Ok(Condition::Compare(comparator, left, right));
    }
    if parser.take_keyword("BETWEEN") {
        parser.operator()?;
        let low = operand(parser)?;
        if !parser.take_keyword("AND") {
            return Err(parser.syntax_error());
        }
        let high = operand(parser)?;
        check_bounds(parser, &low, &high)?;
        return Ok(Condition::Between(left, low, high));
    }
    if parser.take_keyword("IN") {
        parser.operator()?;
        return choices(parser).map(|choices| Condition::In(left, choices));
    }
    if is_size && parser.peek() == Token::End {
        return Err(misplaced(parser, "size"));
    }
    Err(parser.syntax_error())
}

fn choices<'a>(parser: &mut Parser<'a, '_>) -> Result<Vec<Operand<'a>>, ApiError> {
    parser.expect("(")?;
    let choices = operands(parser)?;
    if choices.len() > CHOICES_MAX {
        return Err(parser.wrong_count("IN", choices.len()));
    }
    Ok(choices)
}

/// Operands up to the closing parenthesis.
fn operands<'a>(parser: &mut Parser<'a, '_>) -> Result<Vec<Operand<'a>>, ApiError> {
    let mut operands = vec![operand(parser)?];
    while parser.take(",") {
        operands.push(operand(parser)?);
    }
    parser.expect(")")?;
    Ok(operands)
}

fn operand<'a>(parser: &mut Parser<'a, '_>) -> Result<Operand<'a>, ApiError> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    if let (Token::Word(function), Token::Sign("(")) = (parser.peek(), parser.peek_second()) {
        if function != "size" {
            known(parser, function)?;
            return Err(misplaced(parser, function));
        }
        parser.operator()?;
        parser.step();
        parser.step();
        let mut operands = parser.nested(operands)?;
        if operands.len() != 1 {
            return Err(parser.wrong_count("size", operands.len()));
        }
        return match operands.remove(0) {
            Operand::Size(_) => Err(misplaced(parser, "size")),
            Operand::Value(
                value @ (AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null),
            ) => Err(parser.wrong_type("size", value)),
            operand => Ok(Operand::Size(Box::new(operand))),
        };
    }
    parser.path().map(Operand::Path)
}

fn call<'a>(parser: &mut Parser<'a, '_>, function: &'a str) -> Result<Condition<'a>, ApiError> {
    known(parser, function)?;
    parser.operator()?;
    parser.step();
    parser.step();
    let operands = parser.nested(operands)?;
    let count = operands.len();
    let mut operands = operands.into_iter();
    let condition = match (function, operands.next(), operands.next(), count) {
        ("attribute_exists", Some(path), _, 1) => Condition::Exists(path_of(parser, function, path)?),
        ("attribute_not_exists", Some(path), _, 1) => Condition::NotExists(path_of(parser, function, path)?),
        ("attribute_type", Some(path), Some(name), 2) => {
            Condition::HasType(path_of(parser, function, path)?, type_named(parser, &name)?)
        }
        ("begins_with", Some(value), Some(start), 2) => {
            check_start(parser, &start)?;
            Condition::BeginsWith(value, start)
        }
        ("contains", Some(value), Some(part), 2) => {
            check_distinct(parser, function, &value, &part)?;
            Condition::Contains(value, part)
        }
        _ => return Err(parser.wrong_count(function, count)),
    };
    match parser.peek() {
        Token::Sign(sign) if Comparator::of(sign).is_some() => Err(misplaced(parser, function)),
        _ => Ok(condition),
    }
}

fn known(parser: &Parser<'_, '_>, function: &str) -> Result<(), ApiError> {
    match function {
        "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains" => Ok(()),
        "if_not_exists" | "list_append" => {
            let what = "The function is not allowed in a condition expression; function";
            Err(parser.fail(&format!("{what}: {function}")))
        }
        _ => Err(parser.fail(&format!("Invalid function name; function: {function}"))),
    }
}

fn misplaced(parser: &Parser<'_, '_>, function: &str) -> ApiError {
    let what = "The function is not allowed to be used this way in an expression; function";
    parser.fail(&format!("{what}: {function}"))
}

fn path_of<'a>(parser: &Parser<'a, '_>, function: &str, operand: Operand<'a>) -> Result<Path<'a>, ApiError> {
    match operand {
        Operand::Path(path) => Ok(path),
        _ => {
            let what = "Operator or function requires a document path; operator or function";
            Err(parser.fail(&format!("{what}: {function}")))
        }
    }
}

fn type_named(parser: &Parser<'_, '_>, operand: &Operand<'_>) -> Result<Type, ApiError> {
    let name = match operand {
        Operand::Value(AttributeValue::S(name)) => name,
        Operand::Value(value) => return Err(parser.wrong_type("attribute_type", value)),
        _ => return Err(misplaced(parser, "attribute_type")),
    };
    Type::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
        let valid = "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}";
        parser.fail(&format!("Invalid attribute type name found; type: {name}, {valid}"))
    })
}

fn check_start(parser: &Parser<'_, '_>, start: &Operand<'_>) -> Result<(), ApiError> {
    match start {
        Operand::Value(value) if !matches!(value.kind(), Type::S | Type::B) => {
            Err(parser.wrong_type("begins_with", value))
        }
        _ => Ok(()),
    }
}

fn check_distinct(
    parser: &Parser<'_, '_>,
    operator: &str,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<(), ApiError> {
    match (left, right) {
        (Operand::Path(path), Operand::Path(other)) if path == other => {
            let what = "The first operand must be distinct from the remaining operands for this operator or function";
            Err(parser.fail(&format!("{what}; operator: {operator}, first operand: {path}")))
        }
        _ => Ok(()),
    }
}

fn check_comparison(
    parser: &Parser<'_, '_>,
    comparator: Comparator,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<(), ApiError> {
    check_distinct(parser, comparator.as_str(), left, right)?;
    if matches!(comparator, Comparator::Equal | Comparator::Unequal) {
        return Ok(());
    }
    for operand in [left, right] {
        check_ordered(parser, comparator.as_str(), operand)?;
    }
    Ok(())
}

fn check_ordered(parser: &Parser<'_, '_>, operator: &str, operand: &Operand<'_>) -> Result<(), ApiError> {
    match operand {
        Operand::Value(value) if !value.kind().is_ordered() => Err(parser.wrong_type(operator, value)),
        _ => Ok(()),
    }
}

fn check_bounds(parser: &Parser<'_, '_>, low: &Operand<'_>, high: &Operand<'_>) -> Result<(), ApiError> {
    check_ordered(parser, "BETWEEN", low)?;
    check_ordered(parser, "BETWEEN", high)?;
    let (Operand::Value(low), Operand::Value(high)) = (low, high) else { return Ok(()) };
    let bounds =
        format!("lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}");
    match low.compare(high) {
        None => Err(parser.fail(&format!(
            "The BETWEEN operator requires same data type for lower and upper bounds; {bounds}"
        ))),
        Some(std::cmp::Ordering::Greater) => Err(parser.fail(&format!(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        ))),
        Some(_) => Ok(()),
    }
}
