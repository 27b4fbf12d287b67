//! The types: structures, unions, enumerations and exceptions with what they need to travel.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::model::{Reference, Shape};
use super::names;
use super::plan::Plan;
use super::schemas::Schemas;
use crate::Outcome;

/// A field of a generated structure.
struct Field {
    name: String,
    type_name: String,
    sensitive: bool,
}

/// Writes the types of `plan` to `text`.
pub(crate) fn all(text: &mut String, plan: &Plan<'_>, schemas: &Schemas<'_>) -> Outcome {
    for (name, shape) in &plan.shapes {
        if plan.api.custom.contains_key(*name) || plan.exceptions.contains_key(name) || !shape.has_type() {
            continue;
        }
        match shape.kind.as_str() {
            "string" => enumeration(text, name, &shape.values)?,
            _ if shape.union => union(text, plan, schemas, name, shape)?,
            _ => structure(text, plan, schemas, name, shape)?,
        }
    }
    for (name, shape) in &plan.exceptions {
        exception(text, plan, schemas, name, shape)?;
    }
    Ok(())
}

fn fields(plan: &Plan<'_>, name: &str, shape: &Shape) -> Vec<Field> {
    let members = plan.fields(name, shape);
    members.into_iter().map(|(member, reference)| field(plan, name, shape, member, reference)).collect()
}

fn field(plan: &Plan<'_>, owner: &str, shape: &Shape, member: &str, reference: &Reference) -> Field {
    let target = plan.model.shape(&reference.shape);
    let mut type_name = plan.rust_type(&reference.shape, reference.streaming);
    if plan.is_boxed(owner, &reference.shape) {
        type_name = format!("Box<{type_name}>");
    }
    let required = shape.required.iter().any(|required| required == member);
    // A body is always there, if empty.
    if !required && type_name != "p::ByteStream" {
        type_name = format!("Option<{type_name}>");
    }
    let elements = [&target.member, &target.value, &target.key];
    let secret = elements.into_iter().flatten().any(|element| plan.model.shape(&element.shape).sensitive);
    Field { name: names::field(member), type_name, sensitive: target.sensitive || secret }
}

fn structure(
    text: &mut String,
    plan: &Plan<'_>,
    schemas: &Schemas<'_>,
    name: &str,
    shape: &Shape,
) -> Outcome {
    let type_name = names::type_name(name);
    let fields = fields(plan, name, shape);
    declaration(text, name, &type_name, &fields, !is_streaming(plan, shape))?;
    encode(text, &type_name, &fields)?;
    let assignments: Vec<_> = (fields.iter().enumerate())
        .map(|(place, field)| format!("{place} => value.{} = p::Decode::read(reader)?,", field.name))
        .collect();
    let body = if fields.is_empty() {
        "reader.structure(&mut |_, _| Ok(()))?;\nOk(Self {})".to_owned()
    } else {
        format!(
            "let mut value = Self::default();\nreader.structure(&mut |member, reader| {{\nmatch member \
             {{\n{}\n_ => {{}}\n}}\nOk(())\n}})?;\nOk(value)",
            assignments.join("\n")
        )
    };
    decode(text, &type_name, &body)?;
    let stream = fields.iter().find(|field| field.type_name == "p::ByteStream");
    let take = stream.map_or_else(String::new, |field| {
        format!(
            "fn take_stream(&mut self) -> Option<p::ByteStream> {{ Some(std::mem::take(&mut self.{})) }}",
            field.name
        )
    });
    let path = schemas.path(name);
    writeln!(
        text,
        "impl p::Shape for {type_name} {{ fn schema() -> &'static p::Schema {{ &{path} }}\n{take} }}\n"
    )?;
    Ok(())
}

fn is_streaming(plan: &Plan<'_>, shape: &Shape) -> bool {
    shape.members.0.iter().any(|(_, reference)| {
        plan.rust_type_exists(&reference.shape)
            && plan.rust_type(&reference.shape, reference.streaming) == "p::ByteStream"
    })
}

