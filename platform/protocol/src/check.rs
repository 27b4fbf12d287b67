//! The model's constraints: where the reader is, and what it found wrong.
//!
//! Invariants: a violation never stops the reading, so that one message names them all; the nesting of a
//! value is bounded by [`DEPTH_MAX`], whatever the protocol.
//!
//! Wording: what the services of AWS answer, "2 validation errors detected: Value '…' at '…' failed to
//! satisfy constraint: …; …".

use crate::ApiError;
use crate::schema::{Kind, Location, Member, Schema};

/// How deep values may nest. DynamoDB's 32 levels of attributes are 64 of JSON.
pub(crate) const DEPTH_MAX: usize = 128;
/// How many violations one message names; more would only repeat themselves.
const VIOLATIONS_MAX: usize = 100;
/// How many bytes of a refused value a message repeats.
const SHOWN_MAX: usize = 1024;

/// The path of a reader and the violations on it.
pub(crate) struct Checks {
    operation: &'static str,
    path: Vec<Step>,
    /// The map keys on the path, one after the other.
    keys: String,
    violations: Vec<String>,
}

enum Step {
    Member(&'static Member),
    Element(usize),
    /// Its key ends [`Checks::keys`] and begins here.
    Entry(usize),
}

/// Which members of a structure were present.
#[derive(Default)]
pub(crate) struct Seen([u64; 4]);

impl Seen {
    /// Notes the member at `index`. The generator refuses structures with more than 256 members.
    pub(crate) fn note(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether the member at `index` was.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}

impl Checks {
    pub(crate) fn new(operation: &'static str) -> Self {
        Self { operation, path: Vec::new(), keys: String::new(), violations: Vec::new() }
    }

    pub(crate) fn enter_member(&mut self, member: &'static Member) -> Result<(), ApiError> {
        self.enter(Step::Member(member))
    }

    pub(crate) fn enter_element(&mut self, index: usize) -> Result<(), ApiError> {
        self.enter(Step::Element(index))
    }

    pub(crate) fn enter_entry(&mut self, key: &str) -> Result<(), ApiError> {
        let start = self.keys.len();
        self.keys.push_str(key);
        self.enter(Step::Entry(start))
    }

    fn enter(&mut self, step: Step) -> Result<(), ApiError> {
        if self.path.len() >= DEPTH_MAX {
            let message = format!("Values may not nest deeper than {DEPTH_MAX} levels");
            return Err(ApiError::new("SerializationException", 400, message));
        }
        self.path.push(step);
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        if let Some(Step::Entry(start)) = self.path.pop() {
            self.keys.truncate(start);
        }
    }

    /// 501 for a member that the model does not know, or that is refused by name.
    pub(crate) fn not_implemented(&self, name: &str) -> ApiError {
        let path = self.shown_path(&|member| member.name.to_owned());
        let parameter = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        ApiError::not_implemented(self.operation, &parameter)
    }

    /// Checks that the required members of `schema` at `locations` were present.
    pub(crate) fn required(&mut self, schema: &'static Schema, seen: &Seen, locations: fn(Location) -> bool) {
        for (index, member) in schema.members.iter().enumerate() {
            if member.required && locations(member.location) && !seen.has(index) {
                self.path.push(Step::Member(member));
                self.violate(None, "Member must not be null");
                self.path.pop();
            }
        }
    }

    /// Checks text.
    pub(crate) fn text(&mut self, place: &Member, value: &str) {
        let schema = place.target;
        if schema.pattern.is_none()
            && schema.values.is_empty()
            && schema.min.is_none()
            && schema.max.is_none()
        {
            return;
        }
        let broken = broken_by_text(schema, value);
        self.simple(place, value, broken);
    }

    /// Checks a whole number.
    pub(crate) fn number(&mut self, place: &Member, value: i64) {
        let schema = place.target;
        let mut broken = Vec::new();
        if schema.min.is_some_and(|min| value < min) {
            broken.push(at_least("value", schema));
        }
        if schema.max.is_some_and(|max| value > max) {
            broken.push(at_most("value", schema));
        }
        if !broken.is_empty() {
            self.simple(place, &value.to_string(), broken);
        }
    }

    /// Checks the number of bytes, elements or entries; `empty` is how a value without any is shown.
    pub(crate) fn length(&mut self, place: &Member, length: usize, empty: &str) {
        let schema = place.target;
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let shown = if length == 0 && !empty.is_empty() { format!(" '{empty}'") } else { String::new() };
        if schema.min.is_some_and(|min| length < min) {
            self.note(&shown, &at_least("length", schema));
        }
        if schema.max.is_some_and(|max| length > max) {
            self.note(&shown, &at_most("length", schema));
        }
    }

