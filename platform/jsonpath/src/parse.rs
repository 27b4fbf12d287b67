//! From a text to a path.

use crate::Malformed;
use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::function::Function;
use crate::path::{Path, Step};

/// Characters of a path.
const LENGTH_MAX: usize = 4_096;

pub(crate) fn whole(text: &str) -> Result<Path, Malformed> {
    let mut cursor = Cursor::new(text.trim());
    if text.len() > LENGTH_MAX {
        return Err(cursor.error("it is too long"));
    }
    if text.trim().is_empty() {
        return Err(cursor.error("it is empty"));
    }
    let mut steps = Vec::new();
    let has_root = cursor.eat("$") || cursor.eat("@");
    let mut function = None;
    // `name` is `$.name`.
    if !has_root && !cursor.rest().starts_with(['.', '[']) {
        function = member(&mut cursor, &mut steps)?;
    }
    if function.is_none() {
        function = self::steps(&mut cursor, &mut steps)?;
    }
    match cursor.peek() {
        None => Ok(Path { steps, function }),
        Some(_) => Err(cursor.error("there is more than a path")),
    }
}

/// Steps as far as they go, and the function that may end them.
pub(crate) fn steps(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>) -> Result<Option<Function>, Malformed> {
    loop {
        let function = if cursor.eat("..") {
            steps.push(Step::Descend);
            if cursor.peek() == Some('[') {
                continue;
            }
            member(cursor, steps)?
        } else if cursor.eat(".") {
            member(cursor, steps)?
        } else if cursor.eat("[") {
            steps.push(cursor.deeper(brackets)?);
            None
        } else {
            return Ok(None);
        };
        if function.is_some() {
            return Ok(function);
        }
    }
}

/// What stands behind a point: a name, `*`, or a function.
fn member(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>) -> Result<Option<Function>, Malformed> {
    if cursor.eat("*") {
        steps.push(Step::All);
        return Ok(None);
    }
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '.' | '[' | ']' | '(' | ')' | '=' | '!' | '<' | '>' | '&' | '|' | ',')
    };
    let name = cursor.take_while(|c| !ends(c));
    if name.is_empty() {
        return Err(cursor.error("a name is missing"));
    }
    if cursor.eat("(") {
        cursor.space();
        cursor.expect(")")?;
        return Function::named(name).map(Some).ok_or_else(|| cursor.error("there is no such function"));
    }
    steps.push(Step::Member(name.to_owned()));
    Ok(None)
}

/// What stands between brackets, and the closing one.
fn brackets(cursor: &mut Cursor<'_>) -> Result<Step, Malformed> {
    cursor.space();
    let step = match cursor.peek() {
        Some('*') => {
            cursor.eat("*");
            Step::All
        }
        Some('\'' | '"') => names(cursor)?,
        Some('?') => {
            cursor.eat("?");
            cursor.space();
            cursor.expect("(")?;
            let filter = Filter::read(cursor)?;
            cursor.space();
            cursor.expect(")")?;
            Step::Filter(filter)
        }
        _ => places(cursor)?,
    };
    cursor.space();
    cursor.expect("]")?;
    Ok(step)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Step, Malformed> {
    let mut names = vec![cursor.quoted()?];
    cursor.space();
    while cursor.eat(",") {
        cursor.space();
        if !cursor.rest().starts_with(['\'', '"']) {
            return Err(cursor.error("a name in quotes is missing"));
        }
        names.push(cursor.quoted()?);
        cursor.space();
    }
    Ok(if names.len() == 1 { Step::Member(names.remove(0)) } else { Step::Members(names) })
}

fn places(cursor: &mut Cursor<'_>) -> Result<Step, Malformed> {
    let first = cursor.whole()?;
    cursor.space();
    if cursor.eat(":") {
        cursor.space();
        return Ok(Step::Slice(first, cursor.whole()?));
    }
    let first = first.ok_or_else(|| cursor.error("a place is missing"))?;
    let mut all = vec![first];
    while cursor.eat(",") {
        cursor.space();
        all.push(cursor.whole()?.ok_or_else(|| cursor.error("a place is missing"))?);
        cursor.space();
    }
    Ok(if all.len() == 1 { Step::Item(first) } else { Step::Items(all) })
}
