//! The tables of shapes: `pub mod schema` of generated.rs.

use std::collections::BTreeMap;
use std::fmt::Write;

use regex::Regex;

use super::model::{Reference, Shape};
use super::names;
use super::plan::Plan;
use crate::Outcome;

/// The names of the statics that describe the plan's shapes.
pub(crate) struct Schemas<'a> {
    plan: &'a Plan<'a>,
    statics: BTreeMap<&'a str, String>,
}

impl<'a> Schemas<'a> {
    /// Names a static for each shape.
    pub(crate) fn new(plan: &'a Plan<'a>) -> Outcome<Self> {
        let mut statics = BTreeMap::new();
        let mut taken = std::collections::BTreeSet::new();
        for (name, shape) in plan.shapes.iter().chain(&plan.exceptions) {
            let wanted = match plain(shape) {
                Some(shared) => format!("p::schema::{shared}"),
                None => names::snake(name).to_ascii_uppercase(),
            };
            let own = !wanted.contains(':');
            let named = if own && !taken.insert(wanted.clone()) { format!("{wanted}_SHAPE") } else { wanted };
            statics.insert(*name, named);
        }
        Ok(Self { plan, statics })
    }

    /// The path of a shape's description, seen from outside the module.
    pub(crate) fn path(&self, shape: &str) -> String {
        let name = &self.statics[shape];
        if name.contains(':') { name.clone() } else { format!("schema::{name}") }
    }

    /// The module's text.
    pub(crate) fn module(&self) -> Outcome<String> {
        let mut text = String::from(
            "/// The descriptions of the shapes.\npub mod schema {\nuse super::p;\nuse p::{Kind, Location, Member, \
             Schema, TimestampFormat};\nuse p::schema::Pattern;\n",
        );
        for (name, shape) in self.plan.shapes.iter().chain(&self.plan.exceptions) {
            if plain(shape).is_none() && !(self.is_twice(name) && self.plan.exceptions.contains_key(name)) {
                self.one(&mut text, name, shape)?;
            }
        }
        text.push_str("}\n");
        Ok(text)
    }

    /// Exceptions may be data of other shapes too; they are described once.
    fn is_twice(&self, name: &str) -> bool {
        self.plan.shapes.contains_key(name)
    }

    fn one(&self, text: &mut String, name: &str, shape: &Shape) -> Outcome {
        let label = &self.statics[name];
        let mut constraints = self.constraints(shape);
        if let Some(pattern) = shape.pattern.as_deref().and_then(usable_pattern) {
            writeln!(text, "static PATTERN_OF_{label}: Pattern = Pattern::new({pattern:?});")?;
            write!(constraints, ".pattern(&PATTERN_OF_{label})")?;
        }
        write!(text, "pub static {label}: Schema = ")?;
        match shape.kind.as_str() {
            "structure" if !shape.document => self.structure(text, name, shape)?,
            "list" => {
                let element = shape.member.as_ref().ok_or("a list without element")?;
                write!(text, "Schema::list({name:?}, &{})", self.member("member", element, None, false))?;
            }
            "map" => {
                let key = shape.key.as_ref().ok_or("a map without key")?;
                let value = shape.value.as_ref().ok_or("a map without value")?;
                let (key, value) =
                    (self.member("key", key, None, false), self.member("value", value, None, false));
                write!(text, "Schema::map({name:?}, &{key}, &{value})")?;
            }
            _ => write!(text, "Schema::new({name:?}, Kind::{})", kind(shape))?,
        }
        writeln!(text, "{constraints};")?;
        Ok(())
    }

    fn structure(&self, text: &mut String, name: &str, shape: &Shape) -> Outcome {
        let constructor = if shape.union { "union" } else { "structure" };
        let fields = self.plan.fields(name, shape);
        write!(text, "Schema::{constructor}({name:?}, &[")?;
        for (member, reference) in fields {
            write!(text, "{},", self.member(member, reference, Some(shape), true))?;
        }
        if self.plan.exceptions.contains_key(name) && shape.message().is_none() {
            text.push_str("Member::new(\"message\", &p::schema::STRING),");
        }
        text.push_str("])");
        let refused: Vec<_> = self.plan.refused.get(name).into_iter().flatten().collect();
        if !refused.is_empty() {
            text.push_str(".refused(&[");
            for member in refused {
                let reference = shape.members.get(member).ok_or("a refused member that is none")?;
                write!(text, "{},", self.member(member, reference, Some(shape), false))?;
            }
            text.push_str("])");
        }
        Ok(())
    }