fn declaration(text: &mut String, name: &str, type_name: &str, fields: &[Field], plain: bool) -> Outcome {
    let secret = fields.iter().any(|field| field.sensitive);
    let mut derives = vec!["Default"];
    if plain {
        derives.extend(["Clone", "PartialEq"]);
    }
    if !secret {
        derives.push("Debug");
    }
    writeln!(text, "/// `{name}`.\n#[derive({})]\npub struct {type_name} {{", derives.join(", "))?;
    for field in fields {
        writeln!(text, "pub {}: {},", field.name, field.type_name)?;
    }
    writeln!(text, "}}\n")?;
    if secret {
        masked_debug(text, type_name, fields)?;
    }
    Ok(())
}

/// `Debug` that hides secrets and still shows whether they are present.
fn masked_debug(text: &mut String, type_name: &str, fields: &[Field]) -> Outcome {
    writeln!(
        text,
        "impl fmt::Debug for {type_name} {{\nfn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result \
         {{\nf.debug_struct({type_name:?})"
    )?;
    for field in fields {
        let name = &field.name;
        let label = name.trim_start_matches("r#");
        match (field.sensitive, field.type_name.starts_with("Option<")) {
            (false, _) => writeln!(text, ".field({label:?}, &self.{name})")?,
            (true, true) => writeln!(text, ".field({label:?}, &self.{name}.as_ref().map(|_| \"***\"))")?,
            (true, false) => writeln!(text, ".field({label:?}, &\"***\")")?,
        }
    }
    writeln!(text, ".finish()\n}}\n}}\n")?;
    Ok(())
}

fn encode(text: &mut String, type_name: &str, fields: &[Field]) -> Outcome {
    let members: Vec<_> = fields.iter().map(|field| format!("&self.{}", field.name)).collect();
    writeln!(
        text,
        "impl p::Encode for {type_name} {{\nfn write(&self, writer: &mut dyn p::Writer) \
         {{\nwriter.structure(&[{}]);\n}}\n}}\n",
        members.join(", ")
    )?;
    Ok(())
}

fn decode(text: &mut String, type_name: &str, body: &str) -> Outcome {
    writeln!(
        text,
        "impl p::Decode for {type_name} {{\nfn read(reader: &mut dyn p::Reader) -> Result<Self, p::ApiError> \
         {{\n{body}\n}}\n}}\n"
    )?;
    Ok(())
}

fn union(text: &mut String, plan: &Plan<'_>, schemas: &Schemas<'_>, name: &str, shape: &Shape) -> Outcome {
    let type_name = names::type_name(name);
    let variants: Vec<_> = (plan.fields(name, shape).into_iter())
        .map(|(member, reference)| {
            let value = plan.rust_type(&reference.shape, false);
            let boxed = plan.is_boxed(name, &reference.shape);
            (names::type_name(member), if boxed { format!("Box<{value}>") } else { value })
        })
        .collect();
    let (first, _) = variants.first().ok_or("a union without members")?;
    writeln!(
        text,
        "/// `{name}`: exactly one of these.\n#[derive(Clone, Debug, PartialEq)]\npub enum {type_name} {{"
    )?;
    for (variant, value) in &variants {
        writeln!(text, "{variant}({value}),")?;
    }
    writeln!(
        text,
        "}}\n\nimpl Default for {type_name} {{\nfn default() -> Self {{ Self::{first}(Default::default()) }}\n}}\n"
    )?;
    writeln!(
        text,
        "impl p::Encode for {type_name} {{\nfn write(&self, writer: &mut dyn p::Writer) {{\nmatch self {{"
    )?;
    for (place, (variant, _)) in variants.iter().enumerate() {
        writeln!(text, "Self::{variant}(value) => writer.union({place}, value),")?;
    }
    writeln!(text, "}}\n}}\n}}\n")?;
    let mut body = String::from(
        "let mut value = Self::default();\nreader.structure(&mut |member, reader| {\nmatch member {\n",
    );
    for (place, (variant, _)) in variants.iter().enumerate() {
        writeln!(body, "{place} => value = Self::{variant}(p::Decode::read(reader)?),")?;
    }
    body.push_str("_ => {}\n}\nOk(())\n})?;\nOk(value)");
    decode(text, &type_name, &body)?;
    let path = schemas.path(name);
    writeln!(text, "impl p::Shape for {type_name} {{ fn schema() -> &'static p::Schema {{ &{path} }} }}\n")?;
    Ok(())
}

