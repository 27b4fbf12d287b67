//! One statement of a policy: whether it speaks of a request.

use serde_json::{Map, Value};

use crate::condition::{self, Condition};
use crate::document::{Kind, Malformed};
use crate::keys::Keys;
use crate::pattern::{Match, Pattern};
use crate::principal::{self, Closeness, Named};
use crate::{Principal, Request};

/// What a statement does with the requests it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// A compiled statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    principals: Option<Element<Vec<Named>>>,
    actions: Element<Vec<Pattern>>,
    resources: Element<Vec<ResourcePattern>>,
    conditions: Vec<Condition>,
}

/// An element, or its `Not…` form.
#[derive(Debug, Clone)]
enum Element<T> {
    Is(T),
    IsNot(T),
}

#[derive(Debug, Clone)]
enum ResourcePattern {
    Everything,
    Arn(Vec<Pattern>),
}

/// Why a statement does not speak of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    Principal,
    Action,
    Resource,
    Condition(String),
}

const FIELDS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Statement {
    /// Whether it applies on conditions only.
    pub(crate) fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }

    pub(crate) fn parse(value: &Value, kind: Kind, variables: bool) -> Result<Self, Malformed> {
        let fields = value.as_object().ok_or_else(|| Malformed::new("Syntax errors in policy."))?;
        if fields.keys().any(|name| !FIELDS.contains(&name.as_str())) {
            return Err(Malformed::new("Syntax errors in policy."));
        }
        Ok(Self {
            sid: sid(fields)?,
            effect: effect(fields)?,
            principals: principals(fields, kind)?,
            actions: actions(fields)?,
            resources: resources(fields, kind, variables)?,
            conditions: fields.get("Condition").map_or(Ok(Vec::new()), |c| condition::parse(c, variables))?,
        })
    }

    /// Whether the statement speaks of the request; for statements with a principal, how closely it is named.
    pub(crate) fn applies(&self, request: &Request<'_>) -> Result<Closeness, Miss> {
        let closeness = self.names(request.principal).ok_or(Miss::Principal)?;
        if !self.covers_action(request.action) {
            return Err(Miss::Action);
        }
        if !self.covers_resource(request.resource, request.keys) {
            return Err(Miss::Resource);
        }
        match self.conditions.iter().find(|condition| !condition.holds(request.keys)) {
            Some(failed) => Err(Miss::Condition(failed.key().to_owned())),
            None => Ok(closeness),
        }
    }

    fn names(&self, principal: &Principal) -> Option<Closeness> {
        match &self.principals {
            None => Some(Closeness::Itself),
            Some(Element::Is(named)) => principal::closest(named, principal),
            Some(Element::IsNot(named)) => match principal::closest(named, principal) {
                None => Some(Closeness::Everyone),
                Some(_) => None,
            },
        }
    }

    fn covers_action(&self, action: &str) -> bool {
        let any = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| pattern.matches(action, &Keys::default(), true) == Match::Yes)
        };
        match &self.actions {
            Element::Is(patterns) => any(patterns),
            Element::IsNot(patterns) => !any(patterns),
        }
    }

    fn covers_resource(&self, resource: &str, keys: &Keys) -> bool {
        let one = |pattern: &ResourcePattern| match pattern {
            ResourcePattern::Everything => Match::Yes,
            ResourcePattern::Arn(parts) => condition::arn_matches(parts, resource, keys),
        };
        match &self.resources {
            Element::Is(patterns) => patterns.iter().any(|pattern| one(pattern) == Match::Yes),
            // A variable without a value must never widen a grant nor narrow a refusal.
            Element::IsNot(patterns) => patterns.iter().all(|pattern| match one(pattern) {
                Match::Yes => false,
                Match::No => true,
                Match::Unresolved => self.effect == Effect::Deny,
            }),
        }
    }
}

fn sid(fields: &Map<String, Value>) -> Result<Option<String>, Malformed> {
    match fields.get("Sid") {
        None => Ok(None),
        Some(Value::String(sid)) => Ok(Some(sid.clone())),
        Some(_) => Err(Malformed::new("Syntax errors in policy.")),
    }
}

