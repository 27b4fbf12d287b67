//! The tree of a template.

use std::collections::HashMap;
use std::sync::Arc;

/// A template, with the macros that it defines anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) body: Block,
    pub(crate) macros: HashMap<Arc<str>, Arc<Macro>>,
}

pub(crate) type Block = Arc<[Node]>;

/// A part of a template.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Box<str>),
    /// A reference, printed; with the backslashes before it.
    Reference {
        reference: Reference,
        slashes: usize,
    },
    Set {
        target: Reference,
        value: Expression,
    },
    If {
        arms: Vec<(Expression, Block)>,
        otherwise: Block,
    },
    Foreach {
        item: Arc<str>,
        over: Expression,
        body: Block,
    },
    Define {
        name: Arc<str>,
        body: Block,
    },
    Evaluate(Expression),
    /// `#name(…)`: text, where there is no such macro.
    Call {
        name: Arc<str>,
        arguments: Vec<Expression>,
        body: Option<Block>,
        source: Box<str>,
    },
    Break,
    Stop,
}

/// What `#name(…)` stands for.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) parameters: Vec<Arc<str>>,
    pub(crate) body: Block,
}

/// `$name.step…`
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) name: Arc<str>,
    pub(crate) steps: Vec<Step>,
    /// `$!`: nothing is printed where there is no value.
    pub(crate) is_quiet: bool,
    /// As it was written, which is printed where there is no value.
    pub(crate) source: Arc<str>,
}

/// From one value to the next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Property(Arc<str>),
    Call(Arc<str>, Vec<Expression>),
    Index(Expression),
}

/// What has a value.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Literal(Literal),
    /// A text in double quotes with references or directives in it.
    Interpolated(Arc<Program>),
    Reference(Reference),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    Range(Box<(Expression, Expression)>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<(Expression, Expression)>),
}

#[derive(Debug, Clone)]
pub(crate) enum Literal {
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(Arc<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