    /// Checks a map's key; the reader is still at the map.
    pub(crate) fn key(&mut self, schema: &'static Schema, key: &str) {
        let Some(place) = schema.key else { return };
        if !broken_by_text(place.target, key).is_empty() {
            let text = format!("Map keys must satisfy constraint: [{}]", all_constraints(place.target));
            self.note("", &text);
        }
    }

    fn simple(&mut self, place: &Member, value: &str, broken: Vec<String>) {
        if broken.is_empty() {
            return;
        }
        let shown = shown(Some(value).filter(|_| !place.target.sensitive));
        let container = match self.path.last() {
            Some(Step::Element(_)) => "Member must satisfy constraint",
            Some(Step::Entry(_)) => "Map value must satisfy constraint",
            _ => {
                broken.iter().for_each(|constraint| self.note(&shown, constraint));
                return;
            }
        };
        // What is wrong with a simple element is told of the list that it is in.
        let text = format!("{container}: [{}]", all_constraints(place.target));
        let shown =
            if shown.is_empty() { shown } else { format!(" '[{}]'", shown.trim_matches([' ', '\''])) };
        let step = self.path.pop();
        self.note(&shown, &text);
        self.path.extend(step);
    }

    /// Notes that the value at hand breaks `constraint`.
    pub(crate) fn violate(&mut self, value: Option<&str>, constraint: &str) {
        match value {
            Some(_) => self.note(&shown(value), constraint),
            None => self.note(" null", constraint),
        }
    }

    fn note(&mut self, shown: &str, constraint: &str) {
        let path = self.shown_path(&|member| lower_first(member.name));
        let text = format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}");
        if self.violations.len() < VIOLATIONS_MAX && !self.violations.contains(&text) {
            self.violations.push(text);
        }
    }

    fn shown_path(&self, name: &dyn Fn(&Member) -> String) -> String {
        let mut parts = Vec::new();
        let mut end = self.keys.len();
        for step in self.path.iter().rev() {
            match step {
                Step::Member(member) => parts.push(name(member)),
                Step::Element(index) => parts.push(format!("{}.member", index + 1)),
                Step::Entry(start) => {
                    parts.push(format!("{}.member", &self.keys[*start..end]));
                    end = *start;
                }
            }
        }
        parts.reverse();
        parts.join(".")
    }

    /// All violations in one error with `code`, if there are any.
    pub(crate) fn finish(self, code: &'static str) -> Result<(), ApiError> {
        match self.violations.len() {
            0 => Ok(()),
            count => {
                let plural = if count == 1 { "error" } else { "errors" };
                let list = self.violations.join("; ");
                Err(ApiError::new(code, 400, format!("{count} validation {plural} detected: {list}")))
            }
        }
    }
}

fn broken_by_text(schema: &Schema, value: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if !schema.values.is_empty() && !schema.values.contains(&value) {
        broken.push(one_of(schema));
    }
    if let Some(pattern) = schema.pattern.filter(|pattern| !pattern.matches(value)) {
        broken.push(format!("Member must satisfy regular expression pattern: {}", pattern.source));
    }
    if schema.min.is_some() || schema.max.is_some() {
        let length = value.chars().count() as i64;
        if schema.max.is_some_and(|max| length > max) {
            broken.push(at_most("length", schema));
        }
        if schema.min.is_some_and(|min| length < min) {
            broken.push(at_least("length", schema));
        }
    }
    broken
}

fn all_constraints(schema: &Schema) -> String {
    let what = if matches!(schema.kind, Kind::Integer | Kind::Long) { "value" } else { "length" };
    let mut all = Vec::new();
    if schema.max.is_some() {
        all.push(at_most(what, schema));
    }
    if schema.min.is_some() {
        all.push(at_least(what, schema));
    }
    if let Some(pattern) = schema.pattern {
        all.push(format!("Member must satisfy regular expression pattern: {}", pattern.source));
    }
    if !schema.values.is_empty() {
        all.push(one_of(schema));
    }
    all.join(", ")
}

fn one_of(schema: &Schema) -> String {
    format!("Member must satisfy enum value set: [{}]", schema.values.join(", "))
}

fn at_least(what: &str, schema: &Schema) -> String {
    format!("Member must have {what} greater than or equal to {}", schema.min.unwrap_or_default())
}

fn at_most(what: &str, schema: &Schema) -> String {
    format!("Member must have {what} less than or equal to {}", schema.max.unwrap_or_default())
}

fn shown(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some(value) => format!(" '{}'", &value[..value.floor_char_boundary(SHOWN_MAX)]),
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