fn effect(fields: &Map<String, Value>) -> Result<Effect, Malformed> {
    match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(other) => Err(Malformed::new(format!("Invalid effect: {other}"))),
        None => Err(Malformed::new("Missing required field Effect")),
    }
}

fn principals(fields: &Map<String, Value>, kind: Kind) -> Result<Option<Element<Vec<Named>>>, Malformed> {
    let found = match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (Some(_), Some(_)) => return Err(Malformed::new("Syntax errors in policy.")),
        (Some(value), None) => Some(Element::Is(value)),
        (None, Some(value)) => Some(Element::IsNot(value)),
        (None, None) => None,
    };
    match (kind, found) {
        (Kind::Identity, None) => Ok(None),
        (Kind::Identity, Some(_)) => Err(Malformed::new("Policy document should not specify a principal.")),
        (Kind::Resource | Kind::Trust, None) => Err(Malformed::new("Missing required field Principal")),
        (_, Some(Element::Is(value))) => Ok(Some(Element::Is(principal::parse(value)?))),
        (_, Some(Element::IsNot(value))) => Ok(Some(Element::IsNot(principal::parse(value)?))),
    }
}

fn actions(fields: &Map<String, Value>) -> Result<Element<Vec<Pattern>>, Malformed> {
    let compile =
        |value| -> Result<Vec<Pattern>, Malformed> { strings(value)?.into_iter().map(action).collect() };
    match (fields.get("Action"), fields.get("NotAction")) {
        (Some(value), None) => Ok(Element::Is(compile(value)?)),
        (None, Some(value)) => Ok(Element::IsNot(compile(value)?)),
        (None, None) => Err(Malformed::new("Policy statement must contain actions.")),
        (Some(_), Some(_)) => Err(Malformed::new("Syntax errors in policy.")),
    }
}

fn action(text: &str) -> Result<Pattern, Malformed> {
    let vendor_ok =
        |vendor: &str| !vendor.is_empty() && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match text.split_once(':') {
        _ if text == "*" => {}
        None => {
            return Err(Malformed::new(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ));
        }
        Some((vendor, name)) if vendor_ok(vendor) && !name.is_empty() && !name.contains(':') => {}
        Some((vendor, _)) => {
            return Err(Malformed::new(format!("Vendor {vendor} is not valid")));
        }
    }
    Ok(Pattern::compile(text, false, true))
}

fn resources(
    fields: &Map<String, Value>,
    kind: Kind,
    variables: bool,
) -> Result<Element<Vec<ResourcePattern>>, Malformed> {
    let compile = |value| -> Result<Vec<ResourcePattern>, Malformed> {
        strings(value)?.into_iter().map(|text| resource(text, variables)).collect()
    };
    match (fields.get("Resource"), fields.get("NotResource")) {
        (None, None) if kind == Kind::Trust => Ok(Element::Is(vec![ResourcePattern::Everything])),
        (Some(_), _) | (_, Some(_)) if kind == Kind::Trust => {
            Err(Malformed::new("Has prohibited field Resource"))
        }
        (Some(value), None) => Ok(Element::Is(compile(value)?)),
        (None, Some(value)) => Ok(Element::IsNot(compile(value)?)),
        (None, None) => Err(Malformed::new("Policy statement must contain resources.")),
        (Some(_), Some(_)) => Err(Malformed::new("Syntax errors in policy.")),
    }
}

fn resource(text: &str, variables: bool) -> Result<ResourcePattern, Malformed> {
    if text == "*" {
        return Ok(ResourcePattern::Everything);
    }
    if !text.starts_with("arn:") {
        return Err(Malformed::new(format!("Resource {text} must be in ARN format or \"*\".")));
    }
    if text.split(':').nth(2).is_some_and(|vendor| vendor.is_empty()) {
        return Err(Malformed::new("Resource vendor must be fully qualified and cannot contain regexes."));
    }
    Ok(ResourcePattern::Arn(condition::arn_patterns(text, variables)))
}

fn strings(value: &Value) -> Result<Vec<&str>, Malformed> {
    let syntax = || Malformed::new("Syntax errors in policy.");
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(texts) if !texts.is_empty() => {
            texts.iter().map(|text| text.as_str().ok_or_else(syntax)).collect()
        }
        _ => Err(syntax()),
    }
}
