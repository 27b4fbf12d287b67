//! What a target gets of an event: all of it, a part, a constant, or a text made from parts.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use serde_json::Value;

use crate::table::Input;

/// How many steps a path may have.
const STEPS_MAX: usize = 64;

/// What is known beside the event itself.
pub(crate) struct Surroundings<'a> {
    pub(crate) rule: &'a str,
    pub(crate) rule_arn: &'a str,
    pub(crate) now: Timestamp,
}

impl Input {
    /// The payload for `event`; `None` where it would be no JSON.
    pub(crate) fn payload(&self, event: &Value, surroundings: &Surroundings<'_>) -> Option<String> {
        match self {
            Self::Event => Some(event.to_string()),
            Self::Constant(text) => Some(text.clone()),
            Self::Path(path) => Some(at(event, &steps(path)?).map_or("{}".to_owned(), Value::to_string)),
            Self::Template { paths, template } => {
                let text = filled(template, event, paths, surroundings);
                serde_json::from_str::<serde::de::IgnoredAny>(&text).ok().map(|_| text)
            }
        }
    }
}

/// The steps of `$.detail.items[0]`; `None` for what is no such path.
pub(crate) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= STEPS_MAX {
            return None;
        }
        let (step, after) = if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            (Step::Name(Some(&named[..end]).filter(|name| !name.is_empty())?.to_owned()), &named[end..])
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = inside.strip_prefix('\'').and_then(|inside| inside.strip_suffix('\''));
            match quoted {
                Some(name) => (Step::Name(name.to_owned()), after),
                None => (Step::Place(inside.parse().ok()?), after),
            }
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// One step of a path.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Place(usize),
}

fn at<'v>(event: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(event, |value, step| match step {
        Step::Name(name) => value.get(name),
        Step::Place(place) => value.get(place),
    })
}

/// The template with each `<name>` replaced: by JSON where it stands alone, by text within quotes.
fn filled(
    template: &str,
    event: &Value,
    paths: &BTreeMap<String, String>,
    surroundings: &Surroundings<'_>,
) -> String {
    let mut text = String::new();
    let mut is_quoted = false;
    let mut rest = template;
    while let Some(letter) = rest.chars().next() {
        if letter == '<'
            && let Some((name, after)) = rest[1..].split_once('>')
            && let Some(value) = known(name, event, paths, surroundings)
        {
            put(&mut text, &value, is_quoted);
            rest = after;
            continue;
        }
        match letter {
            '\\' if is_quoted => {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
                text.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        text.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    text
}

/// The value of a variable; `None` for a name that is none. A path that leads nowhere is null.
fn known(
    name: &str,
    event: &Value,
    paths: &BTreeMap<String, String>,
    surroundings: &Surroundings<'_>,
) -> Option<Value> {
    if let Some(path) = paths.get(name) {
        return Some(steps(path).and_then(|steps| at(event, &steps).cloned()).unwrap_or_default());
    }
    Some(match name {
        "aws.events.rule-arn" => surroundings.rule_arn.into(),
        "aws.events.rule-name" => surroundings.rule.into(),
        "aws.events.event.ingestion-time" => {
            surroundings.now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
        }
        "aws.events.event.json" => event.clone(),
        "aws.events.event" => {
            let mut event = event.clone();
            if let Value::Object(fields) = &mut event {
                fields.remove("detail");
            }
            event
        }
        _ => return None,
    })
}

fn put(text: &mut String, value: &Value, is_quoted: bool) {
    match (value, is_quoted) {
        (Value::Null, true) => {}
        (Value::String(value), true) => {
            let quoted = Value::from(value.as_str()).to_string();
            text.push_str(&quoted[1..quoted.len() - 1]);
        }
        (value, true) => {
            let quoted = Value::from(value.to_string()).to_string();
            text.push_str(&quoted[1..quoted.len() - 1]);
        }
        (value, false) => text.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload(input: &Input) -> Option<String> {
        let event = json!({ "source": "s", "detail": { "a b": [1, { "c": "x\"y" }], "n": 7 } });
        let surroundings = Surroundings { rule: "r", rule_arn: "arn:r", now: Timestamp::UNIX_EPOCH };
        input.payload(&event, &surroundings)
    }

    #[test]
    fn paths_lead_into_the_event() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(payload(&Input::Path(path.into())).as_deref(), expected, "{path}");
        };
        check("$.detail.n", Some("7"));
        check("$.detail['a b'][1].c", Some("\"x\\\"y\""));
        check("$.detail.none", Some("{}"));
        check("detail", None);
        check("$..n", None);
        check("$.a[", None);
    }

    #[test]
    fn templates_are_filled() {
        let check = |template: &str, expected: Option<&str>| {
            let paths =
                [("n", "$.detail.n"), ("c", "$.detail['a b'][1].c"), ("d", "$.detail"), ("no", "$.x")];
            let paths = paths.map(|(name, path)| (name.to_owned(), path.to_owned())).into();
            let input = Input::Template { paths, template: template.into() };
            assert_eq!(payload(&input).as_deref(), expected, "{template}");
        };
        check("\"n is <n>, c is <c>\"", Some("\"n is 7, c is x\\\"y\""));
        check("{\"n\": <n>, \"c\": <c>, \"no\": <no>}", Some("{\"n\": 7, \"c\": \"x\\\"y\", \"no\": null}"));
        check("{\"text\": \"<no>!\"}", Some("{\"text\": \"!\"}"));
        check("\"<aws.events.rule-name> <unknown> < 1\"", Some("\"r <unknown> < 1\""));
        check("<aws.events.event>", Some("{\"source\":\"s\"}"));
        check("plain <n>", None);
        check("\"a \\\"<n>\\\" b\"", Some("\"a \\\"7\\\" b\""));
    }
}