fn enumeration(text: &mut String, name: &str, values: &[String]) -> Outcome {
    let type_name = names::type_name(name);
    let mut taken = BTreeMap::new();
    let variants: Vec<_> = (values.iter())
        .map(|value| {
            let variant = names::variant(value);
            let uses = taken.entry(variant.clone()).and_modify(|uses| *uses += 1).or_insert(1);
            if *uses == 1 { (variant, value) } else { (format!("{variant}{uses}"), value) }
        })
        .collect();
    writeln!(
        text,
        "/// `{name}`. The default is a placeholder for values that were refused, nothing more.\n#[derive(Clone, \
         Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {type_name} {{\n#[default]"
    )?;
    for (variant, value) in &variants {
        writeln!(text, "/// `{value}`\n{variant},")?;
    }
    writeln!(text, "}}\n\nimpl {type_name} {{\n/// All values.\npub const ALL: &'static [Self] = &[")?;
    for (variant, _) in &variants {
        write!(text, "Self::{variant},")?;
    }
    writeln!(
        text,
        "];\n\n/// The value on the wire.\npub const fn as_str(self) -> &'static str {{\nmatch self {{"
    )?;
    for (variant, value) in &variants {
        writeln!(text, "Self::{variant} => {value:?},")?;
    }
    writeln!(
        text,
        "}}\n}}\n}}\n\nimpl FromStr for {type_name} {{\ntype Err = p::UnknownValue;\n\nfn from_str(text: &str) -> \
         Result<Self, p::UnknownValue> {{\nSelf::ALL.iter().copied().find(|value| value.as_str() == \
         text).ok_or(p::UnknownValue)\n}}\n}}\n\nimpl fmt::Display for {type_name} {{\nfn fmt(&self, f: &mut \
         fmt::Formatter<'_>) -> fmt::Result {{ f.write_str(self.as_str()) }}\n}}\n\nimpl p::Encode for {type_name} \
         {{\nfn write(&self, writer: &mut dyn p::Writer) {{ writer.string(self.as_str()); }}\n}}\n"
    )?;
    // The reader has noted the violation when the value is none of the schema's.
    decode(text, &type_name, "Ok(reader.string()?.parse().unwrap_or_default())")
}

fn exception(
    text: &mut String,
    plan: &Plan<'_>,
    schemas: &Schemas<'_>,
    name: &str,
    shape: &Shape,
) -> Outcome {
    let type_name = names::type_name(name);
    let mut fields = fields(plan, name, shape);
    for field in &mut fields {
        // An exception is only ever written: what we leave out is absent, never invented.
        if !field.type_name.starts_with("Option<") {
            field.type_name = format!("Option<{}>", field.type_name);
        }
    }
    if shape.message().is_none() {
        fields.push(Field { name: "message".into(), type_name: "Option<String>".into(), sensitive: false });
    }
    let message = names::field(shape.message().unwrap_or("message"));
    declaration(text, name, &type_name, &fields, true)?;
    encode(text, &type_name, &fields)?;
    let facts = shape.error.as_ref();
    let code = facts.and_then(|facts| facts.code.as_deref()).unwrap_or(name);
    let status =
        facts.and_then(|facts| facts.http_status_code).unwrap_or(if shape.fault { 500 } else { 400 });
    let rest = if fields.len() > 1 { ", ..Self::default()" } else { "" };
    writeln!(
        text,
        "impl {type_name} {{\n/// With this message.\npub fn new(message: impl Into<String>) -> Self {{\nSelf {{ \
         {message}: Some(message.into()){rest} }}\n}}\n}}\n"
    )?;
    let path = schemas.path(name);
    writeln!(
        text,
        "impl p::Modelled for {type_name} {{ fn exception_schema(&self) -> &'static p::Schema {{ &{path} }} }}\n\nimpl \
         From<{type_name}> for p::ApiError {{\nfn from(error: {type_name}) -> Self {{\nSelf::modelled({code:?}, {status}, \
         error.{message}.clone().unwrap_or_default(), error)\n}}\n}}\n"
    )?;
    Ok(())
}