    /// A `Member`. Those that are refused have no target of their own.
    fn member(&self, name: &str, reference: &Reference, owner: Option<&Shape>, built: bool) -> String {
        let in_element = owner.is_none();
        let target = match self.statics.get(reference.shape.as_str()) {
            Some(path) if built || in_element => path.clone(),
            _ => "p::schema::DOCUMENT".into(),
        };
        let mut text = format!("Member::new({name:?}, &{target})");
        let mut call = |part: String| text.push_str(&part);
        if let Some(wire) = reference.location_name.as_ref().filter(|wire| *wire != name) {
            call(format!(".wire({wire:?})"));
        }
        if let Some(location) = owner.and_then(|owner| self.location(owner, name, reference)) {
            call(format!(".at(Location::{location})"));
        }
        if owner.is_some_and(|owner| owner.required.iter().any(|required| required == name)) {
            call(".required()".into());
        }
        if reference.flattened {
            call(".flattened()".into());
        }
        if reference.xml_attribute {
            call(".attribute()".into());
        }
        if let Some((prefix, uri)) = self.namespace(reference) {
            call(format!(".namespace({prefix:?}, {uri:?})"));
        }
        let target = self.plan.model.shape(&reference.shape);
        if let Some(format) = reference.timestamp_format.as_ref().or(target.timestamp_format.as_ref()) {
            call(format!(".timestamp(TimestampFormat::{})", timestamp_format(format)));
        }
        text
    }

    fn namespace<'r>(&'r self, reference: &'r Reference) -> Option<(&'r str, &'r str)> {
        let target = self.plan.model.shape(&reference.shape);
        reference.xml_namespace.as_ref().or(target.xml_namespace.as_ref()).map(super::model::Namespace::parts)
    }

    fn location(&self, owner: &Shape, name: &str, reference: &Reference) -> Option<&'static str> {
        let is_map = self.plan.model.shape(&reference.shape).kind == "map";
        match reference.location.as_deref() {
            Some("header") => Some("Header"),
            Some("headers") => Some("PrefixHeaders"),
            Some("querystring") if is_map => Some("QueryMap"),
            Some("querystring") => Some("Query"),
            Some("uri") => Some("Label"),
            Some("statusCode") => Some("Status"),
            _ if owner.payload.as_deref() == Some(name) => Some("Payload"),
            _ => None,
        }
    }

    fn constraints(&self, shape: &Shape) -> String {
        let mut text = String::new();
        // Bounds beyond 64 bits do not bind, and fractions only occur in answers.
        for (name, bound) in [("min", shape.min), ("max", shape.max)] {
            if let Some(bound) = bound.filter(|bound| bound.abs() < 9.0e18 && bound.fract() == 0.0) {
                text.push_str(&format!(".{name}({})", bound as i64));
            }
        }
        if !shape.values.is_empty() {
            text.push_str(&format!(".values(&{:?})", shape.values));
        }
        if shape.sensitive {
            text.push_str(".sensitive()");
        }
        if shape.flattened {
            text.push_str(".flattened()");
        }
        text
    }
}

/// The shared description of an unconstrained simple shape.
fn plain(shape: &Shape) -> Option<&'static str> {
    let constrained = shape.min.is_some()
        || shape.max.is_some()
        || shape.pattern.is_some()
        || !shape.values.is_empty()
        || shape.sensitive;
    match shape.kind.as_str() {
        _ if constrained => None,
        "structure" if shape.document => Some("DOCUMENT"),
        "structure" if shape.eventstream => Some("STREAM"),
        "structure" | "list" | "map" => None,
        "string" | "character" => Some("STRING"),
        "integer" | "short" | "byte" => Some("INTEGER"),
        "long" => Some("LONG"),
        "float" => Some("FLOAT"),
        "double" => Some("DOUBLE"),
        "boolean" => Some("BOOLEAN"),
        "timestamp" => Some("TIMESTAMP"),
        "blob" if shape.streaming => Some("STREAM"),
        "blob" => Some("BLOB"),
        _ => None,
    }
}

fn kind(shape: &Shape) -> &'static str {
    match shape.kind.as_str() {
        "structure" => "Document",
        "integer" | "short" | "byte" => "Integer",
        "long" => "Long",
        "float" => "Float",
        "double" => "Double",
        "boolean" => "Boolean",
        "timestamp" => "Timestamp",
        "blob" if shape.streaming => "Stream",
        "blob" => "Blob",
        _ => "String",
    }
}

fn timestamp_format(format: &str) -> &'static str {
    match format {
        "iso8601" => "DateTime",
        "rfc822" => "HttpDate",
        _ => "EpochSeconds",
    }
}

/// The pattern as our engine takes it; nothing where it needs look-around or references.
fn usable_pattern(pattern: &str) -> Option<&str> {
    // A match of everything is no constraint, and would still cost time.
    let trivial =
        [".*", "[\\s\\S]*", "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*"];
    let compiles = Regex::new(&format!("^(?s:{pattern})$")).is_ok();
    Some(pattern).filter(|_| compiles && !trivial.contains(&pattern))
}
