//! Patterns as trees: fields, all of which must match; alternatives; and the rules at the leaves.

use serde_json::Value;

use crate::rule::Rule;

/// The fields of one object of a pattern. All of them, and one of each list of alternatives, must match.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fields {
    pub(crate) named: Vec<(String, Node)>,
    pub(crate) alternatives: Vec<Vec<Fields>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Fields(Fields),
    /// One of these must match.
    Rules(Vec<Rule>),
}

impl Fields {
    /// Whether an event, or a part of one, matches. Of an array, one element must match all by itself.
    ///
    /// What is not there has no fields, which is what `exists: false` asks for.
    pub(crate) fn matches(&self, event: Option<&Value>) -> bool {
        match event {
            Some(Value::Array(elements)) if !elements.is_empty() => {
                elements.iter().any(|element| self.matches(Some(element)))
            }
            event => self.match_object(event),
        }
    }

    fn match_object(&self, event: Option<&Value>) -> bool {
        let field = |name: &str| event.and_then(Value::as_object).and_then(|object| object.get(name));
        self.named.iter().all(|(name, node)| node.matches(field(name)))
            && self.alternatives.iter().all(|list| list.iter().any(|fields| fields.match_object(event)))
    }
}

impl Node {
    fn matches(&self, event: Option<&Value>) -> bool {
        match self {
            Self::Fields(fields) => fields.matches(event),
            Self::Rules(rules) => {
                let mut leaves = Vec::new();
                if let Some(event) = event {
                    collect(event, &mut leaves);
                }
                rules.iter().any(|rule| rule.matches(&leaves))
            }
        }
    }
}

/// The leaves of a field's value: itself, or those of the array that it is. Objects have none of their own.
fn collect<'e>(value: &'e Value, leaves: &mut Vec<&'e Value>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, leaves)),
        Value::Object(_) => {}
        leaf => leaves.push(leaf),
    }
}
