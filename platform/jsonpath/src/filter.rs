//! Filters: conditions on the items of a list.

use std::borrow::Cow;

use regex::RegexBuilder;
use serde_json::Value;

use crate::Malformed;
use crate::comparison::Comparison;
use crate::cursor::Cursor;
use crate::find::{Budget, Exhausted, follow};
use crate::parse;
use crate::path::Path;

/// Bytes that a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// A condition.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    /// There is a value, `null` too.
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

/// A side of a comparison.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Literal(Value),
    Pattern(regex::Regex),
    /// From the item (`@`) or from the document (`$`).
    Path {
        path: Box<Path>,
        from_root: bool,
    },
}

impl Filter {
    /// Reads alternatives.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.deeper(|cursor| {
            let mut sides = vec![Self::all(cursor)?];
            while eat(cursor, "||") {
                sides.push(Self::all(cursor)?);
            }
            Ok(if sides.len() == 1 { sides.remove(0) } else { Self::Or(sides) })
        })
    }

    fn all(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let mut sides = vec![Self::one(cursor)?];
        while eat(cursor, "&&") {
            sides.push(Self::one(cursor)?);
        }
        Ok(if sides.len() == 1 { sides.remove(0) } else { Self::And(sides) })
    }

    fn one(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.space();
        if cursor.eat("!") {
            return Ok(Self::Not(Box::new(cursor.deeper(Self::one)?)));
        }
        if cursor.eat("(") {
            let inner = Self::read(cursor)?;
            cursor.space();
            cursor.expect(")")?;
            return Ok(inner);
        }
        let left = Operand::read(cursor)?;
        cursor.space();
        let Some(comparison) = Comparison::read(cursor) else { return Ok(Self::Exists(left)) };
        cursor.space();
        Ok(Self::Compare(left, comparison, Operand::read(cursor)?))
    }

    pub(crate) fn holds(&self, root: &Value, item: &Value, budget: &mut Budget) -> Result<bool, Exhausted> {
        budget.take(1)?;
        match self {
            Self::Or(sides) => any(sides, |side| side.holds(root, item, budget)),
            Self::And(sides) => any(sides, |side| Ok(!side.holds(root, item, budget)?)).map(|no| !no),
            Self::Not(inner) => Ok(!inner.holds(root, item, budget)?),
            Self::Exists(operand) => match operand.value(root, item, budget)? {
                // A path that may lead to many exists if it leads to any.
                Some(Cow::Owned(Value::Array(found))) => Ok(!found.is_empty()),
                found => Ok(found.is_some()),
            },
            Self::Compare(left, comparison, right) => {
                let left = left.value(root, item, budget)?;
                if let Operand::Pattern(pattern) = right {
                    return Ok(comparison.matches(left.as_deref(), pattern));
                }
                let right = right.value(root, item, budget)?;
                Ok(comparison.holds(left.as_deref(), right.as_deref()))
            }
        }
    }
}

fn any(
    sides: &[Filter],
    mut holds: impl FnMut(&Filter) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    for side in sides {
        if holds(side)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn eat(cursor: &mut Cursor<'_>, symbol: &str) -> bool {
    cursor.space();
    cursor.eat(symbol)
}

impl Operand {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        match cursor.peek() {
            Some(root @ ('@' | '$')) => {
                cursor.next();
                let mut steps = Vec::new();
                let function = parse::steps(cursor, &mut steps)?;
                let path = Box::new(Path { steps, function });
                Ok(Self::Path { path, from_root: root == '$' })
            }
            Some('\'' | '"') => Ok(Self::Literal(cursor.quoted()?.into())),
            Some('/') => Self::pattern(cursor),
            Some('[' | '{') => Self::json(cursor),
            _ => {
                let ends =
                    |c: char| c.is_whitespace() || matches!(c, ')' | '&' | '|' | '=' | '!' | '<' | '>' | ',');
                let word = cursor.take_while(|c| !ends(c));
                let value = serde_json::from_str(word);
                value.map(Self::Literal).map_err(|_| cursor.error("a value is missing"))
            }
        }
    }

    /// `/pattern/` or `/pattern/i`.
    fn pattern(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.next();
        let mut pattern = String::new();
        loop {
            match cursor.next() {
                None => return Err(cursor.error("a pattern does not end")),
                Some('/') => break,
                Some('\\') => {
                    pattern.push('\\');
                    pattern.extend(cursor.next());
                }
                Some(other) => pattern.push(other),
            }
        }
        let ignores_case = cursor.eat("i");
        // The whole text must match.
        let built = RegexBuilder::new(&format!("^(?:{pattern})$"))
            .case_insensitive(ignores_case)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        built.map(Self::Pattern).map_err(|_| cursor.error("a pattern is malformed"))
    }

    /// A list or an object; texts in it may have single quotes.
    fn json(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let mut text = String::new();
        let mut open = 0_usize;
        loop {
            match cursor.peek() {
                None => return Err(cursor.error("a value does not end")),
                Some('\'' | '"') => text.push_str(&Value::from(cursor.quoted()?).to_string()),
                Some(other) => {
                    cursor.next();
                    text.push(other);
                    match other {
                        '[' | '{' => open += 1,
                        ']' | '}' => open -= 1,
                        _ => {}
                    }
                }
            }
            if open == 0 {
                break;
            }
        }
        serde_json::from_str(&text).map(Self::Literal).map_err(|_| cursor.error("a value is malformed"))
    }

    fn value<'d>(
        &'d self,
        root: &'d Value,
        item: &'d Value,
        budget: &mut Budget,
    ) -> Result<Option<Cow<'d, Value>>, Exhausted> {
        match self {
            Self::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            Self::Pattern(_) => Ok(None),
            Self::Path { path, from_root } => {
                let start = if *from_root { root } else { item };
                follow(path, root, start, budget)
            }
        }
    }
}
